"""The status says what is so; its state table is the one in the docstring of ``derive``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator import status
from qwen3_operator.decisions.admission import Admission
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.rollout import Decision, Failed, Inputs, Move
from qwen3_operator.decisions.supply import Way, holds, judge_source
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.errors import SpecError
from qwen3_operator.observed import Key, Observed
from qwen3_operator.rolling.turns import Turn
from qwen3_operator.status import EventNote, Facts, derive, events
from qwen3_planner.api.conversion import parse, parse_status
from qwen3_planner.api.reasons import ConditionType, Reason
from qwen3_planner.api.status import Qwen3DeploymentStatus
from qwen3_planner.plan import Layout, NoPlan
from support.plan_builders import make_no_plan, make_plan, make_refusal
from support.values import amount, pod

if TYPE_CHECKING:
    from qwen3_operator.observed import Pod
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment

KEY = Key("team-a", "m")
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 13, 30, 0, tzinfo=UTC)
NEW = Qwen3DeploymentStatus()


def resource(**spec: object) -> Qwen3Deployment:
    return parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": KEY.name, "namespace": KEY.namespace},
            "spec": {"model": {"variant": "Qwen3-32B"}, "replicas": 2, **spec},
        }
    )


def live(replicas: int = 2, *conditions: dict[str, str]) -> dict[tuple[str, str], Any]:
    template = {"metadata": {"labels": {"serving.qwen3.dev/plan-hash": "new"}}}
    return {
        ("Deployment", "m"): {
            "kind": "Deployment",
            "spec": {"replicas": replicas, "template": template},
            "status": {"conditions": list(conditions)},
        },
        ("Service", "m"): {"kind": "Service", "spec": {"ports": [{"port": 80}]}},
    }


def our_pod(name: str, **fields: object) -> Pod:
    return pod(name, amount(2), owner="m", plan_hash=fields.pop("plan_hash", "new"), **fields)


def ready(name: str, **fields: object) -> Pod:
    return our_pod(name, node="n", phase="Running", ready=True, **fields)


def loading(name: str, **fields: object) -> Pod:
    return our_pod(name, node="n", phase="Running", **fields)


PLANNED = Chosen(Outcome.PLANNED, make_plan(), Verdict(Reason.PLAN_COMPUTED, "Planned: tp2."))
REFUSED = Chosen(
    Outcome.INFEASIBLE, make_no_plan(), Verdict(Reason.INSUFFICIENT_GPU_MEMORY, "38.9 GiB missing.")
)
SHORT = Verdict(Reason.INSUFFICIENT_GPU, "All 2 replicas wait.")
FETCHED = holds(Reason.FETCHED_BY_PODS, "Each pod fetches hf://Qwen/Qwen3-32B when it starts.")
OFFLINE = judge_source(Way("hf://Qwen/Qwen3-32B", is_offline=True))
ALL = Admission(2, 2, may_apply=True)
SOME = Admission(2, 1, may_apply=True, verdict=SHORT)
NONE = Admission(2, 0, may_apply=False, verdict=SHORT)


def facts(**fields: object) -> Facts:
    given = {
        "resource": resource(),
        "chosen": PLANNED,
        "supply": FETCHED,
        "plan_hash": "new",
        **fields,
    }
    return Facts(key=KEY, generation=3, **given)


def seen(*pods: Pod, replicas: int = 2, refusal: str = "") -> Observed:
    return Observed(live(replicas), pods, refusal)


UNDONE = Turn(Decision(Move.GO_BACK, "new", Failed("other", Inputs("s", "p"))), ())

STATES = {
    "specification is wrong": facts(
        resource=None, chosen=None, spec_error=SpecError("spec.x", "7", "is not so")
    ),
    "no plan": facts(chosen=REFUSED, supply=None),
    "paused by the user": facts(is_paused=True, supply=None, observed=seen(ready("a"), ready("b"))),
    "suspended or at zero": facts(resource=resource(replicas=0), supply=None),
    "its pods still end": facts(
        resource=resource(suspend=True), supply=None, observed=seen(loading("a"), replicas=0)
    ),
    "weights are not there": facts(supply=OFFLINE),
    "none admitted, none run": facts(admission=NONE),
    "some replicas admitted": facts(admission=SOME, observed=seen(ready("a"), replicas=1)),
    "a pod fails, is refused": facts(
        admission=ALL, observed=seen(ready("a"), loading("b", problem="OOMKilled"))
    ),
    "start, load or change": facts(admission=ALL, observed=seen(loading("a"), loading("b"))),
    "all answer, this plan": facts(admission=ALL, observed=seen(ready("a"), ready("b"))),
    "what failed was undone": facts(
        admission=ALL, observed=seen(ready("a"), ready("b")), turn=UNDONE
    ),
}


def table() -> list[list[str]]:
    """Read the table out of the docstring, columns by the rule above it."""
    lines = [line.strip() for line in (derive.__doc__ or "").splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("=="))
    rule = lines[start]
    widths = [len(part) for part in rule.split(" ")]
    rows = []
    for line in lines[start + 3 :]:
        if line.startswith("=="):
            break
        cells, position = [], 0
        for width in widths:
            cells.append(line[position : position + width].strip())
            position += width + 1
        rows.append(cells)
    return rows


HEADINGS = (
    "SpecValid",
    "PlanFeasible",
    "ModelCached",
    "Scheduled",
    "Available",
    "Progressing",
    "Ready",
)


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in document["conditions"]}


def reasons(document: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["reason"] for c in document["conditions"]}


@pytest.mark.parametrize(("state", "expected"), [(row[0], row[1:]) for row in table()])
def test_the_state_table_holds(state: str, expected: list[str]) -> None:
    document = derive(STATES[state], NEW, NOW)

    told, why = statuses(document), reasons(document)
    for kind, cell in zip(HEADINGS, expected, strict=True):
        if cell == "-":
            assert told[kind] == "Unknown", kind
            assert why[kind] in ("Pending", "ScaledToZero", "Suspended", "Paused"), kind
        elif cell != "run":
            assert told[kind] == cell, kind


def test_the_table_names_every_state_and_every_condition() -> None:
    assert [row[0] for row in table()] == list(STATES)
    not_always = {
        ConditionType.SCALING_ACTIVE,
        ConditionType.INTEGRATED,
        ConditionType.RECONCILING,
        ConditionType.STALLED,
    }
    assert {*HEADINGS} == {kind.value for kind in ConditionType if kind not in not_always}


@pytest.mark.parametrize(
    ("given", "phase", "reason"),
    [
        pytest.param(STATES["no plan"], "Failed", "InsufficientGPUMemory", id="no plan"),
        pytest.param(
            facts(chosen=REFUSED, observed=seen(ready("a"), ready("b"))),
            "Degraded",
            "InsufficientGPUMemory",
            id="no plan, but the one before runs",
        ),
        pytest.param(STATES["specification is wrong"], "Failed", "InvalidSpec", id="invalid"),
        pytest.param(STATES["weights are not there"], "Failed", "HubOffline", id="no weights"),
        pytest.param(STATES["paused by the user"], "Ready", "Paused", id="paused while it runs"),
        pytest.param(
            facts(is_paused=True, observed=seen(ready("a"), loading("b", problem="OOMKilled"))),
            "Degraded",
            "ContainerOOMKilled",
            id="paused with a failing pod",
        ),
        pytest.param(facts(is_paused=True), "Pending", "Paused", id="paused before it ran"),
        pytest.param(
            facts(supply=OFFLINE, observed=seen(ready("a"), ready("b"))),
            "Degraded",
            "HubOffline",
            id="no weights, but what runs has its own",
        ),
        pytest.param(
            facts(resource=resource(suspend=True)), "Suspended", "Suspended", id="suspend"
        ),
        pytest.param(STATES["suspended or at zero"], "Suspended", "ScaledToZero", id="zero"),
        pytest.param(STATES["none admitted, none run"], "Pending", "InsufficientGPU", id="waiting"),
        pytest.param(
            STATES["some replicas admitted"], "Degraded", "InsufficientGPU", id="some wait"
        ),
        pytest.param(
            facts(admission=NONE, observed=seen(ready("a"), ready("b"))),
            "Degraded",
            "InsufficientGPU",
            id="another template waits",
        ),
        pytest.param(facts(admission=ALL), "Provisioning", "RolloutInProgress", id="just applied"),
        pytest.param(STATES["start, load or change"], "Loading", "ModelLoading", id="loading"),
        pytest.param(
            STATES["a pod fails, is refused"], "Degraded", "ContainerOOMKilled", id="one fails"
        ),
        pytest.param(
            facts(admission=ALL, observed=seen(loading("a", problem="CrashLoopBackOff"))),
            "Failed",
            "ContainerCrashLoopBackOff",
            id="the only one fails",
        ),
        pytest.param(
            facts(admission=ALL, observed=seen(refusal='admission webhook "w" denied: no')),
            "Failed",
            "AdmissionDenied",
            id="refused",
        ),
        pytest.param(STATES["all answer, this plan"], "Ready", "Ready", id="ready"),
    ],
)
def test_ready_carries_the_reason_of_the_worst(given: Facts, phase: str, reason: str) -> None:
    document = derive(given, NEW, NOW)

    assert (document["phase"], reasons(document)["Ready"]) == (phase, reason)


def test_another_template_that_waits_does_not_call_the_rollout_complete() -> None:
    document = derive(facts(admission=NONE, observed=seen(ready("a"), ready("b"))), NEW, NOW)

    assert statuses(document)["Progressing"] == "False"
    assert statuses(document)["Available"] == "True"


def test_the_columns_are_filled() -> None:
    document = derive(STATES["all answer, this plan"], NEW, NOW)

    assert document["layout"] == "tp2"
    assert document["gpu"] == "2x H100-SXM-80GB"
    assert document["memory"] == "37.9/72.8 GiB"
    assert document["available"] == "2/2"
    assert document["endpoint"] == "http://m.team-a.svc:80/v1"
    assert document["planHash"] == "new"
    assert (document["replicas"], document["readyReplicas"], document["updatedReplicas"]) == (
        2,
        2,
        2,
    )
    assert "serving.qwen3.dev/deployment=m" in document["selector"]
    assert document["observedGeneration"] == 3


def test_equal_facts_give_equal_bytes_and_the_own_answer_changes_nothing() -> None:
    for state, given in STATES.items():
        first = derive(given, NEW, NOW)
        again = derive(given, parse_status({"status": first}), LATER)

        assert json.dumps(first) == json.dumps(again), state


def test_only_a_condition_that_flips_has_a_new_time() -> None:
    before = derive(STATES["start, load or change"], NEW, NOW)

    after = derive(STATES["all answer, this plan"], parse_status({"status": before}), LATER)

    times = {c["type"]: c["lastTransitionTime"] for c in after["conditions"]}
    assert times["Ready"] == times["Available"] == "2026-11-23T13:30:00Z"
    assert times["PlanFeasible"] == times["Scheduled"] == "2026-11-23T12:00:00Z"


def test_the_plan_that_runs_is_not_lost_to_one_that_does_not_exist() -> None:
    before = derive(STATES["all answer, this plan"], NEW, NOW)
    previous = parse_status({"status": before})

    broken = derive(facts(chosen=REFUSED, observed=seen(ready("a"))), previous, LATER)
    nothing_runs = derive(facts(chosen=REFUSED), previous, LATER)

    assert broken["plan"] == before["plan"]
    assert broken["layout"] == "tp2"
    assert nothing_runs["plan"]["feasible"] is False
    assert "layout" not in nothing_runs


def test_a_kept_plan_is_shown_as_it_was_made() -> None:
    before = derive(STATES["all answer, this plan"], NEW, NOW)
    kept = Chosen(
        Outcome.KEPT,
        make_plan(warnings=("Not used by this plan: 6 more nodes.",)),
        PLANNED.verdict,
    )

    after = derive(
        facts(chosen=kept, admission=ALL, observed=seen(ready("a"), ready("b"))),
        parse_status({"status": before}),
        LATER,
    )

    assert after == before


def test_a_kept_plan_with_other_replicas_is_shown_anew() -> None:
    before = derive(STATES["all answer, this plan"], NEW, NOW)
    kept = Chosen(Outcome.KEPT, make_plan(replicas=5), PLANNED.verdict)

    after = derive(facts(chosen=kept, admission=ALL), parse_status({"status": before}), LATER)

    assert after["plan"]["replicas"] == 5


def test_a_crash_is_named_until_the_engine_answers_again() -> None:
    crashed = facts(
        admission=ALL,
        observed=seen(ready("a"), loading("b", problem="OOMKilled", restarts=1)),
    )
    again = facts(admission=ALL, observed=seen(ready("a"), loading("b", restarts=2)))
    before = derive(crashed, NEW, NOW)

    between = derive(again, parse_status({"status": before}), LATER)
    another_generation = derive(
        replace(again, generation=4), parse_status({"status": before}), LATER
    )

    assert reasons(between)["Ready"] == "ContainerOOMKilled"
    assert reasons(another_generation)["Ready"] == "ModelLoading"


def test_the_worst_status_is_small() -> None:
    wide = make_plan(layout=Layout(tensor=8, pipeline=4, data=8, expert=64))
    long = "n\N{GREEK SMALL LETTER OMEGA}" * 3000
    given = facts(
        chosen=Chosen(Outcome.PLANNED, wide, Verdict(Reason.PLAN_COMPUTED, long)),
        admission=ALL,
        observed=seen(refusal=long),
    )

    document = derive(given, NEW, NOW)

    assert len(json.dumps(document, ensure_ascii=False).encode()) < 16 * 1024


def test_many_long_refusals_are_small_too() -> None:
    refusals = tuple(make_refusal(message="x" * 4000) for _ in range(40))
    result = NoPlan("Qwen3-32B", 1, "hf://a/b", refusals)
    chosen = Chosen(Outcome.INFEASIBLE, result, Verdict(Reason.INSUFFICIENT_GPU_MEMORY, "y" * 9000))

    document = derive(facts(chosen=chosen), NEW, NOW)

    assert len(json.dumps(document).encode()) < 16 * 1024


def test_the_document_is_what_the_api_describes() -> None:
    for given in STATES.values():
        document = derive(given, NEW, NOW)

        Qwen3DeploymentStatus.model_validate(document, by_alias=True, by_name=False, extra="forbid")


# -- Events -----------------------------------------------------------------------------------


def after(first: Facts, then: Facts) -> tuple[EventNote, ...]:
    before = parse_status({"status": derive(first, NEW, NOW)})
    return events(before, derive(then, before, LATER))


def test_a_life_without_trouble_is_two_events() -> None:
    states = [
        facts(admission=ALL),
        STATES["start, load or change"],
        STATES["all answer, this plan"],
    ]

    told, previous = [], NEW
    for given in states:
        document = derive(given, previous, NOW)
        told += [(note.type, note.reason) for note in events(previous, document)]
        previous = parse_status({"status": document})

    assert told == [("Normal", "PlanComputed"), ("Normal", "Ready")]


def test_nothing_new_is_no_event() -> None:
    for given in STATES.values():
        assert after(given, given) == ()


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param("no plan", ("Warning", "InsufficientGPUMemory"), id="no plan"),
        pytest.param("none admitted, none run", ("Warning", "InsufficientGPU"), id="waits"),
        pytest.param("a pod fails, is refused", ("Warning", "ContainerOOMKilled"), id="fails"),
        pytest.param("suspended or at zero", ("Normal", "ScaledToZero"), id="zero"),
    ],
)
def test_trouble_is_told_once(then: str, expected: tuple[str, str]) -> None:
    notes = after(STATES["all answer, this plan"], STATES[then])

    assert [(note.type, note.reason) for note in notes] == [expected]


def test_another_plan_is_told_although_the_reason_is_the_same() -> None:
    other = Chosen(
        Outcome.REPLANNED, make_plan(), Verdict(Reason.PLAN_COMPUTED, "Planned: fp8 as tp4.")
    )

    notes = after(facts(admission=ALL), facts(chosen=other, admission=ALL))

    assert [note.message for note in notes] == ["Planned: fp8 as tp4."]


def test_a_note_fits_an_event() -> None:
    long = Verdict(Reason.PLAN_COMPUTED, "z" * 5000)
    document = derive(facts(chosen=replace(PLANNED, verdict=long), admission=ALL), NEW, NOW)

    assert all(len(note.message) <= status.MAX_NOTE for note in events(NEW, document))
