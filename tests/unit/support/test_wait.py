"""Waiting for a condition."""

from __future__ import annotations

import pytest

from support.wait import WaitTimeoutError, until


def test_the_first_truthy_value_is_returned() -> None:
    values = iter([None, 0, "", "there"])
    assert until(lambda: next(values), 5, "never", interval=0) == "there"


def test_a_condition_that_holds_is_seen_even_without_time() -> None:
    assert until(lambda: True, 0, "never")


def test_timeout_tells_what_was_seen_last() -> None:
    with pytest.raises(WaitTimeoutError, match=r"no pods \(waited 0 s; last value: \[\]\)"):
        until(list, 0, "no pods")


def test_only_named_errors_mean_not_yet() -> None:
    def probe() -> bool:
        raise KeyError("x")

    with pytest.raises(WaitTimeoutError, match="last error: KeyError"):
        until(probe, 0, lambda: "still missing", ignore=(KeyError,))
    with pytest.raises(KeyError):
        until(probe, 0, "still missing", ignore=(ValueError,))
