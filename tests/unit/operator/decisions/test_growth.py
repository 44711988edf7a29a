"""Nodes to come: how many, what they are like, and what is said of pods that wait for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_operator.decisions.eligibility import Selector, Toleration
from qwen3_operator.decisions.failures import explain_pod
from qwen3_operator.decisions.growth import MOST_TO_COME, GrowingPool, told_to_wait
from qwen3_operator.observed import Node, Taint
from qwen3_planner.api.reasons import Reason
from support.values import amount, node, pod, selector

POOL = GrowingPool("h100", replace(node("template"), labels={"pool": "h100"}), most=3)


def test_what_a_pool_lacks_of_its_most_is_to_come() -> None:
    coming = POOL.nodes_to_come(1)

    assert [one.name for one in coming] == ["h100/to-come-0", "h100/to-come-1"]
    assert all(one.to_come == "h100" and one.labels == {"pool": "h100"} for one in coming)
    assert POOL.nodes_to_come(3) == POOL.nodes_to_come(5) == ()


def test_a_pool_without_a_bound_is_counted_on_within_reason() -> None:
    assert len(replace(POOL, most=10_000).nodes_to_come(0)) == MOST_TO_COME


def test_a_node_is_of_the_pool_by_its_labels() -> None:
    assert POOL.has(node("a", labels={"pool": "h100"}))
    assert not POOL.has(node("a"))


WAITS = pod("w", amount(8), problem="Unschedulable", problem_message="0/3 nodes are available")
COMING = [node("there"), *POOL.nodes_to_come(1)]


def test_pods_that_no_node_takes_wait_for_nodes_and_say_whose() -> None:
    told = told_to_wait((WAITS,), Selector(), COMING)

    found = explain_pod(told[0])
    assert found is not None
    assert found[1].reason is Reason.WAITING_FOR_NODES
    assert found[1].message == (
        "The pool h100 can grow by 2 nodes that would do; the scheduler says: 0/3 nodes are"
        " available."
    )


@pytest.mark.parametrize(
    ("where", "nodes"),
    [
        pytest.param(Selector(), [node("there")], id="no pool grows"),
        pytest.param(selector(pool="a100"), COMING, id="the pool's nodes would not do"),
        pytest.param(
            Selector(),
            [replace(one, taints=(Taint("mine", "", "NoSchedule"),)) for one in COMING],
            id="its taint is not tolerated",
        ),
    ],
)
def test_without_such_a_pool_they_stay_unschedulable(where: Selector, nodes: list[Node]) -> None:
    assert told_to_wait((WAITS,), where, nodes) == (WAITS,)


def test_a_tolerated_taint_is_no_obstacle() -> None:
    nodes = [replace(one, taints=(Taint("mine", "", "NoSchedule"),)) for one in COMING]
    tolerant = selector(tolerations=(Toleration("mine", "Exists"),))

    assert told_to_wait((WAITS,), tolerant, nodes)[0].problem == "WaitingForNodes"


def test_pods_with_a_node_or_another_problem_are_left_as_they_are() -> None:
    others = (
        pod("bound", amount(8), node="there"),
        pod("gated", amount(8), problem="SchedulingGated"),
    )

    assert told_to_wait((*others, WAITS), Selector(), COMING)[:2] == others
