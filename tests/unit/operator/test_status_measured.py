"""What the engine found beside what was planned: in the status, and as an Event when far off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.status import events
from qwen3_operator.status.measured import measured_document
from qwen3_planner.api.conversion import parse_status
from qwen3_planner.api.status import Measured

if TYPE_CHECKING:
    from qwen3_planner.api.status import Qwen3DeploymentStatus

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PLAN = {"memory": {"kvCacheTokens": 100_000}}
BEFORE = Measured(kv_cache_tokens=99_000, planned_kv_cache_tokens=100_000, difference="-1.0%")


def test_of_several_replicas_the_one_with_least_is_shown_beside_the_plan() -> None:
    document = measured_document(PLAN, [98_000, 97_000], None, same=True)
    assert document == {
        "kvCacheTokens": 97_000,
        "plannedKvCacheTokens": 100_000,
        "difference": "-3.0%",
    }


def test_it_stays_while_the_same_pods_are_asked_again() -> None:
    """A restart of the operator writes nothing: what it reads again is what it knew."""
    kept = measured_document(PLAN, [], BEFORE, same=True)
    assert kept == measured_document(PLAN, [99_000], None, same=True)


def test_it_goes_with_the_template_it_was_about() -> None:
    assert measured_document(PLAN, [], BEFORE, same=False) is None


@pytest.mark.parametrize("plan", [None, {"feasible": False}, {"memory": {}}])
def test_without_a_planned_figure_there_is_nothing_to_compare(plan: dict[str, Any] | None) -> None:
    assert measured_document(plan, [97_000], None, same=True) is None


def previous(measured: dict[str, Any] | None) -> Qwen3DeploymentStatus:
    return parse_status({"status": written(measured)})


def written(measured: dict[str, Any] | None) -> dict[str, Any]:
    conditions = [
        {
            "type": kind,
            "status": "True",
            "reason": "Ready",
            "message": "",
            "lastTransitionTime": "2026-11-23T00:00:00Z",
        }
        for kind in ("PlanFeasible", "Ready")
    ]
    return {"conditions": conditions, **({"measured": measured} if measured else {})}


def found(tokens: int) -> dict[str, Any]:
    document = measured_document(PLAN, [tokens], None, same=True)
    assert document is not None
    return document


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        pytest.param(94_000, "Warning", id="less room"),
        pytest.param(106_000, "Normal", id="more room"),
        pytest.param(95_500, None, id="as promised"),
        pytest.param(104_500, None, id="as promised, above"),
    ],
)
def test_more_than_five_percent_off_is_an_event(tokens: int, expected: str | None) -> None:
    notes = list(events(previous(None), written(found(tokens))))
    assert [note.type for note in notes] == ([expected] if expected else [])
    if expected:
        assert notes[0].reason == "PlanDeviates"
        assert f"{tokens:,} tokens" in notes[0].message
        assert "qwen3 calibrate" in notes[0].message


def test_it_is_said_once() -> None:
    far_off = found(90_000)
    assert events(previous(far_off), written(far_off)) == ()
    assert len(events(previous(far_off), written(found(80_000)))) == 1
