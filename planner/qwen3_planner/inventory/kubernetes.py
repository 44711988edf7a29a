"""What a Kubernetes node offers a planner: raw Node JSON -> :class:`NodeGroup`.

Pure: nodes come as the plain JSON of the API server, so no client is needed. Labels are those of
NVIDIA's GPU Feature Discovery (``nvidia.com/gpu.*``) and of AMD's node labeller
(``amd.com/gpu.*`` and its older twin ``beta.amd.com/gpu.*``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.matching import by_product
from qwen3_planner.catalog.profiles import PRODUCT_INFIX, profile_of
from qwen3_planner.inventory.derived import interconnect_of, unknown_gpu, with_memory
from qwen3_planner.inventory.hardware import NodeGroup
from qwen3_planner.inventory.quantities import parse_quantity
from qwen3_planner.inventory.slices import RESOURCE_PREFIX, profiles_in, slice_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import Accelerator, Catalog

NVIDIA_GPU = "nvidia.com/gpu"
AMD_GPU = "amd.com/gpu"

PRICE_LABEL = "serving.qwen3.dev/usd-per-hour"
"""What one node costs, for those who set it; plans compare prices where every node has one."""

_CHANGES_BY_ITSELF = frozenset({"nvidia.com/gfd.timestamp"})
"""Labels that differ at each reading: an inventory with them would never equal itself."""

_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")

_SHARED_SUFFIX = "-SHARED"
_PARTITIONS = ("nvidia.com/mig-", "amd.com/cpx", "amd.com/spx", "amd.com/dpx", "amd.com/qpx")
_SHARED_RESOURCE = "nvidia.com/gpu.shared"
_OTHERS_TAKE = "memory that others may take cannot be planned"


@dataclass(frozen=True, slots=True)
class NodeReading:
    """What was made of one node.

    Attributes:
        group: the node as hardware; None where it has no GPU that can be planned on.
        reason: why there is no group, a sentence; empty where there is one, or where the node
            simply carries no GPU.
        notes: what is odd about the node, one sentence each.
        slices: MIG slices that it offers beside or instead of whole GPUs, a group of each profile.
    """

    group: NodeGroup | None
    reason: str = ""
    notes: tuple[str, ...] = ()
    slices: tuple[NodeGroup, ...] = ()


def read_node(node: Mapping[str, Any], catalog: Catalog) -> NodeReading:
    """Read one Node object.

    Counts are allocatable: what the kubelet offers, whoever uses it now. Cordons, taints and
    readiness are the caller's to judge.
    """
    reading = _read_whole(node, catalog)
    slices = _slices(node, catalog)
    if not slices:
        return reading
    notes = tuple(note for note in reading.notes if RESOURCE_PREFIX not in note)
    return replace(reading, reason="", notes=notes, slices=slices)


def _slices(node: Mapping[str, Any], catalog: Catalog) -> tuple[NodeGroup, ...]:
    """Return the MIG slices of a node with the strategy ``mixed``."""
    metadata, status = node.get("metadata") or {}, node.get("status") or {}
    labels: Mapping[str, str] = metadata.get("labels") or {}
    allocatable: Mapping[str, Any] = status.get("allocatable") or {}
    product = labels.get("nvidia.com/gpu.product", "")
    found = []
    for resource, profile in profiles_in(allocatable).items():
        memory_mib = _whole_number(labels.get(f"{resource}.memory"))
        accelerator = slice_of(product, profile, resource, memory_mib, catalog)
        count = _count(allocatable, resource)
        if accelerator is not None and count:
            found.append(_group(metadata, allocatable, labels, accelerator, count))
    return tuple(found)


def _read_whole(node: Mapping[str, Any], catalog: Catalog) -> NodeReading:
    metadata = node.get("metadata") or {}
    status = node.get("status") or {}
    labels: Mapping[str, str] = metadata.get("labels") or {}
    allocatable: Mapping[str, Any] = status.get("allocatable") or {}
    capacity: Mapping[str, Any] = status.get("capacity") or allocatable
    for resource, read_accelerator in ((NVIDIA_GPU, _nvidia), (AMD_GPU, _amd)):
        whole = _count(capacity, resource)
        if not max(whole, _count(allocatable, resource)):
            continue
        accelerator, reason, notes = read_accelerator(labels, catalog)
        healthy = _count(allocatable, resource)
        if accelerator is None:
            return NodeReading(None, reason)
        if healthy == 0:
            return NodeReading(None, f"none of its {whole} {resource} is healthy")
        notes += _oddities(labels, allocatable, resource, whole=whole, healthy=healthy)
        return NodeReading(_group(metadata, allocatable, labels, accelerator, healthy), "", notes)
    return NodeReading(None, _why_no_whole_gpu({**capacity, **allocatable}, labels))


def node_group(node: Mapping[str, Any], catalog: Catalog) -> NodeGroup | None:
    """Return the node as hardware, or None; :func:`read_node` says why."""
    return read_node(node, catalog).group


def _group(
    metadata: Mapping[str, Any],
    allocatable: Mapping[str, Any],
    labels: Mapping[str, str],
    accelerator: Accelerator,
    count: int,
) -> NodeGroup:
    cpu = parse_quantity(allocatable.get("cpu"))
    memory = parse_quantity(allocatable.get("memory"))
    return NodeGroup(
        accelerator=accelerator,
        accelerators_per_node=count,
        name=metadata.get("name"),
        interconnect=interconnect_of(accelerator),
        cpu=None if cpu is None else float(cpu),
        memory_bytes=None if memory is None else int(memory),
        labels={key: value for key, value in labels.items() if key not in _CHANGES_BY_ITSELF},
        usd_per_hour=price_in(labels),
    )


def price_in(labels: Mapping[str, str]) -> float | None:
    """Return what a node costs per hour by its own label; None where it does not say.

    >>> price_in({PRICE_LABEL: "32.77"}), price_in({PRICE_LABEL: "much"}), price_in({})
    (32.77, None, None)
    """
    text = labels.get(PRICE_LABEL, "")
    return float(text) if _PRICE.fullmatch(text) else None


_Read = tuple["Accelerator | None", str, tuple[str, ...]]
"""An accelerator, else the reason why not; and notes."""


def _nvidia(labels: Mapping[str, str], catalog: Catalog) -> _Read:
    product = labels.get("nvidia.com/gpu.product", "")
    if not product:
        reason = (
            f"it offers {NVIDIA_GPU} but has no label nvidia.com/gpu.product:"
            " GPU Feature Discovery (part of NVIDIA's device plugin and GPU operator) writes it"
        )
        return None, reason, ()
    shared = _sharing(labels, product)
    if shared:
        return None, shared, ()
    memory_mib = _whole_number(labels.get("nvidia.com/gpu.memory"))
    if PRODUCT_INFIX in product:
        return _nvidia_slices(product, memory_mib, catalog)
    exact = by_product(catalog.accelerators, product, memory_mib)
    if exact:
        return exact[0], "", ()
    if memory_mib is None:
        return None, f"nothing is known of {product}, and no label nvidia.com/gpu.memory tells", ()
    return _nvidia_off_catalog(labels, catalog, product, memory_mib)


def _nvidia_slices(product: str, memory_mib: int | None, catalog: Catalog) -> _Read:
    """Read the slices of a node with the strategy ``single``: all alike, offered as GPUs."""
    whole, _, text = product.partition(PRODUCT_INFIX)
    profile = profile_of(text)
    made = profile and slice_of(whole, profile, NVIDIA_GPU, memory_mib, catalog)
    if not made:
        return None, f"nothing is known of its MIG slices ({product})", ()
    return made, "", ()


def _nvidia_off_catalog(
    labels: Mapping[str, str], catalog: Catalog, product: str, memory_mib: int
) -> _Read:
    """Take a known product with another memory, else what the labels alone tell."""
    known = by_product(catalog.accelerators, product, memory_mib=None)
    if known:
        nearest = min(known, key=lambda row: abs(row.memory_mib - memory_mib))
        note = (
            f"{product} shows {memory_mib} MiB where the catalog has {nearest.memory_mib} MiB for"
            f" {nearest.name}: planned with what the node shows"
        )
        return with_memory(nearest, memory_mib), "", (note,)
    major = _whole_number(labels.get("nvidia.com/gpu.compute.major"))
    minor = _whole_number(labels.get("nvidia.com/gpu.compute.minor"))
    if major is None or minor is None:
        reason = f"nothing is known of {product}, and no label nvidia.com/gpu.compute.major tells"
        return None, reason, ()
    made = unknown_gpu(product, memory_mib, (major, minor), catalog.accelerators)
    note = (
        f"{product} is not in the catalog: memory and capability are its labels', the rest assumed"
    )
    return made, "", (note,)


def _sharing(labels: Mapping[str, str], product: str) -> str:
    """Say why shared GPUs are refused; empty where each is whole."""
    replicas = _whole_number(labels.get("nvidia.com/gpu.replicas")) or 1
    strategy = labels.get("nvidia.com/gpu.sharing-strategy", "none")
    if strategy in ("", "none") and replicas <= 1 and not product.endswith(_SHARED_SUFFIX):
        return ""
    how = "time-slicing" if strategy in ("", "none") else strategy
    return f"its GPUs are shared ({how}, {replicas} pods a GPU): {_OTHERS_TAKE}"


def _amd(labels: Mapping[str, str], catalog: Catalog) -> _Read:
    product = _amd_label(labels, "product-name")
    if not product:
        reason = (
            f"it offers {AMD_GPU} but has no label amd.com/gpu.product-name: AMD's node labeller"
            " writes it"
        )
        return None, reason, ()
    vram = _amd_label(labels, "vram").upper().removesuffix("G")
    gibibytes = _whole_number(vram)
    memory_mib = None if gibibytes is None else gibibytes * 1024
    rows = by_product(catalog.accelerators, product, memory_mib)
    if not rows:
        return None, f"{product} is not in the catalog", ()
    return rows[0], "", ()


def _amd_label(labels: Mapping[str, str], name: str) -> str:
    return labels.get(f"amd.com/gpu.{name}") or labels.get(f"beta.amd.com/gpu.{name}") or ""


def _oddities(
    labels: Mapping[str, str],
    allocatable: Mapping[str, Any],
    resource: str,
    *,
    whole: int,
    healthy: int,
) -> tuple[str, ...]:
    notes = []
    if healthy < whole:
        notes.append(f"{whole - healthy} of its {whole} {resource} are unhealthy")
    labelled = _whole_number(labels.get("nvidia.com/gpu.count"))
    if resource == NVIDIA_GPU and labelled is not None and labelled != whole:
        notes.append(f"label nvidia.com/gpu.count says {labelled}, the kubelet {whole}")
    slices = [name for name in sorted(allocatable) if name.startswith(_PARTITIONS)]
    notes += [
        f"its {_count(allocatable, name)} {name} are slices of GPUs, which are not planned"
        for name in slices
        if _count(allocatable, name)
    ]
    return tuple(notes)


def _why_no_whole_gpu(resources: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Say why a node that looks like a GPU node offers none; empty for a node without GPUs."""
    slices = [name for name in sorted(resources) if name.startswith(_PARTITIONS)]
    if any(_count(resources, name) for name in slices):
        return f"its GPUs are cut into slices ({', '.join(slices)}), which are not planned"
    if _count(resources, _SHARED_RESOURCE):
        return f"its GPUs are shared ({_SHARED_RESOURCE}): {_OTHERS_TAKE}"
    if labels.get("nvidia.com/gpu.present") == "true" or labels.get("nvidia.com/gpu.product"):
        return (
            f"its labels name a GPU, but it offers no {NVIDIA_GPU}: is the device plugin running?"
        )
    return ""


def _count(resources: Mapping[str, Any], name: str) -> int:
    return int(parse_quantity(resources.get(name)) or 0)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
