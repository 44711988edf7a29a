"""The hardware there is, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import Accelerator


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Identical nodes.

    Attributes:
        accelerator: what each node carries.
        accelerators_per_node: GPUs the cluster has on each node (Kubernetes: allocatable).
        count: how many such nodes.
        name: the node's name when count is 1 and it has one.
        interconnect: ``nvlink``, ``pcie``, ``xgmi`` or ``unified``; between the GPUs of a node.
        cpu: cores of one node; None where not stated.
        memory_bytes: host memory of one node; None where not stated.
        labels: of the node, as far as they matter for selection.
        usd_per_hour: of one node; None where no price is known.
    """

    accelerator: Accelerator
    accelerators_per_node: int
    count: int = 1
    name: str | None = None
    interconnect: str = "pcie"
    cpu: float | None = None
    memory_bytes: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    usd_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All hardware the plan may use. Groups of one accelerator are one pool."""

    groups: tuple[NodeGroup, ...]

    @property
    def accelerators(self) -> tuple[Accelerator, ...]:
        """The different accelerators, in the order of first appearance."""
        return tuple(dict.fromkeys(group.accelerator for group in self.groups))

    def pool(self, accelerator: Accelerator) -> tuple[NodeGroup, ...]:
        """Return the groups that carry this accelerator."""
        return tuple(group for group in self.groups if group.accelerator == accelerator)
