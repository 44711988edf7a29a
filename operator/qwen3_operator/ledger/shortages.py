"""Who holds what a claim waits for: the numbers for its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import gpus_of
from qwen3_operator.decisions.shortage import Holder, Shortage, Unhealthy, missing_gpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.ledger.lanes import Lane
    from qwen3_operator.ledger.space import Space
    from qwen3_operator.observed import Key, Node


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue: 1 is next."""

    position: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """GPUs by namespace and workload on the nodes of a lane.

    Attributes:
        workloads: by namespace, then by name.
        count: of all workloads.
        gpus: of all of them.
    """

    workloads: dict[str, dict[str, int]]
    count: int
    gpus: int


class Shortages:
    """Explains shortages; what it has counted counts until a pod comes or goes."""

    def __init__(self, space: Space, *, names_all: bool = False) -> None:
        """Start with nothing counted.

        Args:
            space: whose nodes and pods count.
            names_all: whether holders of other namespaces are named, and not only counted.
        """
        self._space = space
        self._names_all = names_all
        self._holders: dict[str, list[tuple[str, str, str, int]]] = {}
        self._holdings: dict[tuple[Lane, str], Holdings] = {}

    def node_changed(self, name: str) -> None:
        """Note that pods came to a node or left it, or that it changed itself."""
        self._holders.pop(name, None)
        self._holdings.clear()

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
        holdings = self._held_in(lane, resource)
        named, others = self._named(holdings, key)
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
                for name, gpus in sorted(named.items(), key=lambda item: (-item[1], item[0]))
            ),
            other_holders=others[0],
            other_gpus=others[1],
            position=place.position,
            waiting=place.waiting,
            quota=quota,
            accelerator=self._accelerator(lane, resource),
            gpus_missing=missing_gpus(free, wanted, missing),
            unhealthy=tuple(self._unhealthy(lane, resource)),
            nodes_to_come=sum(bool(self._space.nodes[name].to_come) for name in lane.slots),
        )

    def _named(self, holdings: Holdings, key: Key) -> tuple[dict[str, int], tuple[int, int]]:
        """Return the GPUs of holders by name, and how many others there are with how many."""
        named = dict(holdings.workloads.get(key.namespace, {}))
        others = holdings.count - len(named), holdings.gpus - sum(named.values())
        named.pop(key.name, None)  # what the resource holds itself is no reason for it to wait
        if not self._names_all:
            return named, others
        elsewhere = {
            f"{namespace}/{name}": gpus
            for namespace, workloads in holdings.workloads.items()
            if namespace != key.namespace
            for name, gpus in workloads.items()
        }
        return {**named, **elsewhere}, (0, 0)

    def _accelerator(self, lane: Lane, resource: str) -> str:
        """Name what the nodes offer under that name; empty where they differ or do not say."""
        nodes = [self._space.nodes[name] for name in lane.slots]
        names = {_offered(node, resource) for node in nodes}
        return names.pop() if len(names) == 1 else ""

    def _unhealthy(self, lane: Lane, resource: str) -> Iterator[Unhealthy]:
        for name in lane.slots:
            node = self._space.nodes[name]
            count = dict(node.unhealthy).get(resource, 0)
            if count:
                yield Unhealthy(name, count, count + gpus_of(node.allocatable, resource))

    def _held_in(self, lane: Lane, resource: str) -> Holdings:
        known = self._holdings.get((lane, resource))
        if known is None:
            workloads: dict[str, dict[str, int]] = {}
            for node in lane.slots:
                for held, namespace, name, gpus in self._holders_on(node):
                    if held == resource:
                        by_name = workloads.setdefault(namespace, {})
                        by_name[name] = by_name.get(name, 0) + gpus
            known = Holdings(
                workloads,
                count=sum(map(len, workloads.values())),
                gpus=sum(sum(by_name.values()) for by_name in workloads.values()),
            )
            self._holdings[lane, resource] = known
        return known

    def _holders_on(self, node: str) -> list[tuple[str, str, str, int]]:
        """Return (resource, namespace, workload, GPUs) of each pod with GPUs on a node."""
        known = self._holders.get(node)
        if known is None:
            known = self._holders[node] = [
                (resource, pod.namespace, pod.owner.name if pod.owner else f"pod {pod.name}", gpus)
                for pod in self._space.pods_on(node)
                for resource, gpus in pod.requests.gpus
            ]
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


def _offered(node: Node, resource: str) -> str:
    accelerators = (group.accelerator for group in node.groups)
    return next((one.name for one in accelerators if one.resource == resource), "")


def _promised(lane: Lane, resource: str) -> int:
    others = sum(other.placeable * gpus_of(other.need, resource) for other in lane.harms)
    return others + lane.unbound * gpus_of(lane.need, resource)
