from __future__ import annotations

from typing import Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.kubernetes import node_group, read_node
from support.controlplane.nodes import (
    A100_SXM_80GB,
    H100_SXM_80GB,
    L40S,
    RTX_4090,
    Accelerator,
    NodeSpec,
    make_node,
)

CATALOG = load_catalog()


def node(
    labels: dict[str, str] | None = None,
    allocatable: dict[str, Any] | None = None,
    capacity: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a bare Node: eight healthy H100, as its labels say."""
    wanted = {
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.count": "8",
        "nvidia.com/gpu.compute.major": "9",
        "nvidia.com/gpu.compute.minor": "0",
    } | (labels or {})
    offered = {"cpu": "128", "memory": "1056Gi", "nvidia.com/gpu": "8"} | (allocatable or {})
    return {
        "metadata": {"name": "gpu-1", "labels": {k: v for k, v in wanted.items() if v}},
        "status": {
            "allocatable": {k: v for k, v in offered.items() if v},
            "capacity": capacity or offered,
        },
    }


@pytest.mark.parametrize(
    ("accelerator", "gpus", "name", "interconnect"),
    [
        (H100_SXM_80GB, 8, "H100-SXM-80GB", "nvlink"),
        (A100_SXM_80GB, 4, "A100-SXM-80GB", "nvlink"),
        (RTX_4090, 2, "RTX-4090-24GB", "pcie"),
        (L40S, 1, "L40S-48GB", "pcie"),
    ],
)
def test_the_nodes_of_the_test_bed_are_what_they_say(
    accelerator: Accelerator, gpus: int, name: str, interconnect: str
) -> None:
    reading = read_node(make_node(NodeSpec("n", accelerator, gpus)), CATALOG)

    assert (reading.reason, reading.notes) == ("", ())
    assert reading.group is not None
    assert reading.group.accelerator == CATALOG.accelerator(name)
    assert reading.group.accelerators_per_node == gpus
    assert reading.group.interconnect == interconnect


def test_a_node_keeps_its_name_host_resources_and_labels() -> None:
    group = node_group(node(), CATALOG)

    assert group is not None
    assert (group.name, group.count, group.cpu) == ("gpu-1", 1, 128.0)
    assert group.memory_bytes == 1056 * 2**30
    assert group.labels["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"


def test_the_label_that_changes_by_itself_is_dropped() -> None:
    first = node_group(node({"nvidia.com/gfd.timestamp": "1"}), CATALOG)
    second = node_group(node({"nvidia.com/gfd.timestamp": "2"}), CATALOG)

    assert first == second
    assert first is not None
    assert "nvidia.com/gfd.timestamp" not in first.labels


@pytest.mark.parametrize("gpus", [{}, {"nvidia.com/gpu": "0"}])
def test_a_node_without_gpus_is_none_without_a_word(gpus: dict[str, str]) -> None:
    bare = {"metadata": {"name": "cpu-1"}, "status": {"allocatable": {"cpu": "4", **gpus}}}

    reading = read_node(bare, CATALOG)

    assert (reading.group, reading.reason) == (None, "")


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({"nvidia.com/gpu.product": "NVIDIA-L40S-SHARED"}, id="suffix"),
        pytest.param({"nvidia.com/gpu.replicas": "4"}, id="replicas"),
        pytest.param({"nvidia.com/gpu.sharing-strategy": "time-slicing"}, id="time-slicing"),
        pytest.param({"nvidia.com/gpu.sharing-strategy": "mps"}, id="mps"),
    ],
)
def test_shared_gpus_are_refused_with_the_reason(labels: dict[str, str]) -> None:
    reading = read_node(node(labels), CATALOG)

    assert reading.group is None
    assert "shared" in reading.reason


def test_a_renamed_shared_resource_is_refused_too() -> None:
    reading = read_node(
        node(
            {},
            {"nvidia.com/gpu": "", "nvidia.com/gpu.shared": "32"},
            {"nvidia.com/gpu.shared": "32"},
        ),
        CATALOG,
    )

    assert reading.group is None
    assert "nvidia.com/gpu.shared" in reading.reason


def test_a_label_of_a_strategy_alone_makes_no_slices() -> None:
    assert node_group(node({"nvidia.com/mig.strategy": "single"}), CATALOG) is not None


def test_unhealthy_gpus_are_left_out_and_noted() -> None:
    reading = read_node(node({}, {"nvidia.com/gpu": "6"}, {"nvidia.com/gpu": "8"}), CATALOG)

    assert reading.group is not None
    assert reading.group.accelerators_per_node == 6
    assert reading.notes == ("2 of its 8 nvidia.com/gpu are unhealthy",)


def test_a_node_whose_gpus_are_all_unhealthy_says_so() -> None:
    reading = read_node(node({}, {"nvidia.com/gpu": "0"}, {"nvidia.com/gpu": "8"}), CATALOG)

    assert reading.group is None
    assert reading.reason == "none of its 8 nvidia.com/gpu is healthy"


def test_a_kubelet_and_a_label_that_disagree_are_noted() -> None:
    reading = read_node(node({"nvidia.com/gpu.count": "4"}), CATALOG)

    assert reading.notes == ("label nvidia.com/gpu.count says 4, the kubelet 8",)


def test_an_unknown_product_is_planned_with_what_its_labels_tell() -> None:
    labels = {
        "nvidia.com/gpu.product": "NVIDIA-RTX-4500-Ada-Generation",
        "nvidia.com/gpu.memory": "24570",
        "nvidia.com/gpu.compute.major": "8",
        "nvidia.com/gpu.compute.minor": "9",
    }

    reading = read_node(node(labels), CATALOG)

    assert reading.group is not None
    row = reading.group.accelerator
    assert (row.name, row.memory_mib) == ("RTX-4500-Ada-Generation-24GB", 24570)
    assert (row.compute_capability, row.architecture) == ((8, 9), "ada")
    assert 23500 < row.usable_memory_mib < 24570
    assert row.memory_gb_per_s == 272.0
    assert "not in the catalog" in reading.notes[0]


def test_a_known_product_with_another_memory_is_planned_with_what_the_node_shows() -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-L40S", "nvidia.com/gpu.memory": "49140"}

    reading = read_node(node(labels), CATALOG)

    assert reading.group is not None
    assert (reading.group.accelerator.name, reading.group.accelerator.memory_mib) == (
        "L40S-48GB",
        49140,
    )
    assert "49140 MiB" in reading.notes[0]


@pytest.mark.parametrize("gone", ["nvidia.com/gpu.memory", "nvidia.com/gpu.compute.major"])
def test_an_unknown_product_without_its_labels_is_refused(gone: str) -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-New", gone: ""}

    reading = read_node(node(labels), CATALOG)

    assert reading.group is None
    assert "nothing is known of NVIDIA-New" in reading.reason


def test_gpus_without_labels_name_what_writes_them() -> None:
    reading = read_node(node({"nvidia.com/gpu.product": ""}), CATALOG)

    assert reading.group is None
    assert "GPU Feature Discovery" in reading.reason


def test_labels_without_a_device_plugin_name_it() -> None:
    reading = read_node(node({}, {"nvidia.com/gpu": ""}, {"cpu": "8"}), CATALOG)

    assert reading.group is None
    assert "device plugin" in reading.reason


@pytest.mark.parametrize("prefix", ["amd.com", "beta.amd.com"])
def test_amd_nodes_are_read_from_their_own_labels(prefix: str) -> None:
    labels = {
        f"{prefix}/gpu.product-name": "AMD_Instinct_MI300X_OAM",
        f"{prefix}/gpu.vram": "192G",
    }
    amd = {
        "metadata": {"name": "amd-1", "labels": labels},
        "status": {"allocatable": {"amd.com/gpu": "8"}},
    }

    group = node_group(amd, CATALOG)

    assert group is not None
    assert (group.accelerator.name, group.interconnect) == ("MI300X-192GB", "xgmi")
    assert group.accelerators_per_node == 8


def test_an_unknown_amd_product_says_so() -> None:
    amd = {
        "metadata": {"labels": {"amd.com/gpu.product-name": "AMD_Instinct_MI999"}},
        "status": {"allocatable": {"amd.com/gpu": "8"}},
    }

    assert read_node(amd, CATALOG).reason == "AMD_Instinct_MI999 is not in the catalog"


@pytest.mark.parametrize(
    "broken", [{}, {"metadata": None, "status": None}, {"status": {"allocatable": None}}]
)
def test_a_node_that_says_nothing_breaks_nothing(broken: dict[str, Any]) -> None:
    assert read_node(broken, CATALOG).group is None


@pytest.mark.parametrize(
    ("memory", "expected"),
    [("528280584Ki", 528280584 * 1024), ("64Gi", 64 * 2**30), (1000, 1000), ("lots", None)],
)
def test_host_memory_is_read_in_any_notation(memory: object, expected: int | None) -> None:
    group = node_group(node({}, {"memory": memory}), CATALOG)

    assert group is not None
    assert group.memory_bytes == expected
