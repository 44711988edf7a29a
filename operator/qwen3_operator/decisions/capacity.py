"""What hardware the cluster has for one resource, whatever is free now: the planner's inventory.

Every node that the pods may select and tolerate counts, cordoned and NotReady ones too: a node
that is being rebooted does not make a plan infeasible.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.eligibility import belongs_to
from qwen3_planner.inventory.hardware import Inventory, NodeGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.observed import Node


def inventory_for(selector: Selector, nodes: Iterable[Node]) -> Inventory:
    """Gather the hardware for pods with this selector.

    Alike nodes become one group without name and labels, in an order that does not depend on that
    of ``nodes``: equal clusters give equal inventories.
    """
    counted: Counter[NodeGroup] = Counter()
    for node in nodes:
        if node.group is not None and belongs_to(selector, node):
            counted[replace(node.group, name=None, labels={}, count=1)] += node.group.count
    groups = (replace(group, count=count) for group, count in counted.items())
    return Inventory(tuple(sorted(groups, key=_order)))


def _order(group: NodeGroup) -> tuple[str, int, str, float, int, float]:
    return (
        group.accelerator.name,
        group.accelerators_per_node,
        group.interconnect,
        group.cpu or 0.0,
        group.memory_bytes or 0,
        group.usd_per_hour or 0.0,
    )
