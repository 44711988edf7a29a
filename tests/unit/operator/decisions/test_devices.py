"""What drivers publish and claims hold, read for the books."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.devices import (
    Allocation,
    Device,
    DeviceSlice,
    allocation,
    as_pod,
    device_slice,
    with_devices,
)
from qwen3_operator.decisions.requests import claimed
from qwen3_operator.observed import DEVICES_ANNOTATION
from qwen3_planner.catalog.loading import load_catalog
from support.values import node

CATALOG = load_catalog()
BARE = node("dra", gpus=0)
H100 = Device("NVIDIA H100 80GB HBM3", 81_559, "9.0.0")


def published(*devices: Device, generation: int = 1, name: str = "s") -> DeviceSlice:
    return DeviceSlice(name, "dra", generation, devices)


def raw_slice(**spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    gpu = {
        "name": "gpu-0",
        "attributes": {
            "type": {"string": "gpu"},
            "productName": {"string": H100.product},
            "cudaComputeCapability": {"version": H100.capability},
        },
        "capacity": {"memory": {"value": "81559Mi"}},
    }
    given = {
        "driver": "gpu.nvidia.com",
        "nodeName": "dra",
        "pool": {"generation": 3},
        "devices": [gpu],
    }
    return {"metadata": {"name": "s"}, "spec": given | spec}


def test_a_slice_tells_of_whole_gpus() -> None:
    mig = {"name": "mig", "attributes": {"type": {"string": "mig"}}}
    raw = raw_slice()
    raw["spec"]["devices"].append(mig)

    assert device_slice(raw) == DeviceSlice("s", "dra", 3, (H100,))


@pytest.mark.parametrize("spec", [{"driver": "nic.example.com"}, {"nodeName": None}])
def test_slices_of_others_or_of_no_node_are_left_alone(spec: dict[str, Any]) -> None:
    assert device_slice(raw_slice(**spec)) is None


def test_a_node_has_the_gpus_that_a_driver_publishes() -> None:
    made = with_devices(BARE, [published(H100, H100), published(H100, name="t")], CATALOG)

    assert made.group is not None
    assert made.group.accelerator.name == "H100-SXM-80GB"
    assert made.group.accelerators_per_node == 3
    assert made.group.memory_bytes == BARE.allocatable.memory_bytes
    assert made.allocatable.gpus == (("gpu.nvidia.com/H100-SXM-80GB", 3),)
    assert made.allocatable.cpu_millicores == BARE.allocatable.cpu_millicores
    assert made.products == (H100.product,)


def test_only_the_newest_generation_counts() -> None:
    old, new = published(H100, H100, generation=1), published(H100, generation=2, name="t")

    made = with_devices(BARE, [old, new], CATALOG)

    assert made.allocatable.gpus == (("gpu.nvidia.com/H100-SXM-80GB", 1),)


@pytest.mark.parametrize(
    ("bare", "slices"),
    [
        pytest.param(node("dra"), [published(H100)], id="a device plugin offers them"),
        pytest.param(BARE, [], id="nothing is published"),
        pytest.param(BARE, [published(H100, replace(H100, product="X"))], id="two products"),
        pytest.param(BARE, [published(Device("", 0))], id="nobody knows what it is"),
    ],
)
def test_else_the_node_stays_as_it_is(bare: Any, slices: list[DeviceSlice]) -> None:  # noqa: ANN401 - a table
    assert with_devices(bare, slices, CATALOG) == bare


def raw_claim(*, node_name: str = "dra", labels: dict[str, str] | None = None) -> dict[str, Any]:
    field = {"key": "metadata.name", "operator": "In", "values": [node_name]}
    results = [{"driver": "gpu.nvidia.com"}, {"driver": "gpu.nvidia.com"}, {"driver": "other"}]
    return {
        "metadata": {"uid": "u", "namespace": "n", "name": "c", "labels": labels or {}},
        "status": {
            "allocation": {
                "devices": {"results": results},
                "nodeSelector": {"nodeSelectorTerms": [{"matchFields": [field]}]},
            }
        },
    }


def test_somebody_elses_claim_holds_gpus_like_a_pod() -> None:
    held = allocation(raw_claim())
    there = with_devices(BARE, [published(H100, H100)], CATALOG)

    assert held == Allocation("u", "n", "c", "dra", 2)
    pod = as_pod(held, there)
    assert pod is not None
    assert (pod.node, pod.requests.gpus) == ("dra", (("gpu.nvidia.com/H100-SXM-80GB", 2),))
    assert as_pod(held, BARE) is None


def test_our_own_claims_count_by_their_pods() -> None:
    assert allocation(raw_claim(labels={"serving.qwen3.dev/deployment": "q"})) is None


def test_claims_without_gpus_hold_none() -> None:
    waiting = raw_claim()
    waiting["status"] = {}

    assert allocation(waiting) is None


def test_pods_of_ours_say_what_their_claims_ask_for() -> None:
    told = {DEVICES_ANNOTATION: "gpu.nvidia.com/H100-SXM-80GB=2"}
    template = {"metadata": {"annotations": told}, "spec": {"containers": []}}
    deployment = {
        "metadata": {"name": "q", "namespace": "n"},
        "spec": {"replicas": 1, "template": template},
    }

    assert demand_of(deployment).per_pod.gpus == (("gpu.nvidia.com/H100-SXM-80GB", 2),)


@pytest.mark.parametrize(
    "text", ["", "nvidia.com/gpu=2", "gpu.nvidia.com/H100-SXM-80GB", "gpu.nvidia.com/H100=many"]
)
def test_what_is_no_such_word_counts_for_nothing(text: str) -> None:
    assert claimed({DEVICES_ANNOTATION: text}) == {}
