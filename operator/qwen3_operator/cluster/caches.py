"""Everything that is watched beside the resource itself, and one resource's share of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from qwen3_operator.cluster import reducing
from qwen3_operator.cluster.watching import Selection, Store, Watch
from qwen3_operator.observed import DEPLOYMENT_LABEL, Key, Node, Observed, Pod, Quota

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qwen3_operator.cluster.reducing import Grouping, OwnPod, PriorityClass
    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.cluster.watching import Changed
    from qwen3_operator.observed import Manifest

K = TypeVar("K")
T = TypeVar("T")

OURS = {"labelSelector": DEPLOYMENT_LABEL}
"""Objects that carry our label."""

FOREIGN_PODS = {
    "fieldSelector": "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed",
    "labelSelector": f"!{DEPLOYMENT_LABEL}",
}
"""Other people's pods that hold something on a node."""


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


class Caches:
    """The stores, the watches that feed them, and an index of what belongs to whom."""

    def __init__(
        self, api: Api, namespaces: Sequence[str], grouping: Grouping, listeners: Listeners
    ) -> None:
        """Make stores and watches; :meth:`run` starts them.

        Nodes, priority classes and other people's pods are read from the whole cluster, the rest
        from the namespaces that are served (all, where none is named).
        """
        self._listeners = listeners
        self._pods: dict[Key, dict[str, OwnPod]] = {}
        self._children: dict[Key, dict[tuple[str, str], Manifest]] = {}
        self.nodes: Store[Node] = Store(partial(reducing.node, grouping=grouping), listeners.node)
        self.foreign_pods: Store[Pod] = Store(reducing.foreign_pod, listeners.foreign_pod)
        self.own_pods: Store[OwnPod] = Store(reducing.own_pod, self._own_pod_changed)
        self.deployments: Store[Manifest] = Store(
            partial(reducing.child, api_version="apps/v1", kind="Deployment"),
            partial(self._child_changed, listeners.deployment),
        )
        self.services: Store[Manifest] = Store(
            partial(reducing.child, api_version="v1", kind="Service"),
            partial(self._child_changed, listeners.service),
        )
        self.quotas: Store[Quota] = Store(reducing.quota, listeners.quota)
        self.priority_classes: Store[PriorityClass] = Store(
            reducing.priority_class, listeners.priority_class
        )
        self._watches: list[Watch[Any]] = [
            Watch(api, Selection("/api/v1/nodes"), self.nodes),
            Watch(api, Selection("/api/v1/pods", FOREIGN_PODS), self.foreign_pods),
            Watch(
                api,
                Selection("/apis/scheduling.k8s.io/v1/priorityclasses"),
                self.priority_classes,
            ),
        ]
        for namespace in namespaces or (None,):
            self._watches += [
                Watch(api, _within("/api/v1", namespace, "pods", OURS), self.own_pods),
                Watch(
                    api, _within("/apis/apps/v1", namespace, "deployments", OURS), self.deployments
                ),
                Watch(api, _within("/api/v1", namespace, "services", OURS), self.services),
                Watch(api, _within("/api/v1", namespace, "resourcequotas", {}), self.quotas),
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
    def problems(self) -> list[str]:
        """What keeps a watch from working now."""
        return [watch.problem for watch in self._watches if watch.problem]

    def observe(self, key: Key, refusal: str) -> Observed:
        """Return what is there of one resource's children."""
        pods = sorted(self._pods.get(key, {}).values(), key=_age)
        return Observed(
            children=dict(self._children.get(key, {})),
            pods=tuple(own.pod for own in pods),
            refusal=refusal,
        )

    def take(self, applied: Iterable[dict[str, Any]]) -> None:
        """Take the answers to our own writes, so that their events are no news."""
        for raw in applied:
            store = self.deployments if raw["kind"] == "Deployment" else self.services
            store.put(raw)

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
