"""What hardware the cluster has for one resource, whatever is free now: the planner's inventory.

Every node that the pods may select and tolerate counts, cordoned and NotReady ones too: a node
that is being rebooted does not make a plan infeasible. Where none of them has a GPU, their CPUs
are the hardware.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.eligibility import belongs_to
from qwen3_planner.inventory.cpu_nodes import NAME_PREFIX
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.request import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.observed import Node
    from qwen3_planner.request import PlanRequest

RUNS_ON_CPU = frozenset({EngineName.AUTO, EngineName.LLAMACPP})
"""Engines that are planned on CPUs, or may turn out to be."""


def inventory_for(selector: Selector, nodes: Iterable[Node]) -> Inventory:
    """Gather the hardware for pods with this selector: GPUs, and CPUs only where there are none.

    A node that offers GPUs which cannot be planned (their labels are missing) is no CPU: somebody
    who has GPUs does not mean to compute beside them. Alike nodes become one group without name
    and labels, in an order that does not depend on that of ``nodes``: equal clusters give equal
    inventories.
    """
    possible = [node for node in nodes if belongs_to(selector, node)]
    found = [one for node in possible for one in (node.group, *node.slices) if one is not None]
    if not found and not any(node.note or node.allocatable.gpus for node in possible):
        found = [node.cpu for node in possible if node.cpu is not None]
    counted: Counter[NodeGroup] = Counter()
    for group in found:
        counted[replace(group, name=None, labels={}, count=1)] += group.count
    groups = (replace(group, count=count) for group, count in counted.items())
    return Inventory(tuple(sorted(groups, key=_order)))


def is_cpu(accelerator: str) -> bool:
    """Whether a plan's accelerator is the CPU of a node.

    >>> is_cpu("CPU-arm64-7.5GB"), is_cpu("H100-SXM-80GB")
    (True, False)
    """
    return accelerator.startswith(NAME_PREFIX)


def without_cpus(
    inventory: Inventory, request: PlanRequest, running: Mapping[str, Any] | None
) -> Inventory:
    """Leave CPUs out where they are not meant: GPUs are named, the engine needs some, or had some.

    A model whose GPUs are gone waits for others; on a CPU it would answer a hundred times slower.

    Args:
        inventory: of the resource.
        request: what it asks for.
        running: ``status.plan`` if it is a feasible plan.
    """
    if not inventory.groups or not is_cpu(inventory.groups[0].accelerator.name):
        return inventory
    placement = (running or {}).get("placement", {}).get("accelerator", NAME_PREFIX)
    if request.engine in RUNS_ON_CPU and not request.accelerators and is_cpu(placement):
        return inventory
    return Inventory(())


def _order(group: NodeGroup) -> tuple[str, int, str, float, int, float]:
    return (
        group.accelerator.name,
        group.accelerators_per_node,
        group.interconnect,
        group.cpu or 0.0,
        group.memory_bytes or 0,
        group.usd_per_hour or 0.0,
    )
