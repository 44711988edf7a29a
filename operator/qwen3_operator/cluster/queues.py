"""Kueue's queues, where the cluster has Kueue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.cluster import reducing
from qwen3_operator.cluster.optional import OptionalWatch
from qwen3_operator.cluster.watching import Selection, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_operator.cluster.optional import Served
    from qwen3_operator.cluster.watching import Changed
    from qwen3_operator.decisions.queueing import LocalQueue

VERSIONS = ("v1beta2", "v1beta1")
"""Of Kueue's API, newest first."""


class Queues:
    """The LocalQueues of the namespaces that are served, and whether there is Kueue at all."""

    def __init__(
        self, served: Served, namespaces: Sequence[str], changed: Changed[LocalQueue]
    ) -> None:
        """Prepare; `changed` is told of queues, and of nothing when Kueue comes or goes."""
        self._store: Store[LocalQueue] = Store(reducing.local_queue, changed)
        self.watches = []
        for namespace in namespaces or (None,):
            newest, *older = (_selection(version, namespace) for version in VERSIONS)
            watch = OptionalWatch(served, newest, self._store, lambda: changed(None, None), older)
            self.watches.append(watch)

    @property
    def are_served(self) -> bool:
        """Whether the cluster has Kueue."""
        return any(watch.is_there for watch in self.watches)

    def within(self, namespace: str) -> list[LocalQueue]:
        """Return the queues of a namespace."""
        return [queue for queue in self._store.values() if queue.namespace == namespace]


def _selection(version: str, namespace: str | None) -> Selection:
    root = f"/apis/kueue.x-k8s.io/{version}"
    if namespace is None:
        return Selection(f"{root}/localqueues")
    return Selection(f"{root}/namespaces/{namespace}/localqueues", {}, namespace)
