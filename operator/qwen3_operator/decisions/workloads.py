"""What runs the replicas of a resource: one Kubernetes object, of three kinds.

Replicas of one node are a Deployment. Replicas over several nodes are a LeaderWorkerSet, or, where
the cluster has none, a StatefulSet of all leaders and one of each replica's other ranks: the former
is what counts here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.observed import (
    DEPLOYMENT,
    GROUP_SIZE,
    LEADER_WORKER_SET,
    PLAN_HASH_LABEL,
    STATEFUL_SET,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.observed import Manifest


def is_workload(child: Manifest) -> bool:
    """Whether a child runs the replicas, and says how many there are."""
    return _counts_replicas(child["kind"], child)


def workload_of(children: Mapping[tuple[str, str], Manifest]) -> Manifest | None:
    """Return what runs the replicas; None while nothing does.

    While one kind takes the place of another either will do; the later in order of kinds is taken.
    What carries our label and none of our templates is somebody else's.

    Args:
        children: live objects by (kind, name).
    """
    kinds = [name for name, child in children.items() if _counts_replicas(name[0], child)]
    chosen = max(
        kinds, key=lambda name: (bool(template_hash_of(children[name])), name), default=None
    )
    return children[chosen] if chosen is not None else None


def _counts_replicas(kind: str, child: Manifest) -> bool:
    if kind == STATEFUL_SET:
        return GROUP_SIZE in (child["metadata"].get("annotations") or {})
    return kind in (DEPLOYMENT, LEADER_WORKER_SET)


def is_group(workload: Manifest | None) -> bool:
    """Whether each replica has pods on several nodes."""
    return workload is not None and workload["kind"] != DEPLOYMENT


def template_of(workload: Manifest) -> Mapping[str, Any]:
    """Return the template of the pods, of the leaders where a replica has several."""
    spec = workload["spec"]
    if workload.get("kind") == LEADER_WORKER_SET:
        group = spec["leaderWorkerTemplate"]
        template: Mapping[str, Any] = group.get("leaderTemplate") or group["workerTemplate"]
        return template
    plain: Mapping[str, Any] = spec["template"]
    return plain


def template_hash_of(workload: Manifest | None) -> str:
    """Return the plan hash of what a workload makes now; empty without one."""
    if workload is None:
        return ""
    labels = (template_of(workload).get("metadata") or {}).get("labels") or {}
    return str(labels.get(PLAN_HASH_LABEL, ""))


def group_size_of(workload: Manifest) -> int:
    """Return how many pods one replica has."""
    if workload.get("kind") == LEADER_WORKER_SET:
        return int(workload["spec"]["leaderWorkerTemplate"].get("size", 1))
    annotations = (workload.get("metadata") or {}).get("annotations") or {}
    return int(annotations.get(GROUP_SIZE, 1))
