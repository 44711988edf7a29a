"""Keeps the pods of replicas over several nodes together: lifts their gate, takes them back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from qwen3_operator.cluster.applying import NOT_FOUND
from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.gangs import (
    Act,
    Gang,
    next_step,
    replicas_of,
    say_held,
    to_replace,
)
from qwen3_operator.decisions.topology import DEFAULT_KEYS, nearest_domain
from qwen3_operator.decisions.workloads import is_group
from qwen3_operator.desired.groups import is_placed_by_others
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import GROUP_GATE, LEADER_WORKER_SET, WAITING_FOR_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.caches import Caches
    from qwen3_operator.decisions.admission import Admission
    from qwen3_operator.decisions.gangs import Step
    from qwen3_operator.decisions.topology import Domain
    from qwen3_operator.observed import Key, Manifest, Node, Pod
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment

log = logging.getLogger(__name__)

PODS = "/api/v1/namespaces/{}/pods/{}"

CONFLICTS = frozenset({NOT_FOUND, 409, 422})
"""The pod is gone, is another one by now, or has changed: the watch will tell."""

RESTART_FIRST_S = 10.0
RESTART_MOST_S = 300.0
"""A replica whose ranks crash is started anew after pauses that double, as the kubelet does with a
container."""

CALM_S = 600.0
"""A replica that ran for so long begins again with the first pause."""


@dataclass(frozen=True, slots=True)
class Tended:
    """How it stands with the replicas of a resource.

    Attributes:
        held: by replica, why its gate stays.
        again_s: when to look again; None: when something happens.
    """

    held: Mapping[str, str] = field(default_factory=dict)
    again_s: float | None = None

    def told(self, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        """Return the pods, those that are held with the reason as their problem."""
        if not self.held:
            return pods
        return tuple(
            replace(pod, problem=WAITING_FOR_GROUP, problem_message=self.held[pod.group])
            if pod.group in self.held and GROUP_GATE in pod.gates
            else pod
            for pod in pods
        )


@dataclass(slots=True)
class Crashes:
    """How often a replica was started anew in a row, and when last."""

    count: int
    last: datetime


class Room(Protocol):
    """What the ledger knows of the nodes (:class:`qwen3_operator.ledger.Ledger`)."""

    def lift(self, key: Key, uids: Collection[str]) -> bool:
        """Say whether these gated pods all find their nodes; they then count as placed."""

    def places(self, key: Key) -> int:
        """Count the further pods of a resource that would find their nodes."""

    def room_by_node(self, key: Key) -> Mapping[str, int]:
        """Return how many of its pods each node has room for."""

    def nodes(self) -> Iterable[Node]:
        """Return the nodes."""


class Ganging:
    """Does for each replica what :mod:`qwen3_operator.decisions.gangs` says is to be done."""

    def __init__(  # noqa: PLR0913, PLR0917 - one part each
        self,
        writer: Writer,
        caches: Caches,
        ledger: Room,
        held: set[Key],
        now: Callable[[], datetime],
        limit_s: float,
        near: Sequence[str] = DEFAULT_KEYS,
    ) -> None:
        """Prepare.

        Args:
            writer: lifts gates and deletes pods.
            caches: know the pods.
            ledger: knows what is free.
            held: collects the resources that are to be looked at when that changes.
            now: the time.
            limit_s: how long a replica may be bound in part.
            near: labels of nodes that say what is near, the nearest first.
        """
        self._writer = writer
        self._caches = caches
        self._ledger = ledger
        self._held = held
        self._now = now
        self._limit_s = limit_s
        self._near = near
        self._crashes: dict[tuple[Key, str], Crashes] = {}

    def forget(self, key: Key) -> None:
        """Forget a resource that is gone, or whose replicas have one node each."""
        self._held.discard(key)
        for known in [known for known in self._crashes if known[0] == key]:
            del self._crashes[known]

    async def tend(
        self, key: Key, resource: Qwen3Deployment, workload: Manifest, admission: Admission
    ) -> Tended:
        """Bring every replica of a resource forward.

        Where Kueue or a gang scheduler sees to it that all pods of a replica are placed together,
        our gate only waits until all are there.

        Args:
            key: of the resource.
            resource: as parsed.
            workload: what runs its replicas, as desired.
            admission: of its replicas.

        Raises:
            ClusterError: the API server could not do it now.
        """
        if not is_group(workload):
            self.forget(key)
            return Tended()
        if not admission.may_apply:  # what runs is of another template, and goes on
            return Tended()
        demand = demand_of(workload)
        gang = Gang(
            size=demand.group_size,
            plan_hash=demand.plan_hash,
            restarts_itself=workload["kind"] == LEADER_WORKER_SET,
            limit_s=self._limit_s,
        )
        judges_room = not is_placed_by_others(resource)
        return await self._tend(key, gang, admission.replicas, judges_room=judges_room)

    async def _tend(self, key: Key, gang: Gang, wanted: int, *, judges_room: bool) -> Tended:
        replicas = replicas_of(self._caches.observe(key, "").pods)
        held: dict[str, str] = {}
        again: list[float] = []
        for group, members in replicas.items():
            step = next_step(members, gang, self._now())
            if step.act is Act.LIFT and judges_room and not self._may_lift(key, step.pods):
                held[group] = say_held(members, self._ledger.places(key))
                continue
            pause_s = self._pause_s(key, group, step)
            if pause_s > 0:
                again.append(pause_s)
                continue
            if step.again_s is not None:
                again.append(step.again_s)
            await self._do(key, group, step)
        await self._do(key, "", to_replace(replicas, gang, wanted))
        (self._held.add if held else self._held.discard)(key)
        return Tended(held, min(again, default=None))

    def _may_lift(self, key: Key, pods: Sequence[Pod]) -> bool:
        return self._ledger.lift(key, {pod.uid for pod in pods})

    def _pause_s(self, key: Key, group: str, step: Step) -> float:
        """Return how long a replica whose ranks crash still waits to be started anew."""
        if step.act is not Act.RESTART:
            return 0.0
        known = self._crashes.get((key, group))
        if known is None or not any(pod.restarts for pod in step.pods):
            return 0.0
        passed_s = (self._now() - known.last).total_seconds()
        pause_s = min(RESTART_MOST_S, RESTART_FIRST_S * 2.0 ** (known.count - 1))
        return max(0.0, pause_s - passed_s)

    def _count_crash(self, key: Key, group: str) -> None:
        known, now = self._crashes.get((key, group)), self._now()
        if known is None or (now - known.last).total_seconds() > CALM_S:
            known = self._crashes[key, group] = Crashes(0, now)
        known.count += 1
        known.last = now

    async def _do(self, key: Key, group: str, step: Step) -> None:
        if step.act is Act.NOTHING:
            return
        if step.act is Act.LIFT:
            domain = self._domain(key, len(step.pods))
            for pod in step.pods:
                await self._lift(pod, domain)
        else:
            if step.act is Act.RESTART:
                self._count_crash(key, group)
            for pod in step.pods:
                await self._delete(pod)
        names = ", ".join(pod.name for pod in step.pods)
        log.info("%s: %s %s", key, SAID[step.act], names)

    def _domain(self, key: Key, size: int) -> Domain | None:
        """Choose where a replica stands near together; None: anywhere."""
        room = self._ledger.room_by_node(key)
        nodes = [node for node in self._ledger.nodes() if node.name in room]
        return nearest_domain(nodes, room, size, self._near)

    async def _lift(self, pod: Pod, domain: Domain | None) -> None:
        """Take the gate away; only behind one may a pod still be told where to go."""
        place = pod.gates.index(GROUP_GATE)
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": pod.uid},
            {"op": "test", "path": f"/spec/schedulingGates/{place}/name", "value": GROUP_GATE},
            {"op": "remove", "path": f"/spec/schedulingGates/{place}"},
        ]
        if domain is not None:
            operations.append(_select(pod, domain))
        try:
            answer = await self._writer.patch(PODS.format(pod.namespace, pod.name), operations)
        except ClusterError as error:
            if error.status not in CONFLICTS:
                raise
        else:
            self._caches.take([answer])

    async def _delete(self, pod: Pod) -> None:
        try:
            await self._writer.delete_at(PODS.format(pod.namespace, pod.name), pod.uid)
        except ClusterError as error:
            if error.status not in CONFLICTS:
                raise


def _select(pod: Pod, domain: Domain) -> dict[str, Any]:
    if not pod.has_node_selector:
        value = {domain.key: domain.value}
        return {"op": "add", "path": "/spec/nodeSelector", "value": value}
    name = domain.key.replace("~", "~0").replace("/", "~1")
    return {"op": "add", "path": f"/spec/nodeSelector/{name}", "value": domain.value}


SAID = {
    Act.LIFT: "lifted the gate of",
    Act.RELEASE: "took back, bound in part for too long,",
    Act.RESTART: "started anew with its replica",
    Act.REPLACE: "replaced by today's template",
}
"""What was done, for the log."""
