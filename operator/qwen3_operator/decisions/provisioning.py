"""What a pool that can grow is like: from the operator's settings, or a NodePool of Karpenter."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.growth import GrowingPool
from qwen3_operator.decisions.requests import resources_of
from qwen3_operator.errors import SpecError
from qwen3_operator.observed import Node, Taint
from qwen3_operator.quantities import parse as parse_quantity
from qwen3_planner.inventory.derived import interconnect_of
from qwen3_planner.inventory.hardware import NodeGroup
from qwen3_planner.inventory.kubernetes import price_in, read_node
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_planner.catalog.rows import Catalog

HARDWARE_ANNOTATION = "serving.qwen3.dev/hardware"
"""On a NodePool: what each of its nodes carries, such as ``8xH100-SXM-80GB``."""

KARPENTER_POOL_LABEL = "karpenter.sh/nodepool"
"""Karpenter writes it on every node, and knows it beforehand.
https://karpenter.sh/docs/concepts/scheduling/ (read 2026-11-23)."""

AWS_NAME = "karpenter.k8s.aws/instance-gpu-name"
AWS_COUNT = "karpenter.k8s.aws/instance-gpu-count"
AWS_MEMORY = "karpenter.k8s.aws/instance-gpu-memory"
"""Labels of Karpenter on AWS: ``l4``, pieces, MiB of one GPU as AWS counts it (22888 for an L4).
https://karpenter.sh/docs/concepts/scheduling/ (read 2026-11-23)."""

AWS_TOLERANCE = 0.05
"""AWS rounds otherwise than drivers do; sizes of one name are at least a third apart."""

SOCKET = "SXM"
"""Form of the GPUs in AWS's larger instances, where a name stands for several forms."""

PODS_PER_NODE = 110
"""The kubelet's own default."""

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
"""Of a taint."""

UNLIMITED = 10_000
"""Nodes of a pool without a limit."""

UNKNOWN_CPU, UNKNOWN_MEMORY_BYTES = 1024, 16 * 1024 * GIB
"""Of a node of which only the GPUs are told: whoever provisions it sees to the rest."""


def declared_pool(  # noqa: PLR0913 - one of each field of the setting
    catalog: Catalog,
    *,
    name: str,
    hardware: str,
    labels: Mapping[str, str],
    taints: Sequence[str] = (),
    cpu: float | None = None,
    memory_gib: float | None = None,
) -> GrowingPool:
    """Make the pool that the operator's settings declare.

    Args:
        catalog: knows the product.
        name: how messages call it.
        hardware: the most it may grow to, as ``NODESxCOUNTxPRODUCT``.
        labels: of its nodes, as far as the provisioner knows them beforehand.
        taints: of its nodes, as kubectl writes them.
        cpu: cores of one node; None: enough.
        memory_gib: of one node; None: enough.

    Raises:
        SpecError: the hardware or a taint is not of its form, or the product is unknown.
    """
    group = _only_group(hardware, catalog, f"growing_pools[{name}].hardware")
    amounts = {
        "cpu": cpu or UNKNOWN_CPU,
        "memory": int(memory_gib * GIB) if memory_gib else UNKNOWN_MEMORY_BYTES,
    }
    known = tuple(_taint(text, f"growing_pools[{name}].taints") for text in taints)
    return GrowingPool(name, _node(name, labels, known, group, amounts), group.count)


def pool_of_karpenter(raw: Mapping[str, Any], catalog: Catalog) -> GrowingPool | None:
    """Read a NodePool of Karpenter (karpenter.sh/v1); None where nothing says which GPUs it brings.

    What its nodes carry is told by the annotation :data:`HARDWARE_ANNOTATION`, else by the labels
    of GPU Feature Discovery in its template (product, memory, count). How many more nodes it may
    have follows from ``spec.limits``.
    """
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    if spec.get("replicas") is not None:
        return None  # of a fixed size: it does not grow for pods that wait
    template = spec.get("template") or {}
    labels = _labels(metadata["name"], template)
    group = _group_of(metadata, labels, catalog)
    if group is None:
        return None
    taints = tuple(
        Taint(taint["key"], taint.get("value", ""), taint["effect"])
        for taint in (template.get("spec") or {}).get("taints") or ()
    )
    name = f"NodePool {metadata['name']}"
    amounts = {"cpu": UNKNOWN_CPU, "memory": UNKNOWN_MEMORY_BYTES}
    node = _node(name, labels, taints, group, amounts)
    return GrowingPool(name, node, _most(spec.get("limits") or {}, group))


def _labels(name: str, template: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that Karpenter knows of a node beforehand."""
    wanted = (template.get("spec") or {}).get("requirements") or ()
    single = {
        one["key"]: one["values"][0]
        for one in wanted
        if one.get("operator") == "In" and len(one.get("values") or ()) == 1
    }
    given = (template.get("metadata") or {}).get("labels") or {}
    return {**single, **given, KARPENTER_POOL_LABEL: name}


def _group_of(
    metadata: Mapping[str, Any], labels: Mapping[str, str], catalog: Catalog
) -> NodeGroup | None:
    hardware = (metadata.get("annotations") or {}).get(HARDWARE_ANNOTATION)
    if hardware:
        try:
            return _only_group(hardware, catalog, HARDWARE_ANNOTATION)
        except SpecError:
            return None
    if AWS_NAME in labels:
        return _aws_group(labels, catalog)
    count = labels.get("nvidia.com/gpu.count") or labels.get("amd.com/gpu.count") or "0"
    resource = "amd.com/gpu" if "amd.com/gpu.product-name" in labels else "nvidia.com/gpu"
    offered = {"labels": labels, "name": ""}
    status = {"allocatable": {resource: count if count.isdecimal() else "0"}}
    return read_node({"metadata": offered, "status": status}, catalog).group


def _aws_group(labels: Mapping[str, str], catalog: Catalog) -> NodeGroup | None:
    """Read Karpenter's labels of AWS instances: the name of the GPU, its memory, and how many."""
    name, count = labels[AWS_NAME].lower(), labels.get(AWS_COUNT, "")
    memory = labels.get(AWS_MEMORY, "")
    rows = [row for row in catalog.accelerators if row.name.lower().split("-")[0] == name]
    if memory.isdecimal():
        rows = [row for row in rows if _is_about(row.memory_mib, int(memory))]
    rows.sort(key=lambda row: SOCKET not in row.name)
    sizes = {row.memory_mib for row in rows if _is_about(row.memory_mib, rows[0].memory_mib)}
    if not rows or not count.isdecimal() or len(sizes) < len({row.memory_mib for row in rows}):
        return None  # several sizes go by that name, and no label tells which it is
    row = rows[0]
    return NodeGroup(row, int(count), interconnect=interconnect_of(row)) if int(count) else None


def _is_about(one_mib: int, other_mib: int) -> bool:
    return abs(one_mib - other_mib) <= AWS_TOLERANCE * other_mib


def _most(limits: Mapping[str, Any], group: NodeGroup) -> int:
    """Count the nodes that the limits allow; what they do not name is not limited."""
    each = {
        "nodes": 1,
        group.accelerator.resource: group.accelerators_per_node,
    }
    found = []
    for name, amount in limits.items():
        if name in each:
            with suppress(ValueError):
                found.append(int(parse_quantity(amount)) // each[name])
    return min(found, default=UNLIMITED)


def _only_group(hardware: str, catalog: Catalog, field: str) -> NodeGroup:
    groups = parse_hardware(hardware, catalog, field=field).groups
    if len(groups) != 1:
        raise SpecError(field, hardware, "names several products: make a pool of each")
    if not groups[0].accelerator.resource:
        raise SpecError(field, hardware, "is no accelerator that Kubernetes hands out")
    return groups[0]


def _node(
    name: str,
    labels: Mapping[str, str],
    taints: tuple[Taint, ...],
    group: NodeGroup,
    amounts: Mapping[str, float],
) -> Node:
    offered = {
        **amounts,
        "pods": PODS_PER_NODE,
        group.accelerator.resource: group.accelerators_per_node,
    }
    memory = int(amounts["memory"])
    known = replace(
        group,
        name=None,
        count=1,
        labels={},
        cpu=float(amounts["cpu"]),
        memory_bytes=memory,
        usd_per_hour=price_in(labels),
    )
    return Node(
        name=name,
        labels=dict(labels),
        taints=taints,
        schedulable=True,
        allocatable=resources_of(offered),
        group=known,
    )


def _taint(text: str, field: str) -> Taint:
    """Read a taint as kubectl writes it.

    >>> _taint("nvidia.com/gpu=present:NoSchedule", "taints").effect
    'NoSchedule'
    """
    body, colon, effect = text.rpartition(":")
    key, _, value = body.partition("=")
    if not colon or not key or effect not in EFFECTS:
        raise SpecError(field, text, "must be KEY=VALUE:EFFECT", EFFECTS)
    return Taint(key, value, effect)
