"""What the engine found beside what was planned: in the status, as an Event, as an overlay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.observed import Key, Observed
from qwen3_operator.status import Facts, events
from qwen3_operator.status.measured import measured_document
from qwen3_planner.api.conversion import parse_status
from qwen3_planner.api.reasons import Reason
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.corrections.parsing import from_document
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.request import EngineTuning, PlanRequest

if TYPE_CHECKING:
    from qwen3_planner.api.status import Qwen3DeploymentStatus

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LATER = datetime(2026, 11, 24, tzinfo=UTC)
CATALOG = load_catalog()
NAME = "Qwen3-8B"


@lru_cache
def planned(tuning: EngineTuning = EngineTuning()) -> Plan:  # noqa: B008 - frozen
    hardware = parse_hardware("1xL40S-48GB", CATALOG)
    result = plan(PlanRequest(NAME, tuning=tuning), hardware, CATALOG)
    assert isinstance(result, Plan)
    return result


PLANNED = planned().memory.kv_cache_tokens


def facts(*tokens: int, of: Plan | None = None, plan_hash: str = "hash") -> Facts:
    chosen = Chosen(Outcome.KEPT, of or planned(), Verdict(Reason.PLAN_KEPT, ""))
    read = {str(number): count for number, count in enumerate(tokens)}
    return Facts(
        Key("team-a", "chat"),
        1,
        chosen=chosen,
        observed=Observed(kv_cache_tokens=read),
        plan_hash=plan_hash,
        model=CATALOG.model(NAME),
    )


def measured(
    *tokens: int,
    before: dict[str, Any] | None = None,
    now: datetime = NOW,
    plan_hash: str = "hash",
) -> dict[str, Any] | None:
    seen = facts(*tokens, plan_hash=plan_hash)
    return measured_document(status_document(planned()), seen, previous(before), now)


def previous(measured: dict[str, Any] | None) -> Qwen3DeploymentStatus:
    return parse_status({"status": {**written(measured), "planHash": "hash"}})


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


def test_of_several_replicas_the_one_with_least_is_shown_beside_the_plan() -> None:
    assert measured(int(PLANNED * 0.98), int(PLANNED * 0.97)) == {
        "kvCacheTokens": int(PLANNED * 0.97),
        "plannedKvCacheTokens": PLANNED,
        "difference": "-3.0%",
    }


@pytest.mark.parametrize("share", [0.99, 0.8])
def test_it_stays_while_the_same_pods_are_asked_again(share: float) -> None:
    """A restart of the operator writes nothing: what it reads again, another day, is known."""
    tokens = int(PLANNED * share)
    first = measured(tokens)
    assert measured(before=first, now=LATER) == first
    assert measured(tokens, before=first, now=LATER) == first


def test_it_goes_with_the_template_it_was_about() -> None:
    assert measured(before=measured(PLANNED), plan_hash="another") is None


@pytest.mark.parametrize("document", [None, {"feasible": False}, {"memory": {}}])
def test_without_a_planned_figure_there_is_nothing_to_compare(
    document: dict[str, Any] | None,
) -> None:
    assert measured_document(document, facts(97_000), previous(None), NOW) is None


@pytest.mark.parametrize(
    ("share", "kind"),
    [
        pytest.param(0.94, "Warning", id="less room"),
        pytest.param(1.06, "Normal", id="more room"),
        pytest.param(0.955, None, id="as promised"),
        pytest.param(1.045, None, id="as promised, above"),
    ],
)
def test_more_than_five_percent_off_is_an_event_that_offers_the_overlay(
    share: float, kind: str | None
) -> None:
    tokens = int(PLANNED * share)
    document = measured(tokens)
    notes = list(events(previous(None), written(document)))
    assert [note.type for note in notes] == ([kind] if kind else [])
    assert ("calibration" in (document or {})) is bool(kind)
    if kind:
        assert notes[0].reason == "PlanDeviates"
        assert f"{tokens:,} tokens" in notes[0].message
        offered = "kubectl get q3d chat -n team-a -o jsonpath='{.status.measured.calibration}'"
        assert offered in notes[0].message
        assert "| qwen3 calibrate - --calibration mine.yaml" in notes[0].message


def test_it_is_said_once() -> None:
    far_off = measured(int(PLANNED * 0.9))
    assert events(previous(far_off), written(far_off)) == ()
    assert len(events(previous(far_off), written(measured(int(PLANNED * 0.8))))) == 1


def test_a_plan_that_takes_the_overlay_up_says_what_the_engine_said() -> None:
    tokens = int(PLANNED * 0.8)
    document = measured(tokens)
    assert document is not None
    learned = replace(CATALOG, calibration=from_document(document["calibration"], "status"))

    again = plan(PlanRequest(NAME), parse_hardware("1xL40S-48GB", CATALOG), learned)

    assert isinstance(again, Plan)
    assert again.memory.kv_cache_tokens == pytest.approx(tokens, rel=1e-3)
    origin = document["calibration"]["entries"][0]["origin"]
    assert (origin["name"], origin["date"]) == ("team-a/chat", "2026-11-23")


def test_nothing_is_learned_of_a_cache_whose_size_was_given() -> None:
    given = planned(EngineTuning(kv_cache_memory_bytes=4 * 2**30))
    document = measured_document(status_document(given), facts(1000, of=given), previous(None), NOW)
    assert document is not None
    assert "calibration" not in document
    (note,) = events(previous(None), written(document))
    assert "start-up log" in note.message


def test_nothing_is_learned_of_a_cache_that_no_such_gpu_holds() -> None:
    """It is shown all the same: something else runs than was planned for."""
    gpu = planned().memory.per_gpu[0]
    limit = gpu.device_bytes / gpu.kv_cache_bytes * PLANNED
    within, beyond = measured(int(limit * 0.99)), measured(int(limit * 1.01))
    assert within is not None
    assert beyond is not None
    assert ("calibration" in within, "calibration" in beyond) == (True, False)
    assert beyond["kvCacheTokens"] == int(limit * 1.01)
