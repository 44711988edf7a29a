"""What is read of pools that can grow: settings, and NodePools of Karpenter."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.provisioning import (
    UNLIMITED,
    declared_pool,
    pool_of_karpenter,
)
from qwen3_operator.errors import SpecError
from qwen3_planner.catalog.loading import load_catalog

CATALOG = load_catalog()
LABELS = {"example.com/pool": "h100"}


def test_a_declared_pool_is_what_its_hardware_says() -> None:
    pool = declared_pool(
        CATALOG,
        name="h100",
        hardware="4x8xH100-SXM-80GB",
        labels=LABELS,
        taints=("nvidia.com/gpu=present:NoSchedule",),
        cpu=192,
        memory_gib=2000,
    )

    node = pool.node
    assert (pool.name, pool.most, pool.labels) == ("h100", 4, LABELS)
    assert node.group is not None
    assert node.group.accelerator.name == "H100-SXM-80GB"
    assert dict(node.allocatable.gpus) == {"nvidia.com/gpu": 8}
    assert node.allocatable.cpu_millicores == 192_000
    assert node.allocatable.memory_bytes == 2000 * 2**30
    assert (node.taints[0].key, node.taints[0].effect) == ("nvidia.com/gpu", "NoSchedule")


def test_where_only_gpus_are_told_the_rest_is_enough() -> None:
    pool = declared_pool(CATALOG, name="a", hardware="8xL40S-48GB", labels=LABELS)

    assert pool.most == 1
    assert pool.node.allocatable.memory_bytes >= 8 * 48 * 2**30


@pytest.mark.parametrize(
    ("hardware", "taints", "said"),
    [
        ("4x8xH100", (), "growing_pools[x].hardware: 4x8xH100"),
        ("8xL40S-48GB,8xL4-24GB", (), "names several products"),
        ("RaspberryPi5-8GB", (), "is no accelerator that Kubernetes hands out"),
        ("8xL40S-48GB", ("gpu",), "growing_pools[x].taints: gpu: must be KEY=VALUE:EFFECT"),
        ("8xL40S-48GB", ("gpu=a:Never",), "allowed: NoSchedule, PreferNoSchedule, NoExecute"),
    ],
)
def test_a_mistake_names_the_pool_and_what_is_wrong(
    hardware: str, taints: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SpecError) as error:
        declared_pool(CATALOG, name="x", hardware=hardware, labels=LABELS, taints=taints)

    assert said in str(error.value)


def node_pool(
    *,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    requirements: list[dict[str, Any]] | None = None,
    limits: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "metadata": {"name": "gpus", "annotations": annotations or {}},
        "spec": {
            "template": {
                "metadata": {"labels": labels or {}},
                "spec": {
                    "requirements": requirements or [],
                    "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
                },
            },
            "limits": limits or {},
        },
    }


ANNOTATED = {"serving.qwen3.dev/hardware": "8xH100-SXM-80GB"}


def test_a_node_pool_tells_its_hardware_by_an_annotation() -> None:
    pool = pool_of_karpenter(node_pool(annotations=ANNOTATED), CATALOG)

    assert pool is not None
    assert (pool.name, pool.most) == ("NodePool gpus", UNLIMITED)
    assert pool.labels == {"karpenter.sh/nodepool": "gpus"}
    assert dict(pool.node.allocatable.gpus) == {"nvidia.com/gpu": 8}
    assert pool.node.taints[0].key == "nvidia.com/gpu"


def test_or_by_the_labels_of_gpu_feature_discovery_in_its_template() -> None:
    labels = {
        "nvidia.com/gpu.product": "NVIDIA-L40S",
        "nvidia.com/gpu.memory": "46068",
        "nvidia.com/gpu.count": "4",
    }

    pool = pool_of_karpenter(node_pool(labels=labels), CATALOG)

    assert pool is not None
    assert pool.node.group is not None
    assert pool.node.group.accelerator.name == "L40S-48GB"
    assert pool.node.group.accelerators_per_node == 4
    assert pool.labels == {**labels, "karpenter.sh/nodepool": "gpus"}


def aws(name: str, count: str = "8", memory: str = "") -> dict[str, Any]:
    told = {"instance-gpu-name": name, "instance-gpu-count": count, "instance-gpu-memory": memory}
    return node_pool(
        requirements=[
            {"key": f"karpenter.k8s.aws/{key}", "operator": "In", "values": [value]}
            for key, value in told.items()
            if value
        ]
    )


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (aws("l4", "1", "22888"), "L4-24GB"),
        (aws("h100", memory="81920"), "H100-SXM-80GB"),
        (aws("a100", memory="40960"), "A100-SXM-40GB"),
        (aws("a100", memory="81920"), "A100-SXM-80GB"),
        (aws("t4", "4"), "T4-16GB"),
        (aws("l40s", "4"), "L40S-48GB"),
    ],
)
def test_or_by_what_karpenter_says_of_instances_on_aws(raw: dict[str, Any], name: str) -> None:
    pool = pool_of_karpenter(raw, CATALOG)

    assert pool is not None
    assert pool.node.group is not None
    assert pool.node.group.accelerator.name == name
    assert "karpenter.k8s.aws/instance-gpu-name" in pool.labels


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(aws("a100"), id="a name of two sizes"),
        pytest.param(aws("l4", count=""), id="no number on AWS"),
        pytest.param(aws("x900"), id="a name nobody knows"),
        pytest.param(node_pool(), id="nothing tells"),
        pytest.param(
            node_pool(annotations={"serving.qwen3.dev/hardware": "8xH101"}), id="unknown hardware"
        ),
        pytest.param(node_pool(labels={"nvidia.com/gpu.product": "NVIDIA-L40S"}), id="no count"),
    ],
)
def test_a_node_pool_of_which_nothing_is_known_is_left_alone(raw: dict[str, Any]) -> None:
    assert pool_of_karpenter(raw, CATALOG) is None


def test_requirements_with_one_value_are_labels_of_its_nodes() -> None:
    requirements = [
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]},
        {"key": "karpenter.sh/capacity-type", "operator": "Exists"},
    ]

    pool = pool_of_karpenter(node_pool(annotations=ANNOTATED, requirements=requirements), CATALOG)

    assert pool is not None
    assert pool.labels == {"kubernetes.io/arch": "amd64", "karpenter.sh/nodepool": "gpus"}


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ({"nvidia.com/gpu": "16"}, 2),
        ({"nvidia.com/gpu": 20}, 2),
        ({"nodes": "3", "nvidia.com/gpu": "80"}, 3),
        ({"cpu": "1000"}, UNLIMITED),
        ({"nvidia.com/gpu": "many"}, UNLIMITED),
    ],
)
def test_limits_say_how_far_it_grows(limits: dict[str, Any], most: int) -> None:
    pool = pool_of_karpenter(node_pool(annotations=ANNOTATED, limits=limits), CATALOG)

    assert pool is not None
    assert pool.most == most


def test_a_price_on_the_pools_nodes_is_theirs_when_they_come() -> None:
    labels = {**LABELS, "serving.qwen3.dev/usd-per-hour": "13.72"}

    pool = declared_pool(CATALOG, name="a", hardware="2x8xL40S-48GB", labels=labels)

    assert pool.node.group is not None
    assert pool.node.group.usd_per_hour == 13.72
