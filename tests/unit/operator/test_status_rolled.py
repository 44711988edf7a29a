"""What the status remembers of rollouts: what worked, what was given up; and it stays small."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from qwen3_operator.decisions.admission import Admission
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.rollout import Decision, Failed, Inputs, Move
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.observed import Key, Observed, Pod
from qwen3_operator.rolling.turns import Turn
from qwen3_operator.status import Facts, derive
from qwen3_planner.api.conversion import parse, parse_status
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import Qwen3DeploymentStatus
from qwen3_planner.report.plan_status import status_document
from support.plan_builders import make_plan
from support.values import amount, pod

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEW = Qwen3DeploymentStatus()
PLANNED = Chosen(Outcome.PLANNED, make_plan(), Verdict(Reason.PLAN_COMPUTED, "Planned."))
RESOURCE = parse(
    {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": "m", "namespace": "team-a"},
        "spec": {"model": {"variant": "Qwen3-32B"}},
    }
)
KEPT = Turn(Decision(Move.KEEP, "new"), ())
GIVEN_UP = Failed("new", Inputs("spec-2", "plan-2"))
BROKEN = pod(
    "a",
    amount(2),
    node="n",
    owner="m",
    plan_hash="new",
    problem="ImagePullBackOff",
    problem_message="no such image",
)
ANSWERS = pod("a", amount(2), node="n", owner="m", plan_hash="new", ready=True)


def told(
    turn: Turn | None,
    one: Pod,
    before: dict[str, Any] | None = None,
    **fields: Any,  # noqa: ANN401 - of Facts
) -> dict[str, Any]:
    template = {"metadata": {"labels": {"serving.qwen3.dev/plan-hash": "new"}}}
    spec = {"replicas": 1, "template": template}
    live = {("Deployment", "m"): {"kind": "Deployment", "spec": spec}}
    facts = Facts(
        key=Key("team-a", "m"),
        generation=2,
        resource=RESOURCE,
        chosen=PLANNED,
        admission=Admission(1, 1, may_apply=True),
        observed=Observed(live, (one,)),
        plan_hash="new",
        turn=turn,
        **fields,
    )
    return derive(facts, parse_status({"status": before or {}}), NOW)


def condition(status: dict[str, Any], kind: str) -> tuple[str, str]:
    found = next(c for c in status["conditions"] if c["type"] == kind)
    return found["status"], found["reason"]


def test_a_plan_of_which_all_replicas_answer_has_worked() -> None:
    assert told(KEPT, ANSWERS)["rollout"]["working"] == {
        "planHash": "new",
        "model": "Qwen3-32B",
        "engine": "vllm 0.32.0",
        "quantization": "bf16",
        "layout": "tp2",
        "gpu": "2x H100-SXM-80GB",
    }


def test_what_answers_from_before_says_nothing_about_a_plan_that_waits_for_gpus() -> None:
    before = {"rollout": {"working": {"planHash": "new"}}}

    assert (
        told(Turn(Decision(Move.RENDER, "newer"), ()), ANSWERS, before)["rollout"]
        == (before["rollout"])
    )


def test_a_plan_that_does_not_answer_yet_leaves_the_last_one_in_memory() -> None:
    before = {"rollout": {"working": {"planHash": "old", "engine": "vllm 0.31.0"}}}

    assert told(KEPT, BROKEN, before)["rollout"] == before["rollout"]


def test_what_is_given_up_is_told_in_the_words_of_that_moment_and_in_no_others() -> None:
    before = {"rollout": {"working": {"planHash": "old", "engine": "vllm 0.31.0"}}}

    first = told(Turn(Decision(Move.GIVE_UP, "new", GIVEN_UP), ()), BROKEN, before)
    later = told(Turn(Decision(Move.GO_BACK, "new", GIVEN_UP), ()), ANSWERS, first)

    failed = first["rollout"]["failed"]
    assert failed["inputs"] == "spec-2.plan-2"
    assert failed["reason"] == "ImagePullError"
    assert later["rollout"] == first["rollout"]
    assert condition(later, "Progressing") == ("False", "RolledBack")
    assert condition(later, "Ready") == ("False", "RolledBack")
    assert condition(later, "Available")[0] == "True"
    assert later["phase"] == "Degraded"
    message = next(c["message"] for c in later["conditions"] if c["type"] == "Ready")
    assert "no such image" in message
    assert "vllm 0.31.0" in message


def test_where_nothing_is_decided_everything_is_remembered() -> None:
    before = {"rollout": {"working": {"planHash": "old"}, "outdated": True}}

    assert told(None, ANSWERS, before)["rollout"] == before["rollout"]


def test_pods_of_an_earlier_release_are_said_to_be_outdated_and_their_plan_is_theirs() -> None:
    theirs = {**status_document(make_plan()), "command": ["vllm", "serve", "--as-then"]}

    status = told(Turn(KEPT.decision, (), plan=theirs, is_outdated=True), ANSWERS)

    assert status["rollout"]["outdated"] is True
    assert status["plan"]["command"] == ["vllm", "serve", "--as-then"]
    assert "outdated" not in told(KEPT, ANSWERS)["rollout"]


def test_with_the_longest_memory_the_status_stays_small() -> None:
    long = pod(
        "a",
        amount(2),
        node="n",
        owner="m",
        plan_hash="new",
        problem="ImagePullBackOff",
        problem_message="ü" * 5000,
    )
    working = dict.fromkeys(("model", "engine", "gpu"), "ü" * 128)
    before: dict[str, Any] = {"rollout": {"working": {"planHash": "old", **working}}}
    before["plan"] = {**status_document(make_plan()), "warnings": ["w" * 300] * 3}

    status = told(Turn(Decision(Move.GIVE_UP, "new", GIVEN_UP), ()), long, before)

    assert len(json.dumps(status, ensure_ascii=False).encode()) < 16 * 1024
    assert parse_status({"status": status}).rollout is not None
