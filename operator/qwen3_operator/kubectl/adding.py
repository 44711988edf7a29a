"""Pure: nodes that are not there yet, as like as possible to those that are."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from qwen3_operator.quantities import ceil
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.inventory.hardware import Inventory, NodeGroup

PRODUCT_LABELS = {"nvidia": "nvidia.com/gpu.product", "amd": "amd.com/gpu.product-name"}
MEMORY_LABELS = {"nvidia": "nvidia.com/gpu.memory", "amd": "amd.com/gpu.vram"}
COUNT_LABEL = "nvidia.com/gpu.count"
HOST_LABEL = "kubernetes.io/hostname"

PLENTY = {"cpu": "1024", "memory": "16Ti", "pods": "110"}
"""Where nobody says what a node has beside its GPUs: more than any model takes, so that GPUs alone
decide. Assumed."""


def nodes_to_add(
    typed: str, inventory: Inventory, known: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Make the nodes that are meant, and say what was assumed of them.

    A node of the cluster with the same accelerator is the model for labels, taints, CPU and memory.

    Args:
        typed: as typed, for messages.
        inventory: what it means.
        known: nodes of the cluster, as the API server has them.

    Raises:
        SpecError: it is no GPU.
    """
    made: list[dict[str, Any]] = []
    notes: list[str] = []
    taken = {node["metadata"]["name"] for node in known}
    names = (name for n in range(1, 10**6) if (name := f"added-{n}") not in taken)
    for group in inventory.groups:
        if group.accelerator.device_class is not AcceleratorClass.GPU:
            raise SpecError("--add", typed, f"{group.accelerator.name} is no GPU of a node")
        twin = _twin(group, known)
        notes.append(_assumed(group, twin))
        made += [_node(next(names), group, twin) for _ in range(group.count)]
    return made, notes


def _twin(group: NodeGroup, known: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Find a node with that accelerator; one with as many of them is preferred."""
    alike = [node for node in known if _carries(node, group.accelerator)]
    return min(
        alike,
        key=lambda n: (abs(_gpus(n, group) - group.accelerators_per_node), n["metadata"]["name"]),
        default=None,
    )


def _carries(node: Mapping[str, Any], accelerator: Accelerator) -> bool:
    labels = node["metadata"].get("labels") or {}
    product = labels.get(PRODUCT_LABELS.get(accelerator.vendor, ""), "")
    if not any(product.startswith(name) for name in accelerator.product_labels):
        return False
    memory = labels.get(MEMORY_LABELS[accelerator.vendor], "").removesuffix("G")
    if accelerator.vendor != "nvidia" or not memory.isdecimal():
        return True
    return abs(int(memory) / accelerator.memory_mib - 1) < 0.05  # noqa: PLR2004 - drivers differ by a few MiB


def _gpus(node: Mapping[str, Any], group: NodeGroup) -> int:
    return ceil((node["status"].get("capacity") or {}).get(group.accelerator.resource, 0))


def _node(name: str, group: NodeGroup, twin: Mapping[str, Any] | None) -> dict[str, Any]:
    accelerator, count = group.accelerator, str(group.accelerators_per_node)
    labels = dict(twin["metadata"].get("labels") or {}) if twin else dict(_labels(accelerator))
    labels |= {HOST_LABEL: name, **group.labels}
    if COUNT_LABEL in labels:
        labels[COUNT_LABEL] = count
    offers = dict(twin["status"].get("capacity") or {}) if twin else dict(PLENTY)
    if group.cpu is not None:
        offers["cpu"] = str(group.cpu)
    if group.memory_bytes is not None:
        offers["memory"] = str(group.memory_bytes)
    offers[accelerator.resource] = count
    about = copy.deepcopy(dict(twin["status"].get("nodeInfo") or {})) if twin else {}
    taints = [t for t in (twin["spec"].get("taints") or () if twin else ()) if _stays(t)]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints},
        "status": {
            "capacity": offers,
            "allocatable": offers,
            "nodeInfo": about,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def _stays(taint: Mapping[str, str]) -> bool:
    """Whether a taint says what a node is for, not how it is now."""
    return not taint["key"].startswith(("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"))


def _labels(accelerator: Accelerator) -> Iterator[tuple[str, str]]:
    """Write the labels that the vendor's labeller would."""
    yield PRODUCT_LABELS[accelerator.vendor], accelerator.product_labels[0]
    if accelerator.vendor == "nvidia":
        yield MEMORY_LABELS["nvidia"], str(accelerator.memory_mib)
    else:
        yield MEMORY_LABELS["amd"], f"{round(accelerator.memory_mib / 1024)}G"


def _assumed(group: NodeGroup, twin: Mapping[str, Any] | None) -> str:
    what = f"{group.count} x {group.accelerators_per_node} x {group.accelerator.name}"
    if twin is not None:
        return f"Added: {what}, in all else like {twin['metadata']['name']}."
    stated = group.cpu is not None and group.memory_bytes is not None
    rest = "" if stated else ", with enough CPU and memory (an inventory file can say how much)"
    return f"Added: {what}, without taints{rest}."
