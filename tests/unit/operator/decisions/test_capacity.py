"""The planner sees the hardware there is, however many nodes it is spread over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.decisions.capacity import inventory_for, without_cpus
from qwen3_operator.decisions.eligibility import Requirement, Selector, Term
from qwen3_operator.observed import Node, Taint
from qwen3_planner.request import EngineName, PlanRequest
from support.values import node, selector

if TYPE_CHECKING:
    from qwen3_planner.inventory.hardware import Inventory


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


def names(inventory: Inventory) -> list[str]:
    return [group.accelerator.name for group in inventory.groups]


def board(name: str, arch: str = "arm64") -> Node:
    return node(name, gpus=0, cpu=4, memory_gib=8, arch=arch)


def test_where_no_node_has_a_gpu_their_cpus_are_the_hardware() -> None:
    inventory = inventory_for(Selector(), [board("a"), board("b"), board("c", "amd64")])

    assert names(inventory) == ["CPU-amd64-8GB", "CPU-arm64-8GB"]
    assert [group.count for group in inventory.groups] == [1, 2]


@pytest.mark.parametrize(
    "with_gpus",
    [
        pytest.param(node("g"), id="GPUs"),
        pytest.param(replace(node("g"), group=None), id="GPUs that no label names"),
        pytest.param(
            replace(node("g", gpus=0), group=None, note="no device plugin"), id="GPUs not offered"
        ),
    ],
)
def test_beside_nodes_with_gpus_no_cpu_is(with_gpus: Node) -> None:
    assert not any(
        "CPU" in name for name in names(inventory_for(Selector(), [board("a"), with_gpus]))
    )


def test_a_selector_that_leaves_gpus_out_leaves_the_cpus() -> None:
    nodes = [node("g"), board("a")]

    arm64 = Selector(terms=(Term((Requirement("kubernetes.io/arch", "In", ("arm64",)),)),))

    assert names(inventory_for(arm64, nodes)) == ["CPU-arm64-8GB"]


ON_A_GPU = {"placement": {"accelerator": "L4-24GB"}}
ON_A_CPU = {"placement": {"accelerator": "CPU-arm64-8GB"}}


@pytest.mark.parametrize(
    ("engine", "running", "counts"),
    [
        (EngineName.AUTO, None, True),
        (EngineName.LLAMACPP, None, True),
        (EngineName.AUTO, ON_A_CPU, True),
        (EngineName.VLLM, None, False),
        (EngineName.SGLANG, None, False),
        (EngineName.AUTO, ON_A_GPU, False),
    ],
)
def test_cpus_count_for_who_computes_on_them_and_never_replace_gpus(
    engine: EngineName, running: dict[str, Any] | None, *, counts: bool
) -> None:
    inventory = inventory_for(Selector(), [board("a")])

    left = without_cpus(inventory, PlanRequest("Qwen3-0.6B", engine=engine), running)

    assert bool(left.groups) is counts


def test_who_names_gpus_waits_for_them() -> None:
    request = PlanRequest("Qwen3-0.6B", accelerators=("L4-24GB",))

    assert without_cpus(inventory_for(Selector(), [board("a")]), request, None).groups == ()


def test_gpus_are_never_left_out() -> None:
    inventory = inventory_for(Selector(), [node("g")])

    assert without_cpus(inventory, PlanRequest("Qwen3-0.6B"), ON_A_CPU) is inventory
