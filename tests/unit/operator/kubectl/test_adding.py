"""A node that is added is like those that are there; without one GPUs alone decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.kubectl.adding import nodes_to_add
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.hardware import Inventory
from qwen3_planner.inventory.kubernetes import read_node
from qwen3_planner.inventory.short_form import parse_hardware

CATALOG = load_catalog()
H100 = {
    "metadata": {
        "name": "h100-0",
        "labels": {
            "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
            "nvidia.com/gpu.memory": "81559",
            "nvidia.com/gpu.count": "8",
            "kubernetes.io/hostname": "h100-0",
            "rack": "r1",
        },
    },
    "spec": {
        "taints": [
            {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"},
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
        ]
    },
    "status": {"capacity": {"cpu": "192", "memory": "2Ti", "pods": "110", "nvidia.com/gpu": "8"}},
}


def added(typed: str, *known: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    return nodes_to_add(typed, parse_hardware(typed, CATALOG), known)


def test_a_node_with_the_same_accelerator_lends_what_is_not_said() -> None:
    nodes, notes = added("2x4xH100-SXM-80GB", H100)

    assert [node["metadata"]["name"] for node in nodes] == ["added-1", "added-2"]
    labels = nodes[0]["metadata"]["labels"]
    assert (labels["rack"], labels["kubernetes.io/hostname"]) == ("r1", "added-1")
    assert nodes[0]["status"]["allocatable"]["nvidia.com/gpu"] == "4"
    assert nodes[0]["status"]["allocatable"]["cpu"] == "192"
    assert [taint["key"] for taint in nodes[0]["spec"]["taints"]] == ["nvidia.com/gpu"]
    assert notes == ["Added: 2 x 4 x H100-SXM-80GB, in all else like h100-0."]


@pytest.mark.parametrize("typed", ["8xH200-SXM-141GB", "8xMI300X-192GB", "1xL4-24GB"])
def test_what_is_new_to_the_cluster_is_read_as_what_was_meant(typed: str) -> None:
    ((node,), (note,)) = added(typed, H100)

    reading = read_node(node, CATALOG)
    assert reading.group is not None, reading.reason
    assert reading.group.accelerator.name == typed.partition("x")[2]
    assert "enough CPU and memory" in note


def test_what_an_inventory_file_says_of_a_node_counts() -> None:
    (group,) = parse_hardware("8xH100-SXM-80GB", CATALOG).groups
    inventory = Inventory((replace(group, cpu=64.0, memory_bytes=2**38),))

    (node,), _ = nodes_to_add("nodes.yaml", inventory, [H100])

    assert node["status"]["allocatable"]["cpu"] == "64.0"
    assert node["status"]["allocatable"]["memory"] == str(2**38)


def test_a_machine_that_is_no_gpu_node_is_refused() -> None:
    with pytest.raises(SpecError, match="is no GPU of a node"):
        added("RaspberryPi5-8GB")
