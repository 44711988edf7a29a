"""GPUs by dynamic resource allocation: what drivers publish and claims hold, put into the books.

Both are told of as the books know them: a node with its GPUs, and a pod that holds some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.optional import OptionalWatch
from qwen3_operator.cluster.watching import Selection, Store
from qwen3_operator.decisions.devices import allocation, as_pod, device_slice
from qwen3_operator.observed import DEVICE_CLASS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qwen3_operator.cluster.optional import Served
    from qwen3_operator.cluster.watching import Changed, Watch
    from qwen3_operator.decisions.devices import Allocation, DeviceSlice
    from qwen3_operator.decisions.growth import GrowingPool
    from qwen3_operator.observed import Node, Pod

    WithDevices = Callable[[Node, Iterable[DeviceSlice]], Node]


@dataclass(frozen=True, slots=True)
class Hardware:
    """How hardware beyond a node's own words is read.

    Attributes:
        node_pool: reads a NodePool of Karpenter.
        with_devices: says what a node is with the GPUs that a driver publishes for it.
    """

    node_pool: Callable[[dict[str, Any]], GrowingPool | None]
    with_devices: WithDevices


NOTHING_MORE = Hardware(lambda _: None, lambda node, _: node)
"""Nodes say everything."""

ROOT = "/apis/resource.k8s.io/v1"


class Devices:
    """Stores of slices, classes and claims, and what follows from them for nodes and pods."""

    def __init__(
        self, served: Served, with_devices: WithDevices, node: Changed[Node], pod: Changed[Pod]
    ) -> None:
        """Prepare; `node` and `pod` are told of what the books should know."""
        self._with_devices = with_devices
        self._tell_node = node
        self._tell_pod = pod
        self._bare: dict[str, Node] = {}
        self._told: dict[str, Node] = {}
        self._on_node: dict[str, dict[str, DeviceSlice]] = {}
        self._held: dict[str, Allocation] = {}
        self._holding: dict[str, Pod] = {}
        self.slices: Store[DeviceSlice] = Store(device_slice, self._slice_changed)
        self.classes: Store[str] = Store(_class_name, self._class_changed)
        self.claims: Store[Allocation] = Store(allocation, self._claim_changed)
        kinds: tuple[tuple[str, Store[Any]], ...] = (
            ("resourceslices", self.slices),
            ("deviceclasses", self.classes),
            ("resourceclaims", self.claims),
        )
        self.watches: list[Watch[Any]] = [
            OptionalWatch(served, Selection(f"{ROOT}/{plural}"), store) for plural, store in kinds
        ]

    def node(self, before: Node | None, after: Node | None) -> None:
        """Take a change of a node itself."""
        if after is not None:
            self._bare[after.name] = after
            self._look_at(after.name)
        elif before is not None:
            del self._bare[before.name]
            self._look_at(before.name)

    def _slice_changed(self, before: DeviceSlice | None, after: DeviceSlice | None) -> None:
        if before is not None:
            self._on_node[before.node].pop(before.name, None)
        if after is not None:
            self._on_node.setdefault(after.node, {})[after.name] = after
        for node in {one.node for one in (before, after) if one is not None}:
            self._look_at(node)

    def _class_changed(self, _before: str | None, _after: str | None) -> None:
        for node in list(self._on_node):
            self._look_at(node)

    def _claim_changed(self, before: Allocation | None, after: Allocation | None) -> None:
        if before is not None:
            del self._held[before.uid]
            self._count(before)
        if after is not None:
            self._held[after.uid] = after
            self._count(after)

    def _look_at(self, name: str) -> None:
        """Tell of a node if it is another one than before, and of what claims hold there."""
        bare, before = self._bare.get(name), self._told.pop(name, None)
        after = bare
        if bare is not None:
            published = self._on_node.get(name, {}).values() if self._has_class else ()
            after = self._told[name] = self._with_devices(bare, published)
        if before != after:
            self._tell_node(before, after)
        for held in [one for one in self._held.values() if one.node == name]:
            self._count(held)

    def _count(self, claim: Allocation) -> None:
        held, node = self._held.get(claim.uid), self._told.get(claim.node)
        before = self._holding.pop(claim.uid, None)
        after = as_pod(held, node) if held is not None and node is not None else None
        if after is not None:
            self._holding[claim.uid] = after
        if before != after:
            self._tell_pod(before, after)

    @property
    def _has_class(self) -> bool:
        return self.classes.get("", DEVICE_CLASS) is not None


def _class_name(raw: dict[str, Any]) -> str:
    return str(raw["metadata"]["name"])
