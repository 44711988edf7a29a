"""Who holds what a claim waits for: the numbers for its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import Holder, Shortage, gpus_of
from qwen3_operator.observed import Resources

if TYPE_CHECKING:
    from qwen3_operator.ledger.lanes import Lane
    from qwen3_operator.ledger.space import Space
    from qwen3_operator.observed import Key


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue: 1 is next."""

    position: int
    waiting: int


class Shortages:
    """Explains shortages; keeps who holds what by node, so that a look costs little."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._holders: dict[str, dict[tuple[str, str], Resources]] = {}

    def node_changed(self, name: str) -> None:
        """Note that pods came to a node or left it."""
        self._holders.pop(name, None)

    def explain(self, key: Key, lane: Lane, missing: int, place: Place, quota: str) -> Shortage:
        """Gather the numbers.

        Args:
            key: of the resource that waits.
            lane: it waits for.
            missing: replicas that wait.
            place: in the queue.
            quota: names the quota that binds; empty where none does.
        """
        resource, wanted = max(lane.need.gpus, key=lambda gpu: gpu[1], default=("", 0))
        free = [max(0, gpus_of(self._space.free[name], resource)) for name in lane.slots]
        own, others = self._holding(key, lane, resource)
        return Shortage(
            resource=resource,
            gpus_per_replica=wanted,
            missing_replicas=missing,
            nodes=len(lane.slots),
            gpus_total=sum(
                gpus_of(self._space.nodes[name].allocatable, resource) for name in lane.slots
            ),
            gpus_free=sum(free),
            gpus_free_on_one_node=max(free, default=0),
            gpus_promised=_promised(lane, resource),
            other_resource="" if lane.total else self._other_resource(lane, resource, wanted),
            holders=tuple(
                Holder(name, gpus)
                for name, gpus in sorted(own.items(), key=lambda item: (-item[1], item[0]))
            ),
            other_holders=len(others),
            other_gpus=sum(others.values()),
            position=place.position,
            waiting=place.waiting,
            quota=quota,
        )

    def _holding(
        self, key: Key, lane: Lane, resource: str
    ) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
        """Add up GPUs by workload: of the key's namespace by name, of others by identity."""
        own: dict[str, int] = {}
        others: dict[tuple[str, str], int] = {}
        for node in lane.slots:
            for (namespace, name), amount in self._holders_on(node).items():
                gpus = gpus_of(amount, resource)
                if not gpus or (namespace, name) == key:
                    continue
                if namespace == key.namespace:
                    own[name] = own.get(name, 0) + gpus
                else:
                    others[namespace, name] = others.get((namespace, name), 0) + gpus
        return own, others

    def _holders_on(self, node: str) -> dict[tuple[str, str], Resources]:
        known = self._holders.get(node)
        if known is None:
            known = {}
            for pod in self._space.pods_on(node):
                if pod.requests.gpus:
                    name = pod.owner.name if pod.owner else f"pod {pod.name}"
                    gpus = dict(known.get((pod.namespace, name), Resources()).gpus)
                    for resource, count in pod.requests.gpus:
                        gpus[resource] = gpus.get(resource, 0) + count
                    known[pod.namespace, name] = Resources(gpus=tuple(sorted(gpus.items())))
            self._holders[node] = known
        return known

    def _other_resource(self, lane: Lane, resource: str, wanted: int) -> str:
        """Name what is short on the nodes that have enough GPUs free; empty if GPUs are."""
        for node in lane.slots:
            free = self._space.free[node]
            if gpus_of(free, resource) < wanted:
                continue
            if free.memory_bytes < lane.need.memory_bytes:
                return "memory"
            if free.cpu_millicores < lane.need.cpu_millicores:
                return "cpu"
            if free.pods < lane.need.pods:
                return "pods"
        return ""


def _promised(lane: Lane, resource: str) -> int:
    others = sum(other.placeable * gpus_of(other.need, resource) for other in lane.harms)
    return others + lane.unbound * gpus_of(lane.need, resource)
