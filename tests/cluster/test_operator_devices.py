"""GPUs by dynamic resource allocation: claims are made, allocated by the scheduler, and counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import NodeSpec
from support.models import SMALL
from support.room import make_pod
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster

CLASS = "gpu.nvidia.com"
API = "resource.k8s.io/v1"
ON_H200 = f"{SMALL}accelerators: [H200-SXM-141GB]\nparallelism: {{tensor: 2}}\n"


def device(index: int) -> dict[str, Any]:
    """Describe an H200 as NVIDIA's driver does."""
    return {
        "name": f"gpu-{index}",
        "attributes": {
            "type": {"string": "gpu"},
            "productName": {"string": "NVIDIA H200"},
            "cudaComputeCapability": {"version": "9.0.0"},
        },
        "capacity": {"memory": {"value": "143771Mi"}},
    }


SLICE = {
    "apiVersion": API,
    "kind": "ResourceSlice",
    "metadata": {"name": "dra-0-gpu.nvidia.com"},
    "spec": {
        "driver": CLASS,
        "nodeName": "dra-0",
        "pool": {"name": "dra-0", "generation": 1, "resourceSliceCount": 1},
        "devices": [device(index) for index in range(4)],
    },
}
DEVICE_CLASS = {
    "apiVersion": API,
    "kind": "DeviceClass",
    "metadata": {"name": CLASS},
    "spec": {"selectors": [{"cel": {"expression": f"device.driver == '{CLASS}'"}}]},
}
SQUATTERS = {
    "apiVersion": API,
    "kind": "ResourceClaim",
    "metadata": {"name": "squatters"},
    "spec": {
        "devices": {
            "requests": [{"name": "gpu", "exactly": {"deviceClassName": CLASS, "count": 2}}]
        }
    },
}


@pytest.fixture
def driver(control_plane: ControlPlane) -> Iterator[None]:
    """A node whose GPUs a driver publishes; no device plugin offers them."""
    control_plane.add_nodes(NodeSpec("dra-0", cpu=64, memory_gib=512))
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(SLICE))
    yield
    control_plane.kubectl("delete", "resourceslice", SLICE["metadata"]["name"])
    control_plane.kubectl("delete", "deviceclass", CLASS, "--ignore-not-found")
    control_plane.remove_nodes("dra-0")


def allocated(models: Models) -> list[int]:
    """Count the devices of each claim in the namespace that holds some."""
    claims = models.room.get("resourceclaims")["items"]
    found = [(claim.get("status") or {}).get("allocation") for claim in claims]
    return sorted(len(one["devices"]["results"]) for one in found if one)


def test_gpus_that_a_driver_publishes_are_claimed_and_promised_once(
    driver: None, control_plane: ControlPlane, models: Models
) -> None:
    assert driver is None
    models.apply("claiming", f"{ON_H200}replicas: 2\n")
    models.await_condition("claiming", "PlanFeasible", "False")  # there is no device class
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(DEVICE_CLASS))
    models.await_ready("claiming")

    assert models.nodes("claiming") == ["dra-0", "dra-0"]
    assert allocated(models) == [2, 2]
    pod = models.pods("claiming")[0]
    (claim,) = pod["spec"]["resourceClaims"]
    (template,) = models.room.get("resourceclaimtemplates")["items"]
    assert claim["resourceClaimTemplateName"] == template["metadata"]["name"]
    container = pod["spec"]["containers"][0]
    assert container["resources"]["claims"] == [{"name": claim["name"]}]
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    models.apply("late", ON_H200)
    message = models.await_condition("late", "Scheduled", "False", "InsufficientGPU")["message"]
    assert "claiming" in message
    assert models.children("late") == {}

    models.delete("claiming")
    models.await_ready("late")
    squatter = make_pod(
        "squatter", resourceClaims=[{"name": "g", "resourceClaimName": "squatters"}]
    )
    squatter["spec"]["containers"][0]["resources"] = {"claims": [{"name": "g"}]}
    models.room.apply(SQUATTERS, squatter)
    models.room.await_ready("squatter")
    models.room.kubectl("scale", "q3d/late", "--replicas=2")
    waiting = models.await_condition("late", "Scheduled", "False", "InsufficientGPU")
    assert "1 of 2 replicas" in waiting["message"]

    models.room.kubectl("delete", "pod", "squatter")
    models.room.kubectl("delete", "resourceclaim", "squatters")
    models.await_ready("late")
    until(lambda: allocated(models) == [2, 2], 30, lambda: f"claims held: {allocated(models)}")
    models.delete_all()
