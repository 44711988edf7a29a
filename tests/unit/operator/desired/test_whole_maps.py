"""Selectors are ours as a whole: an entry more is a difference, unlike a label more."""

from __future__ import annotations

import pytest

from qwen3_operator.desired.differences import differs

WANTED = {
    "kind": "Service",
    "metadata": {"name": "s", "labels": {"a": "1"}},
    "spec": {"selector": {"app": "qwen3"}},
}


@pytest.mark.parametrize(
    ("selector", "labels", "differing"),
    [
        pytest.param({"app": "qwen3"}, {"a": "1"}, False, id="the same"),
        pytest.param({"app": "qwen3"}, {"a": "1", "b": "2"}, False, id="somebody's label"),
        pytest.param({"app": "qwen3", "x": "y"}, {"a": "1"}, True, id="an entry in the selector"),
        pytest.param({}, {"a": "1"}, True, id="no selector"),
    ],
)
def test_an_entry_more_in_a_selector_is_a_difference(
    selector: dict[str, str], labels: dict[str, str], *, differing: bool
) -> None:
    live = {"metadata": {"name": "s", "labels": labels}, "spec": {"selector": selector}}
    assert differs(WANTED, live) is differing
