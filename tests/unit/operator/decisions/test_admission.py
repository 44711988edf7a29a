"""The formulas of admission."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from qwen3_operator.decisions.admission import (
    demand_of,
    minus,
    plus,
    slots,
    slots_destroyed,
)
from qwen3_operator.observed import Key, Resources
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
