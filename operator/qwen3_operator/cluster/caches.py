"""Everything that is watched beside the resource itself, and one resource's share of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from qwen3_operator.cluster import reducing
from qwen3_operator.cluster.around import Around
from qwen3_operator.cluster.complaints import FAILED_CREATE, Complaints
from qwen3_operator.cluster.devices import NOTHING_MORE, Devices
from qwen3_operator.cluster.optional import OptionalWatch, Served
from qwen3_operator.cluster.queues import Queues
from qwen3_operator.cluster.watching import Selection, Store, Watch
from qwen3_operator.decisions.creation import creation_failure, newest
from qwen3_operator.decisions.failures import on_its_node
from qwen3_operator.decisions.workloads import is_group, workload_of
from qwen3_operator.desired import kinds
from qwen3_operator.desired.groups import Form
from qwen3_operator.observed import (
    CACHE_LABEL,
    DEPLOYMENT_LABEL,
    LEADER_WORKER_SET,
    STATEFUL_SET,
    CreationFailure,
    Fetcher,
    Key,
    Node,
    Observed,
    Pod,
    Prefetch,
    Quota,
    Volume,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qwen3_operator.cluster.devices import Hardware
    from qwen3_operator.cluster.reducing import Grouping, OwnPod, PriorityClass
    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.cluster.watching import Changed
    from qwen3_operator.decisions.growth import GrowingPool
    from qwen3_operator.decisions.queueing import LocalQueue
    from qwen3_operator.observed import Manifest

K = TypeVar("K")
T = TypeVar("T")

OURS = {"labelSelector": DEPLOYMENT_LABEL}
"""Objects that carry our label."""

CACHES = {"labelSelector": CACHE_LABEL}
"""Jobs that fill shared caches, and their pods."""

FOREIGN_PODS = {
    "fieldSelector": "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed",
    "labelSelector": f"!{DEPLOYMENT_LABEL}",
}
"""Other people's pods that hold something on a node."""


def _untold(_before: object, _after: object, /) -> None:
    """Tell nobody: of kinds that not everybody follows."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told about changes, kind by kind."""

    node: Changed[Node]
    foreign_pod: Changed[Pod]
    own_pod: Changed[OwnPod]
    deployment: Changed[Manifest]
    service: Changed[Manifest]
    quota: Changed[Quota]
    priority_class: Changed[PriorityClass]
    shared: Callable[[Iterable[Key]], None]
    """Told of resources whose shared cache changed: its claim, its Job, or a pod of that."""
    node_pool: Changed[GrowingPool] = _untold
    local_queue: Changed[LocalQueue] = _untold
    surroundings: Callable[[], None] = field(default=lambda: None)
    """Told when an API around the models came or went, or a Gateway changed."""


class Caches:
    """The stores, the watches that feed them, and an index of what belongs to whom."""

    def __init__(
        self,
        api: Api,
        namespaces: Sequence[str],
        grouping: Grouping,
        listeners: Listeners,
        hardware: Hardware = NOTHING_MORE,
    ) -> None:
        """Make stores and watches; :meth:`run` starts them.

        Nodes, priority classes and other people's pods are read from the whole cluster, the rest
        from the namespaces that are served (all, where none is named).
        """
        self._listeners = listeners
        self._pods: dict[Key, dict[str, OwnPod]] = {}
        self._children: dict[Key, dict[tuple[str, str], Manifest]] = {}
        served = Served(api)
        self.devices = Devices(served, hardware.with_devices, listeners.node, listeners.foreign_pod)
        self.nodes: Store[Node] = Store(
            partial(reducing.node, grouping=grouping), self.devices.node
        )
        self.foreign_pods: Store[Pod] = Store(reducing.foreign_pod, listeners.foreign_pod)
        self.own_pods: Store[OwnPod] = Store(reducing.own_pod, self._own_pod_changed)
        self.deployments: Store[Manifest] = Store(
            partial(reducing.child, api_version="apps/v1", kind="Deployment"),
            partial(self._child_changed, listeners.deployment),
        )
        self.stateful_sets: Store[Manifest] = Store(
            partial(reducing.child, api_version="apps/v1", kind=STATEFUL_SET),
            partial(self._child_changed, listeners.deployment),
        )
        self.leader_worker_sets: Store[Manifest] = Store(
            partial(
                reducing.child,
                api_version=kinds.LEADER_WORKER_SET.api_version,
                kind=LEADER_WORKER_SET,
            ),
            partial(self._child_changed, listeners.deployment),
        )
        self.services: Store[Manifest] = Store(
            partial(reducing.child, api_version="v1", kind="Service"),
            partial(self._child_changed, listeners.service),
        )
        self.around = Around(
            served,
            namespaces,
            OURS,
            partial(self._child_changed, listeners.service),
            listeners.surroundings,
        )
        self._shared: dict[Key, dict[tuple[str, str], Volume | Prefetch]] = {}
        self._fetchers: dict[tuple[str, str], dict[str, Fetcher]] = {}
        self._named_by: dict[tuple[str, str], set[Key]] = {}
        self._names: dict[Key, set[tuple[str, str]]] = {}
        self.volumes: Store[Volume] = Store(
            reducing.volume, partial(self._shared_changed, "PersistentVolumeClaim")
        )
        self.prefetches: Store[Prefetch] = Store(
            reducing.prefetch, partial(self._shared_changed, "Job")
        )
        self.fetchers: Store[Fetcher] = Store(reducing.fetcher, self._fetcher_changed)
        self._complaints = Complaints(self._told_of_failure)
        self.creation_failures: Store[CreationFailure] = Store(
            reducing.creation_failure, self._complaints.changed
        )
        self.quotas: Store[Quota] = Store(reducing.quota, listeners.quota)
        self.priority_classes: Store[PriorityClass] = Store(
            reducing.priority_class, listeners.priority_class
        )
        self.queues = Queues(served, namespaces, listeners.local_queue)
        self.node_pools: Store[GrowingPool] = Store(hardware.node_pool, listeners.node_pool)
        self._groups: list[OptionalWatch[Manifest]] = []
        self._watches: list[Watch[Any]] = [
            OptionalWatch(served, Selection("/apis/karpenter.sh/v1/nodepools"), self.node_pools),
            Watch(api, Selection("/api/v1/nodes"), self.nodes),
            Watch(api, Selection("/api/v1/pods", FOREIGN_PODS), self.foreign_pods),
            Watch(
                api,
                Selection("/apis/scheduling.k8s.io/v1/priorityclasses"),
                self.priority_classes,
            ),
            *self.around.watches,
            *self.devices.watches,
            *self.queues.watches,
        ]
        for namespace in namespaces or (None,):
            self._watches += self._watches_within(served, namespace)

    def _watches_within(self, served: Served, namespace: str | None) -> list[Watch[Any]]:
        """Make the watches of one namespace that is served; None: of all."""
        api = served.api
        group = kinds.LEADER_WORKER_SET
        sets = _within(group.root, namespace, group.plural, OURS)
        self._groups.append(OptionalWatch(served, sets, self.leader_worker_sets))
        return [
            self._groups[-1],
            Watch(
                api,
                _within("/apis/apps/v1", namespace, "statefulsets", OURS),
                self.stateful_sets,
            ),
            Watch(api, _within("/api/v1", namespace, "pods", OURS), self.own_pods),
            Watch(api, _within("/apis/apps/v1", namespace, "deployments", OURS), self.deployments),
            Watch(api, _within("/api/v1", namespace, "services", OURS), self.services),
            Watch(api, _within("/api/v1", namespace, "resourcequotas", {}), self.quotas),
            Watch(api, _within("/api/v1", namespace, "persistentvolumeclaims", {}), self.volumes),
            Watch(api, _within("/apis/batch/v1", namespace, "jobs", CACHES), self.prefetches),
            Watch(api, _within("/api/v1", namespace, "pods", CACHES), self.fetchers),
            OptionalWatch(  # roles that somebody else keeps may leave them out
                served,
                _within("/apis/events.k8s.io/v1", namespace, "events", FAILED_CREATE),
                self.creation_failures,
            ),
        ]

    async def run(self) -> None:
        """Keep all watches going; never returns."""
        async with asyncio.TaskGroup() as tasks:
            for watch in self._watches:
                tasks.create_task(watch.run())

    async def synced(self) -> None:
        """Wait until every kind has been read once."""
        for watch in self._watches:
            await watch.synced.wait()

    @property
    def watches(self) -> Sequence[Watch[Any]]:
        """Every list and watch."""
        return self._watches

    @property
    def has_leader_worker_sets(self) -> bool:
        """Whether the cluster knows LeaderWorkerSets, in all namespaces that are served."""
        return all(watch.is_there for watch in self._groups)

    @property
    def problems(self) -> list[str]:
        """What keeps a watch from working now."""
        return [watch.problem for watch in self._watches if watch.problem]

    def observe(self, key: Key, refusal: str) -> Observed:
        """Return what is there of one resource's children."""
        pods = sorted(self._pods.get(key, {}).values(), key=_age)
        children = dict(self._children.get(key, {}))
        failures = self._complaints.within(key.namespace)
        return Observed(
            children=children,
            pods=tuple(on_its_node(pod, self.nodes.get("", pod.node or "")) for _, pod in pods),
            refusal=refusal,
            creation_failure=creation_failure(children, pods, failures),
        )

    def job_failure(self, namespace: str, job: str) -> str:
        """Return why the pods of a Job cannot be made; empty while they can."""
        made = [fetcher.created for fetcher in self.fetchers_of(namespace, job)]
        return newest(self._complaints.about(namespace, "Job", job), made)

    def workload(self, key: Key) -> Manifest | None:
        """Return what runs the replicas of a resource, as it lives; None while nothing does."""
        return workload_of(self._children.get(key, {}))

    def form(self, key: Key) -> Form:
        """Choose what runs replicas over several nodes: what runs them already stays."""
        live = self.workload(key)
        if live is not None and is_group(live):
            is_set = live["kind"] == LEADER_WORKER_SET
        else:
            is_set = self.has_leader_worker_sets
        return Form.LEADER_WORKER_SET if is_set else Form.STATEFUL_SETS

    def take(self, applied: Iterable[dict[str, Any]]) -> None:
        """Take the answers to our own writes, so that their events are no news."""
        stores: dict[str, Store[Any]] = {
            "Deployment": self.deployments,
            STATEFUL_SET: self.stateful_sets,
            LEADER_WORKER_SET: self.leader_worker_sets,
            "Pod": self.own_pods,
            "Service": self.services,
            **self.around.stores,
            "PersistentVolumeClaim": self.volumes,
            "Job": self.prefetches,
        }
        for raw in applied:
            stores[raw["kind"]].put(raw)

    def shared_by(self, key: Key) -> list[tuple[str, Volume | Prefetch]]:
        """Return the claims and Jobs of which a resource is a user, by kind."""
        return [(kind, live) for (kind, _), live in self._shared.get(key, {}).items()]

    def fetchers_of(self, namespace: str, job: str) -> list[Fetcher]:
        """Return the pods of a Job that fills a cache."""
        return list(self._fetchers.get((namespace, job), {}).values())

    def follow_claims(self, key: Key, claims: Iterable[str]) -> None:
        """Have the resource looked at whenever one of these claims changes, and no other."""
        names = {(key.namespace, claim) for claim in claims}
        before = self._names.pop(key, set())
        for name in before - names:
            self._named_by[name].discard(key)
        for name in names - before:
            self._named_by.setdefault(name, set()).add(key)
        if names:
            self._names[key] = names

    def priority(self, class_name: str | None) -> int:
        """Return the value of a PriorityClass, or of the default one."""
        if class_name is not None:
            found = self.priority_classes.get("", class_name)
            return found.value if found else 0
        return max((c.value for c in self.priority_classes.values() if c.is_default), default=0)

    def _child_changed(
        self, tell: Changed[Manifest], before: Manifest | None, after: Manifest | None
    ) -> None:
        if before is not None:
            _remove(self._children, owner_of(before), _kind_and_name(before))
        if after is not None:
            self._children.setdefault(owner_of(after), {})[_kind_and_name(after)] = after
        tell(before, after)

    def _shared_changed(
        self, kind: str, before: Volume | Prefetch | None, after: Volume | Prefetch | None
    ) -> None:
        touched: set[Key] = set()
        for one in (before, after):
            if one is not None:
                touched |= {Key(one.namespace, name) for name, _ in one.users}
                touched |= self._named_by.get((one.namespace, one.name), set())
        if before is not None:
            for name, _ in before.users:
                _remove(self._shared, Key(before.namespace, name), (kind, before.name))
        if after is not None:
            for name, _ in after.users:
                users = self._shared.setdefault(Key(after.namespace, name), {})
                users[kind, after.name] = after
        self._listeners.shared(touched)

    def _fetcher_changed(self, before: Fetcher | None, after: Fetcher | None) -> None:
        for one in (before, after):
            if one is None:
                continue
            place = (one.pod.namespace, one.job)
            pods = self._fetchers.setdefault(place, {})
            if one is after:
                pods[one.pod.name] = one
            else:
                pods.pop(one.pod.name, None)
            if not pods:
                del self._fetchers[place]
            job = self.prefetches.get(*place)
            if job is not None:
                self._listeners.shared({Key(job.namespace, name) for name, _ in job.users})

    def _told_of_failure(self, failure: CreationFailure) -> None:
        """Have those looked at whose child or Job it is, or may be made of."""
        namespace, kind, name = failure.namespace, failure.kind, failure.name
        job = self.prefetches.get(namespace, name) if kind == "Job" else None
        keys = {Key(namespace, user) for user, _ in job.users} if job is not None else set()
        for key, children in self._children.items():
            if key.namespace == namespace and any(name.startswith(one) for _, one in children):
                keys.add(key)
        self._listeners.shared(keys)

    def _own_pod_changed(self, before: OwnPod | None, after: OwnPod | None) -> None:
        if before is not None and before.pod.owner is not None:
            _remove(self._pods, before.pod.owner, before.pod.uid)
        if after is not None and after.pod.owner is not None:
            self._pods.setdefault(after.pod.owner, {})[after.pod.uid] = after
        self._listeners.own_pod(before, after)


def _age(own: OwnPod) -> tuple[str, str]:
    return own.created, own.pod.name


def owner_of(child: Manifest) -> Key:
    """Return the resource that a child belongs to, by its label."""
    metadata = child["metadata"]
    return Key(metadata["namespace"], metadata["labels"][DEPLOYMENT_LABEL])


def _kind_and_name(child: Manifest) -> tuple[str, str]:
    return child["kind"], child["metadata"]["name"]


def _remove(index: dict[Key, dict[K, T]], key: Key, entry: K) -> None:
    entries = index.get(key, {})
    entries.pop(entry, None)
    if not entries:
        index.pop(key, None)


def _within(root: str, namespace: str | None, plural: str, params: dict[str, str]) -> Selection:
    if namespace is None:
        return Selection(f"{root}/{plural}", params)
    return Selection(f"{root}/namespaces/{namespace}/{plural}", params, namespace)
