"""What a change in the cluster means: which books are kept, which resources are looked at again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.caches import Listeners, owner_of
from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.workloads import is_workload
from qwen3_operator.ledger.growing import Growing
from qwen3_operator.observed import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qwen3_operator.cluster.reducing import OwnPod, PriorityClass
    from qwen3_operator.decisions.admission import Demand
    from qwen3_operator.decisions.growth import GrowingPool
    from qwen3_operator.decisions.queueing import LocalQueue
    from qwen3_operator.handlers.queue import WorkQueue
    from qwen3_operator.ledger import Ledger
    from qwen3_operator.observed import Manifest, Node, Pod, Quota

GATHER_S = 0.1
"""Changes of children and pods come in bursts (a rollout makes a dozen in a second): look once."""

HARDWARE_GATHER_S = 1.0
"""Nodes come and go in groups, and each concerns every resource."""

SETTLE_S = 0.02
"""GPUs that become free together are given away together."""

WAITING_REFRESH_S = 10.0
"""How old the numbers in the status of a waiting resource may be: position, holders, free GPUs."""


GONE, POD, SHARED = "gone", "pod", "shared"
"""Stand for the version of what is not written by us, and so is always news."""


class Listener:
    """Feeds the ledger with every change and the queue with every key it touches."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        ledger: Ledger,
        known: Callable[[], Iterator[Key]],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """Prepare; `known` iterates over all resources, `later` calls back after seconds."""
        self.growing = Growing(ledger)
        self.leading = False
        self.waiting: set[Key] = set()
        self.held: set[Key] = set()
        self._queue = queue
        self._ledger = ledger
        self._known = known
        self._later = later
        self._meanwhile: dict[Key, set[str]] = {}
        self._settle_planned = False
        self._running: dict[Key, dict[str, Demand]] = {}

    def listeners(self) -> Listeners:
        """Return who is told about what."""
        return Listeners(
            node=self._node,
            node_pool=self._node_pool,
            local_queue=self._local_queue,
            foreign_pod=self._foreign_pod,
            own_pod=self._own_pod,
            deployment=self._workload,
            service=self._service,
            quota=self._quota,
            priority_class=self._priority_class,
            shared=self._shared,
            surroundings=lambda: self._look_at_all(HARDWARE_GATHER_S),
        )

    @contextmanager
    def own_write(self, key: Key) -> Iterator[set[str]]:
        """Tell changes of our own from news, while something of this resource is written.

        The watch may show a write before its answer has come, or after. So what is seen meanwhile
        is looked at again only if its version is not among the answers, which the caller adds.
        """
        answers: set[str] = set()
        seen = self._meanwhile[key] = set()
        try:
            yield answers
        finally:
            del self._meanwhile[key]
            if seen - answers and self.leading:
                self._queue.add_after(key, GATHER_S)

    def resource(self, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        """Take a change of a resource itself."""
        changed = after or before
        if changed is None:
            return
        key = Key(changed["metadata"]["namespace"], changed["metadata"]["name"])
        if not self.leading:
            return
        if key in self._meanwhile and before and after and _wish(before) == _wish(after):
            self._meanwhile[key].add(after["metadata"]["resourceVersion"])
        else:
            self._queue.add(key)

    def _node(self, before: Node | None, after: Node | None) -> None:
        if after is not None:
            changed = self._ledger.upsert_node(after)
        else:
            changed = before is not None and self._ledger.delete_node(before.name)
        if changed:
            self._room_changed()
        if after is not None and (before is None or before.ready != after.ready):
            for key in self._ledger.owners_on(after.name):
                self._touch(key, POD)
        if self.growing.follow(before, after):
            self.capacity_changed()
        if _hardware(before) != _hardware(after):
            self._look_at_all(HARDWARE_GATHER_S)

    def _node_pool(self, before: GrowingPool | None, after: GrowingPool | None) -> None:
        """Take a change of a pool that can grow: other nodes are to come."""
        changed = before is not None and after is None and self.growing.drop(before.name)
        if after is not None:
            changed = self.growing.put(after)
        if changed:
            self.capacity_changed()
            self._look_at_all(HARDWARE_GATHER_S)

    def _local_queue(self, _before: LocalQueue | None, _after: LocalQueue | None) -> None:
        """Take a change of Kueue's queues, or that Kueue itself came or went."""
        self._look_at_all(HARDWARE_GATHER_S)

    def _foreign_pod(self, before: Pod | None, after: Pod | None) -> None:
        if after is not None:
            changed = self._ledger.upsert_pod(after)
        else:
            changed = before is not None and self._ledger.delete_pod(before.uid)
        if changed:
            self._room_changed()

    def _own_pod(self, before: OwnPod | None, after: OwnPod | None) -> None:
        self._foreign_pod(
            before.pod if before else None,
            after.pod if after and after.pod.phase not in ("Succeeded", "Failed") else None,
        )
        for own in (before, after):
            if own is not None and own.pod.owner is not None:
                self._touch(own.pod.owner, POD)

    def _workload(self, before: Manifest | None, after: Manifest | None) -> None:
        """Take a change of what runs replicas; ranks that do not lead count with their leader."""
        changed = False
        if before is not None and is_workload(before):
            self._running.get(owner_of(before), {}).pop(before["kind"], None)
        if after is not None and is_workload(after):
            self._running.setdefault(owner_of(after), {})[after["kind"]] = demand_of(after)
            changed = self._ledger.see_deployment(demand_of(after))
        elif before is not None and is_workload(before):
            changed = self._forget_workload(owner_of(before))
        if changed:
            self.capacity_changed()
        self._service(before, after)

    def _forget_workload(self, key: Key) -> bool:
        """Note that one is gone; one of another kind may have taken its place."""
        others = self._running.pop(key, None)
        if others:
            self._running[key] = others
            return self._ledger.see_deployment(next(iter(others.values())))
        return self._ledger.forget_deployment(key)

    def _service(self, before: Manifest | None, after: Manifest | None) -> None:
        child = after or before
        if child is not None:
            gone = after is None
            self._touch(owner_of(child), GONE if gone else child["metadata"]["resourceVersion"])
        if before is not None and after is not None and owner_of(before) != owner_of(after):
            self._touch(owner_of(before), GONE)

    def _quota(self, before: Quota | None, after: Quota | None) -> None:
        if after is not None:
            changed = self._ledger.upsert_quota(after)
        else:
            changed = before is not None and self._ledger.delete_quota(
                before.namespace, before.name
            )
        if changed:
            self.capacity_changed()

    def _priority_class(self, _before: PriorityClass | None, _after: PriorityClass | None) -> None:
        self._look_at_all(HARDWARE_GATHER_S)

    def _shared(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._touch(key, SHARED)

    def _touch(self, key: Key, version: str) -> None:
        if key in self._meanwhile:
            self._meanwhile[key].add(version)
        elif self.leading:
            self._queue.add_after(key, GATHER_S)

    def _look_at_all(self, delay_s: float) -> None:
        if self.leading:
            for key in self._known():
                self._queue.add_after(key, delay_s)

    def _room_changed(self) -> None:
        """Have those look again of whom a replica over several nodes waits with all its pods."""
        self.capacity_changed()
        if self.leading:
            for key in self.held:
                self._queue.add_after(key, GATHER_S)

    def capacity_changed(self) -> None:
        """Plan one pass over those who wait, however many changes come until then."""
        if self.leading and not self._settle_planned:
            self._settle_planned = True
            self._later(SETTLE_S, self._settle)

    def _settle(self) -> None:
        """Give away what is free, first come first; tell the others where they stand now."""
        self._settle_planned = False
        for key in self._ledger.settle():
            self._queue.add(key)
        for key in self.waiting:
            self._queue.add_after(key, WAITING_REFRESH_S)


def _wish(body: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a user says: everything but the status and what follows from writing it."""
    metadata = body["metadata"]
    said = ("uid", "generation", "labels", "annotations", "deletionTimestamp")
    return tuple(metadata.get(name) for name in said)


def _hardware(node: Node | None) -> Node | None:
    """Return what plans are made from: a node as if it were ready."""
    return replace(node, schedulable=True, ready=True) if node is not None else None
