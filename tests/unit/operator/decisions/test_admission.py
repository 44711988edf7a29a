"""The formulas of admission, and the words for a shortage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_operator.decisions.admission import (
    Holder,
    Shortage,
    demand_of,
    explain,
    minus,
    plus,
    slots,
    slots_destroyed,
)
from qwen3_operator.observed import Key, Resources
from qwen3_planner.api.reasons import Reason
from support.values import amount

amounts = st.builds(
    amount,
    gpus=st.integers(0, 8),
    cpu=st.integers(0, 16),
    memory_gib=st.integers(0, 64),
)
needs = st.builds(
    amount, gpus=st.integers(1, 8), cpu=st.integers(0, 16), memory_gib=st.integers(0, 64)
)


@given(free=amounts, other=needs, need=needs)
def test_a_pod_never_takes_more_slots_than_are_set_aside_for_it(
    free: Resources, other: Resources, need: Resources
) -> None:
    if slots(free, other):
        left = slots(minus(free, other), need)

        assert left >= slots(free, need) - slots_destroyed(other, need)


@given(free=amounts, need=needs)
def test_a_slot_is_exactly_one_pod(free: Resources, need: Resources) -> None:
    count = slots(free, need)

    for _ in range(count):
        assert slots(free, need) == count
        free, count = minus(free, need), count - 1
    assert slots(free, need) == 0


@given(one=amounts, other=amounts)
def test_what_is_added_can_be_taken_away(one: Resources, other: Resources) -> None:
    assert minus(plus(one, other), other) == one


def test_a_node_that_is_overcommitted_has_no_slots() -> None:
    assert slots(minus(amount(2), amount(8)), amount(1)) == 0


def test_every_resource_counts() -> None:
    free = amount(8, cpu=16, memory_gib=64, pods=3)

    assert slots(free, amount(2, cpu=2, memory_gib=8)) == 3
    assert slots(free, amount(2, cpu=9, memory_gib=8)) == 1
    assert slots(free, amount(2, cpu=2, memory_gib=40)) == 1
    assert slots(free, replace(amount(2), gpus=(("amd.com/gpu", 1),))) == 0


def deployment(**container: object) -> dict[str, Any]:
    return {
        "metadata": {"name": "m", "namespace": "ns", "labels": {}},
        "spec": {
            "replicas": 3,
            "template": {
                "metadata": {"labels": {"serving.qwen3.dev/plan-hash": "abc"}},
                "spec": {"containers": [container]},
            },
        },
    }


def test_a_demand_is_read_from_a_deployment() -> None:
    found = demand_of(
        deployment(
            resources={
                "requests": {"cpu": "1500m", "memory": "2Gi", "nvidia.com/gpu": "2"},
                "limits": {"memory": "2Gi", "nvidia.com/gpu": "2"},
            }
        )
    )

    assert (found.key, found.replicas, found.plan_hash) == (Key("ns", "m"), 3, "abc")
    assert found.per_pod == Resources((("nvidia.com/gpu", 2),), 1500, 2 * 2**30, 1)


def test_a_limit_without_a_request_is_the_request() -> None:
    found = demand_of(deployment(resources={"limits": {"cpu": 2, "memory": "1Gi"}}))

    assert found.per_pod == Resources((), 2000, 2**30, 1)


SHORTAGE = Shortage(
    resource="nvidia.com/gpu",
    gpus_per_replica=4,
    missing_replicas=2,
    nodes=3,
    gpus_total=24,
    gpus_free=5,
    gpus_free_on_one_node=3,
    gpus_promised=0,
    other_resource="",
    holders=(Holder("qwen3-8b", 8), Holder("pod trainer", 4)),
    other_holders=2,
    other_gpus=7,
    position=1,
    waiting=4,
)


@pytest.mark.parametrize(
    ("shortage", "words"),
    [
        pytest.param(SHORTAGE, "2 of 3 replicas wait, each for 4 x nvidia.com/gpu", id="who"),
        pytest.param(
            SHORTAGE, "3 nodes of the pool have 5 of 24 free, at most 3 on one node", id="where"
        ),
        pytest.param(
            SHORTAGE,
            "Held by qwen3-8b (8), pod trainer (4), 2 workloads of other namespaces (7).",
            id="own namespace by name, others as a count",
        ),
        pytest.param(SHORTAGE, "Position 1 of 4 in the queue.", id="queue"),
        pytest.param(
            replace(SHORTAGE, missing_replicas=3), "All 3 replicas wait, each for", id="all"
        ),
        pytest.param(
            replace(SHORTAGE, other_resource="memory"),
            "where GPUs are free, memory is not",
            id="not GPUs but memory",
        ),
        pytest.param(
            replace(SHORTAGE, gpus_promised=6),
            "6 are promised to pods that are being placed",
            id="promised",
        ),
        pytest.param(
            replace(SHORTAGE, nodes=0),
            "No node of the pool takes pods now: all are cordoned, NotReady or gone.",
            id="no node",
        ),
        pytest.param(
            replace(SHORTAGE, holders=tuple(Holder(f"h{i}", 1) for i in range(9))),
            "h4 (1), 4 more here (4)",
            id="many holders",
        ),
    ],
)
def test_a_shortage_is_told_with_numbers(shortage: Shortage, words: str) -> None:
    verdict = explain(3, shortage)

    assert verdict.reason is Reason.INSUFFICIENT_GPU
    assert words in verdict.message


def test_a_single_replica_is_told_as_one() -> None:
    verdict = explain(1, replace(SHORTAGE, missing_replicas=1))

    assert verdict.message.startswith("The replica waits for 4 x nvidia.com/gpu on one node.")


def test_a_quota_is_told_by_its_name() -> None:
    quota = "gpus (requests.nvidia.com/gpu: 6 of 8 used)"
    verdict = explain(1, replace(SHORTAGE, missing_replicas=1, quota=quota))

    assert verdict.reason is Reason.QUOTA_EXCEEDED
    assert quota in verdict.message
