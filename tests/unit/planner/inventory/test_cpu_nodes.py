"""A node without GPUs is a CPU with so much memory; nodes of one machine type are alike."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.cpu_nodes import cpu_group
from qwen3_planner.inventory.hardware import Inventory
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import PlanRequest


def make_node(arch: str = "arm64", cpu: str = "4", memory: str = "7900Mi") -> dict[str, Any]:
    return {
        "metadata": {"name": "n", "labels": {"kubernetes.io/arch": arch}},
        "status": {"allocatable": {"cpu": cpu, "memory": memory}},
    }


def test_a_node_is_a_cpu_with_the_memory_that_the_kubelet_offers() -> None:
    group = cpu_group(make_node())

    assert group is not None
    assert group.accelerator.name == "CPU-arm64-7.5GB"
    assert group.accelerator.usable_memory_mib == 7680
    assert (group.cpu, group.accelerators_per_node) == (4.0, 1)


def test_nodes_that_differ_by_what_their_systems_keep_are_one_kind() -> None:
    sizes = ("15.8Gi", "15500Mi", "16252928Ki")

    found = {cpu_group(make_node("amd64", "8", size)).accelerator for size in sizes}  # type: ignore[union-attr]

    assert [one.name for one in found] == ["CPU-amd64-15GB"]


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(make_node("s390x"), id="no image for it"),
        pytest.param(make_node(memory="900Mi"), id="no room for any model"),
        pytest.param(make_node(cpu="500m"), id="not one core"),
        pytest.param({"metadata": {}, "status": {}}, id="it says nothing"),
    ],
)
def test_a_node_that_cannot_compute_is_none(node: dict[str, Any]) -> None:
    assert cpu_group(node) is None


def test_the_planner_chooses_llamacpp_and_a_file_that_fits_there() -> None:
    group = cpu_group(make_node(memory="3900Mi"))
    assert group is not None

    result = plan(PlanRequest("Qwen3-4B"), Inventory((group,)), load_catalog())

    assert isinstance(result, Plan)
    assert (result.engine, result.placement.accelerator) == ("llamacpp", "CPU-arm64-3.75GB")
    assert result.quantization.startswith("gguf:Q6")
    assert result.memory.host_bytes < 3900 * 2**20
