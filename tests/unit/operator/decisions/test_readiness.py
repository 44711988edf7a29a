"""What Deployment and pods say is judged the same in every order of events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.decisions.failures import on_its_node
from qwen3_operator.decisions.readiness import judge
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus
from support.values import amount, node, pod

if TYPE_CHECKING:
    from qwen3_operator.observed import Pod

ONE = amount(1)


def deployment(*conditions: dict[str, str], plan_hash: str = "new") -> dict[str, Any]:
    template = {"metadata": {"labels": {"serving.qwen3.dev/plan-hash": plan_hash}}}
    return {"spec": {"template": template}, "status": {"conditions": list(conditions)}}


def our_pod(name: str = "p", plan_hash: str = "new", **fields: object) -> Pod:
    return pod(name, ONE, owner="m", plan_hash=plan_hash, **fields)


def running(name: str = "p", **fields: object) -> Pod:
    return our_pod(name, node="n", phase="Running", **fields)


READY = running(ready=True)
STUCK = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "…",
}


def test_before_any_pod_is_made_the_rollout_is_under_way() -> None:
    rollout = judge(None, (), 2, "")

    assert (rollout.replicas, rollout.ready, rollout.updated) == (2, 0, 0)
    assert rollout.scheduled.status is ConditionStatus.TRUE
    assert rollout.progressing.verdict.reason is Reason.ROLLOUT_IN_PROGRESS
    assert rollout.worst is None


def test_an_engine_that_runs_and_does_not_answer_loads() -> None:
    rollout = judge(deployment(), (running(),), 1, "")

    assert rollout.is_loading
    assert rollout.available.verdict.reason is Reason.MODEL_LOADING


def test_all_ready_is_complete() -> None:
    rollout = judge(deployment(), (READY,), 1, "")

    assert rollout.is_complete
    assert rollout.available.status is ConditionStatus.TRUE
    assert rollout.progressing.verdict.reason is Reason.ROLLOUT_COMPLETE


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param((READY,), id="one of two"),
        pytest.param((READY, running("q", ready=True, plan_hash="old")), id="one is of before"),
        pytest.param(
            (READY, running("q", ready=True), running("r", ready=True)), id="one too many"
        ),
        pytest.param((READY, running("q", ready=True, terminating=True)), id="one is leaving"),
    ],
)
def test_anything_less_or_more_is_not_complete(pods: tuple[Pod, ...]) -> None:
    assert not judge(deployment(), pods, 2, "").is_complete


def test_the_most_telling_failure_is_told() -> None:
    pods = (
        our_pod("a", problem="Unschedulable", problem_message="0/3 nodes"),
        our_pod("b", problem="ImagePullBackOff", problem_message="not found"),
    )

    worst = judge(deployment(), pods, 2, "").worst

    assert worst is not None
    assert worst.reason is Reason.IMAGE_PULL_ERROR


def test_failures_of_the_template_before_do_not_count_once_new_pods_are_there() -> None:
    pods = (running("new"), running("old", plan_hash="old", problem="CrashLoopBackOff"))

    assert judge(deployment(), pods, 2, "").worst is None


def test_a_pod_that_ended_does_not_count_once_it_is_replaced() -> None:
    evicted = our_pod("gone", phase="Failed", problem="Evicted")

    assert judge(deployment(), (evicted, running()), 1, "").worst is None
    assert judge(deployment(), (evicted,), 1, "").worst is not None


def test_nothing_is_wrong_while_all_replicas_answer() -> None:
    evicted = our_pod("gone", phase="Failed", problem="Evicted")

    rollout = judge(deployment(STUCK), (READY, evicted), 1, "")

    assert rollout.worst is None
    assert rollout.is_complete


def test_pods_that_cannot_be_made_are_told_by_the_deployment() -> None:
    refused = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": 'pods "m-1" is forbidden: exceeded quota: gpus',
    }

    rollout = judge(deployment(refused), (), 1, "")

    assert rollout.worst is not None
    assert rollout.worst.reason is Reason.QUOTA_EXCEEDED
    assert rollout.scheduled.status is ConditionStatus.FALSE
    assert rollout.replicas == 0


def test_a_child_that_is_refused_is_told_even_while_replicas_answer() -> None:
    rollout = judge(deployment(), (READY,), 1, 'admission webhook "w" denied the request: no')

    assert rollout.worst is not None
    assert rollout.worst.reason is Reason.ADMISSION_DENIED


def test_a_rollout_that_takes_too_long_is_stuck() -> None:
    rollout = judge(deployment(STUCK), (running(),), 1, "")

    assert rollout.progressing.status is ConditionStatus.FALSE
    assert rollout.worst is not None
    assert rollout.worst.reason is Reason.PROGRESS_DEADLINE_EXCEEDED


def test_a_pod_without_a_node_is_told_by_the_scheduler() -> None:
    lost = our_pod(problem="Unschedulable", problem_message="0/7 nodes are available")

    rollout = judge(deployment(), (lost,), 1, "")

    assert rollout.scheduled.status is ConditionStatus.FALSE
    assert "0/7 nodes are available" in rollout.scheduled.verdict.message


def test_the_judgement_does_not_depend_on_the_order_of_pods() -> None:
    pods = (
        our_pod("a", problem="CrashLoopBackOff", problem_message="exit code 2"),
        our_pod("b", problem="CrashLoopBackOff", problem_message="exit code 1"),
        running("c"),
    )

    assert judge(deployment(), pods, 3, "") == judge(deployment(), pods[::-1], 3, "")


def test_a_replica_on_a_lost_node_is_told_whatever_its_kubelet_said_last() -> None:
    lost = on_its_node(running(ready=True), None)
    silent = on_its_node(running(problem="CrashLoopBackOff"), replace(node("n"), ready=False))

    for pod_, words in ((lost, "The node n is gone"), (silent, "The node n is NotReady")):
        worst = judge(deployment(), (pod_,), 1, "").worst
        assert worst is not None
        assert worst.reason is Reason.NODE_LOST
        assert words in worst.message
    assert on_its_node(READY, node("n")) is READY


def test_a_pod_without_a_node_says_whose_place_it_takes() -> None:
    lost = on_its_node(running("old", terminating=True), None)
    waits = our_pod("new", problem="Unschedulable", problem_message="0/7 nodes")

    worst = judge(deployment(), (lost, waits), 1, "").worst

    assert worst is not None
    assert worst.message == "Unschedulable: 0/7 nodes. It replaces one that was lost with n."
