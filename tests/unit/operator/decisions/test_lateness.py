"""A rollout is late when its controller says so, about pods that had their chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from qwen3_operator.decisions.lateness import Patience, patience_with, patience_with_groups
from support.values import amount, pod

DEADLINE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
FAILING = pod("a", amount(2), node="n", owner="m", plan_hash="new")


def deployment(*conditions: dict[str, str], observed: int = 3) -> dict[str, Any]:
    return {
        "metadata": {"generation": 3},
        "status": {"observedGeneration": observed, "conditions": list(conditions)},
    }


def test_a_pod_on_a_node_that_never_answered_in_time_is_late() -> None:
    assert patience_with(deployment(DEADLINE), [FAILING], "new").is_over


@pytest.mark.parametrize(
    ("live", "pods"),
    [
        pytest.param(deployment(), [FAILING], id="its time is not over"),
        pytest.param(deployment(DEADLINE, observed=2), [FAILING], id="that was the last one"),
        pytest.param(
            deployment(DEADLINE),
            [pod("a", amount(2), owner="m", plan_hash="new")],
            id="it waits for a node",
        ),
        pytest.param(
            deployment(DEADLINE),
            [pod("a", amount(2), node="n", owner="m", plan_hash="old")],
            id="only an old pod is not ready",
        ),
        pytest.param(
            deployment(DEADLINE),
            [pod("a", amount(2), node="n", owner="m", plan_hash="new", terminating=True)],
            id="the pod is leaving",
        ),
        pytest.param(
            deployment(DEADLINE),
            [pod("a", amount(2), node="n", owner="m", plan_hash="new", ready=True)],
            id="the pod answers",
        ),
        pytest.param(
            deployment(
                DEADLINE,
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "message": 'pods "x" is forbidden: exceeded quota: gpus, requested: 1',
                },
            ),
            [],
            id="the quota is used up",
        ),
    ],
)
def test_what_had_no_chance_is_not_late(live: dict[str, Any], pods: list[Any]) -> None:
    assert patience_with(live, pods, "new") == Patience()


def test_pods_that_may_not_be_made_are_late_too() -> None:
    refused = {
        "type": "ReplicaFailure",
        "status": "True",
        "message": 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged',
    }

    assert patience_with(deployment(DEADLINE, refused), [], "new").is_over


# -- replicas of several pods -----------------------------------------------------------------

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEADER = replace(FAILING, group="0", bound_at="2026-11-23T11:55:00Z")


def groups(*pods: Any, began: str = "2026-11-23T11:50:00Z", allowed_s: int = 600) -> Patience:  # noqa: ANN401 - pods
    return patience_with_groups(pods, "new", began, allowed_s, NOON)


def test_a_replica_that_loads_has_its_time_from_when_it_got_its_nodes() -> None:
    assert groups(LEADER) == Patience(again_s=301.0)
    assert groups(LEADER, allowed_s=299).is_over


def test_a_replica_that_is_started_anew_again_and_again_does_not_get_new_time() -> None:
    crashing = replace(LEADER, problem="CrashLoopBackOff", bound_at="2026-11-23T11:59:59Z")

    assert groups(crashing, allowed_s=599).is_over
    assert groups(crashing, allowed_s=601) == Patience(again_s=2.0)


def test_each_replica_before_it_had_its_time_as_well() -> None:
    crashing = replace(LEADER, problem="CrashLoopBackOff")
    answers = replace(LEADER, uid="b", group="1", ready=True)

    assert groups(crashing, answers, allowed_s=301) == Patience(again_s=3.0)
    assert groups(crashing, answers, allowed_s=299).is_over


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(replace(LEADER, node=None, bound_at=""), id="it waits for its nodes"),
        pytest.param(replace(LEADER, rank=1), id="it does not lead"),
        pytest.param(replace(LEADER, plan_hash="old"), id="it is of the last plan"),
        pytest.param(replace(LEADER, ready=True), id="it answers"),
    ],
)
def test_other_pods_of_groups_say_nothing_about_time(pod: Any) -> None:  # noqa: ANN401 - a pod
    assert groups(pod, allowed_s=1) == Patience()
