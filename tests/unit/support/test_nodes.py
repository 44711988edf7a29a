"""Nodes look like those of a real GPU cluster."""

from __future__ import annotations

import pytest

from support.controlplane import (
    A100_SXM_80GB,
    DEMO_NODES,
    GPU_RESOURCE,
    GPU_TAINT,
    H100_SXM_80GB,
    L40S,
    NodeSpec,
    make_node,
)
from support.controlplane.nodes import READY_ANNOTATION, is_usable


def test_gpu_node_carries_the_labels_of_gpu_feature_discovery() -> None:
    spec = NodeSpec("n", H100_SXM_80GB, gpus=8, machine="NVIDIA-DGX-H100", labels={"zone": "a"})
    assert make_node(spec)["metadata"]["labels"] == {
        "kubernetes.io/hostname": "n",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "NVIDIA-DGX-H100",
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "nvidia.com/gpu.count": "8",
        "nvidia.com/gpu.replicas": "1",
        "nvidia.com/gpu.sharing-strategy": "none",
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.compute.major": "9",
        "nvidia.com/gpu.compute.minor": "0",
        "nvidia.com/gpu.family": "hopper",
        "nvidia.com/gpu.machine": "NVIDIA-DGX-H100",
        "nvidia.com/gpu.mode": "compute",
        "nvidia.com/mig.capable": "true",
        "nvidia.com/mig.strategy": "single",
        "nvidia.com/mps.capable": "false",
        "nvidia.com/cuda.driver-version.full": "570.124.06",
        "nvidia.com/cuda.driver-version.major": "570",
        "nvidia.com/cuda.driver-version.minor": "124",
        "nvidia.com/cuda.driver-version.revision": "06",
        "nvidia.com/cuda.runtime-version.full": "12.8",
        "nvidia.com/cuda.runtime-version.major": "12",
        "nvidia.com/cuda.runtime-version.minor": "8",
        "zone": "a",
    }


def test_every_label_value_is_one_that_kubernetes_accepts() -> None:
    for spec in DEMO_NODES:
        for value in make_node(spec)["metadata"]["labels"].values():
            assert isinstance(value, str)
            assert len(value) <= 63
            assert value.replace("-", "").replace(".", "").isalnum()


def test_cpu_node_says_nothing_about_gpus() -> None:
    node = make_node(NodeSpec("n"))
    assert not [label for label in node["metadata"]["labels"] if label.startswith("nvidia.com/")]
    assert GPU_RESOURCE not in node["status"]["allocatable"]


def test_shared_gpus_multiply_the_resource_and_mark_the_product() -> None:
    node = make_node(NodeSpec("n", L40S, gpus=2, replicas=4, sharing="time-slicing"))
    assert node["status"]["capacity"][GPU_RESOURCE] == "8"
    labels = node["metadata"]["labels"]
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-L40S-SHARED"
    assert (labels["nvidia.com/gpu.count"], labels["nvidia.com/gpu.replicas"]) == ("2", "4")


def test_taints_cordon_and_not_ready_are_carried_over() -> None:
    node = make_node(
        NodeSpec("n", L40S, gpus=1, taints=(GPU_TAINT,), unschedulable=True, ready=False)
    )
    assert node["spec"]["unschedulable"] is True
    assert node["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]
    assert node["metadata"]["annotations"][READY_ANNOTATION] == "false"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"gpus": 2}, id="GPUs of no kind"),
        pytest.param({"accelerator": L40S}, id="a kind but no GPUs"),
        pytest.param({"accelerator": L40S, "gpus": 1, "replicas": 2}, id="shared in no way"),
    ],
)
def test_impossible_nodes_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="go together"):
        NodeSpec("n", **fields)  # type: ignore[arg-type]


def test_demo_nodes_are_those_of_the_readme() -> None:
    gpus = [(s.accelerator.product, s.gpus) for s in DEMO_NODES if s.accelerator]
    assert gpus.count((H100_SXM_80GB.product, 8)) == 2
    assert gpus.count((A100_SXM_80GB.product, 4)) == 1
    assert gpus.count(("NVIDIA-GeForce-RTX-4090", 2)) == 2
    assert gpus.count((L40S.product, 1)) == 1
    assert [s.name for s in DEMO_NODES if s.accelerator is None] == ["cpu-0"]
    assert len({s.name for s in DEMO_NODES}) == len(DEMO_NODES) == 7


@pytest.mark.parametrize(
    ("ready", "taints", "usable"),
    [
        pytest.param("True", [], True, id="ready"),
        pytest.param("True", ["nvidia.com/gpu"], True, id="a GPU taint is no fault"),
        pytest.param("True", ["node.kubernetes.io/not-ready"], False, id="not yet released"),
        pytest.param("False", [], False, id="not ready"),
    ],
)
def test_node_is_usable_when_ready_and_released(
    ready: str, taints: list[str], *, usable: bool
) -> None:
    node = {
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
    }
    assert is_usable(node) is usable
