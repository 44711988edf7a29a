"""What cannot run is skipped with its remedy, unless everything must run."""

from __future__ import annotations

import pytest

from support.availability import cannot_run, must_run_everything


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("true", True), ("TRUE", True), ("0", False), ("false", False), ("", False)],
)
def test_ci_means_that_nothing_may_be_skipped(
    monkeypatch: pytest.MonkeyPatch, value: str, *, expected: bool
) -> None:
    monkeypatch.setenv("CI", value)
    assert must_run_everything() is expected


def test_skip_names_the_command_that_would_enable_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"No Go\. To enable: make go"):
        cannot_run("No Go.", "make go")


def test_in_ci_the_skip_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped: No Go"):
        cannot_run("No Go.", "make go")
