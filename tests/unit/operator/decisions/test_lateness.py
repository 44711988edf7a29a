"""A rollout is late when its controller says so, about pods that had their chance."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.lateness import has_missed_its_time
from support.values import amount, pod

DEADLINE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
FAILING = pod("a", amount(2), node="n", owner="m", plan_hash="new")


def deployment(*conditions: dict[str, str], observed: int = 3) -> dict[str, Any]:
    return {
        "metadata": {"generation": 3},
        "status": {"observedGeneration": observed, "conditions": list(conditions)},
    }


def test_a_pod_on_a_node_that_never_answered_in_time_is_late() -> None:
    assert has_missed_its_time(deployment(DEADLINE), [FAILING], "new")


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
    assert not has_missed_its_time(live, pods, "new")


def test_pods_that_may_not_be_made_are_late_too() -> None:
    refused = {
        "type": "ReplicaFailure",
        "status": "True",
        "message": 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged',
    }

    assert has_missed_its_time(deployment(DEADLINE, refused), [], "new")
