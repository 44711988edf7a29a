"""The planner sees the hardware there is, however many nodes it is spread over."""

from __future__ import annotations

from dataclasses import replace

from qwen3_operator.decisions.capacity import inventory_for
from qwen3_operator.decisions.eligibility import Selector
from qwen3_operator.observed import Taint
from support.values import node, selector


def test_alike_nodes_are_one_group() -> None:
    inventory = inventory_for(Selector(), [node(f"n{i}") for i in range(5)])

    assert [group.count for group in inventory.groups] == [5]
    assert inventory.groups[0].name is None


def test_equal_clusters_give_equal_inventories_in_any_order() -> None:
    nodes = [node("a"), node("b", product="L40S-48GB", gpus=1), node("c", gpus=4), node("d")]

    first, second = inventory_for(Selector(), nodes), inventory_for(Selector(), nodes[::-1])

    assert first == second
    assert hash(first) == hash(second)


def test_cordoned_nodes_count_and_nodes_of_others_do_not() -> None:
    cordoned = replace(node("a"), schedulable=False)
    of_others = node("b", taints=(Taint("team", "x", "NoSchedule"),))
    elsewhere = node("c", labels={"zone": "b"})
    here = node("d", labels={"zone": "a"})

    assert inventory_for(Selector(), [cordoned, of_others]).groups[0].count == 1
    assert inventory_for(selector(zone="a"), [elsewhere, here]).groups[0].count == 1


def test_nodes_without_usable_gpus_are_left_out() -> None:
    assert inventory_for(Selector(), [node("cpu", gpus=0)]).groups == ()
