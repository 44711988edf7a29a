"""GPUs that a cluster hands out by dynamic resource allocation (DRA) instead of a device plugin.

Drivers publish a node's devices as ResourceSlices; pods ask for them by claims on a device class.
In the books such GPUs count under a name of their own, ``CLASS/ACCELERATOR``: it is in no pod's
requests, so a pod of ours carries it in an annotation, and other people's claims count as pods.
Facts: resource.k8s.io/v1 (Kubernetes 1.34 on), attributes of NVIDIA's driver
(kubernetes-sigs/dra-driver-nvidia-gpu@9593204 site/content/docs/guides/gpu-allocation).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.admission import plus
from qwen3_operator.observed import (
    DEPLOYMENT_LABEL,
    DEVICE_CLASS,
    Pod,
    Resources,
    is_claimed,
)
from qwen3_operator.quantities import ceil
from qwen3_planner.inventory.kubernetes import read_node
from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_operator.observed import Node
    from qwen3_planner.catalog.rows import Catalog


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU of a slice.

    Attributes:
        product: as the driver names it, with blanks.
        memory_mib: of the GPU.
        capability: of its CUDA cores, ``9.0.0``; empty where it is not told.
    """

    product: str
    memory_mib: int
    capability: str = ""


@dataclass(frozen=True, slots=True)
class DeviceSlice:
    """What one ResourceSlice says of a node's GPUs.

    Attributes:
        name: of the slice.
        node: whose devices they are.
        generation: of the pool of devices; slices of an older one are leftovers.
        devices: whole GPUs.
    """

    name: str
    node: str
    generation: int
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """A claim of somebody else's that holds GPUs.

    Attributes:
        uid: of the claim.
        namespace: of the claim.
        name: of the claim.
        node: where the GPUs are.
        count: of them.
    """

    uid: str
    namespace: str
    name: str
    node: str
    count: int


def device_slice(raw: Mapping[str, Any]) -> DeviceSlice | None:
    """Reduce a ResourceSlice; None unless it is about whole GPUs of one node."""
    spec = raw["spec"]
    if spec.get("driver") != DEVICE_CLASS or not spec.get("nodeName"):
        return None
    devices = tuple(_device(one) for one in spec.get("devices") or () if _is_gpu(one))
    generation = int((spec.get("pool") or {}).get("generation") or 0)
    return DeviceSlice(raw["metadata"]["name"], spec["nodeName"], generation, devices)


def _is_gpu(raw: Mapping[str, Any]) -> bool:
    kind = (raw.get("attributes") or {}).get("type") or {}
    return kind.get("string") == "gpu"


def _device(raw: Mapping[str, Any]) -> Device:
    attributes, capacity = raw.get("attributes") or {}, raw.get("capacity") or {}
    return Device(
        product=(attributes.get("productName") or {}).get("string", ""),
        memory_mib=ceil((capacity.get("memory") or {}).get("value", 0)) // MIB,
        capability=(attributes.get("cudaComputeCapability") or {}).get("version", ""),
    )


def allocation(raw: Mapping[str, Any]) -> Allocation | None:
    """Reduce a ResourceClaim; None unless somebody else's claim holds GPUs of one node."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    if DEPLOYMENT_LABEL in (metadata.get("labels") or {}):
        return None  # counts by its pod
    allocated = status.get("allocation") or {}
    results = (allocated.get("devices") or {}).get("results") or ()
    count = sum(one.get("driver") == DEVICE_CLASS for one in results)
    node = _node_of(allocated.get("nodeSelector") or {})
    if not count or not node:
        return None
    return Allocation(metadata["uid"], metadata["namespace"], metadata["name"], node, count)


def _node_of(selector: Mapping[str, Any]) -> str:
    """Return the one node that a selector is about; empty where it is about more."""
    for term in selector.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and len(field.get("values") or ()) == 1:
                return str(field["values"][0])
    return ""


def with_devices(node: Node, slices: Iterable[DeviceSlice], catalog: Catalog) -> Node:
    """Return the node with the GPUs that a driver publishes for it.

    A node whose GPUs a device plugin offers keeps those: requests for them are served either way.
    GPUs of several products on one node are left alone.
    """
    published = list(slices)
    newest = max((one.generation for one in published), default=0)
    devices = [gpu for one in published if one.generation == newest for gpu in one.devices]
    if node.group is not None or node.slices or not devices or len(set(devices)) > 1:
        return node
    group = read_node(_as_raw(node.name, devices), catalog).group
    if group is None:
        return node
    accelerator = replace(group.accelerator, resource=f"{DEVICE_CLASS}/{group.accelerator.name}")
    offered = Resources(gpus=((accelerator.resource, len(devices)),))
    return replace(
        node,
        allocatable=plus(node.allocatable, offered),
        group=replace(
            group,
            accelerator=accelerator,
            labels={},
            cpu=node.allocatable.cpu_millicores / 1000,
            memory_bytes=node.allocatable.memory_bytes,
        ),
        note="",
        products=(devices[0].product,),
    )


def _as_raw(name: str, devices: list[Device]) -> dict[str, Any]:
    """Write devices as the node that GPU Feature Discovery and a device plugin would make."""
    first = devices[0]
    major, _, rest = first.capability.partition(".")
    labels = {
        "nvidia.com/gpu.product": first.product.replace(" ", "-"),
        "nvidia.com/gpu.memory": str(first.memory_mib),
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": rest.partition(".")[0],
    }
    told = {label: value for label, value in labels.items() if value not in ("", "0")}
    status = {"allocatable": {"nvidia.com/gpu": str(len(devices))}}
    return {"metadata": {"name": name, "labels": told}, "status": status}


def as_pod(held: Allocation, node: Node) -> Pod | None:
    """Say a claim as a pod that holds its GPUs, for the books; None where they are not counted."""
    resource = node.group.accelerator.resource if node.group else ""
    if not is_claimed(resource):
        return None
    return Pod(
        uid=f"claim/{held.uid}",
        namespace=held.namespace,
        name=held.name,
        owner=None,
        node=held.node,
        requests=Resources(gpus=((resource, held.count),)),
        phase="Running",
    )
