"""Pure: which pods a workload wants, which are its own, and which makes way first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from qwen3_operator.observed import DEPLOYMENT_LABEL, PLAN_HASH_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEPLOYMENTS = "/apis/apps/v1/deployments"
STATEFUL_SETS = "/apis/apps/v1/statefulsets"
GROUPS = "/apis/leaderworkerset.x-k8s.io/v1/leaderworkersets"
WORKLOADS = (DEPLOYMENTS, STATEFUL_SETS, GROUPS)

LWS = "leaderworkerset.sigs.k8s.io"
"""Prefix of the labels that the LeaderWorkerSet controller writes
(https://lws.sigs.k8s.io/docs/reference/labels-annotations-and-environment-variables/)."""

POD_INDEX = "apps.kubernetes.io/pod-index"
"""Label that the StatefulSet controller writes, a pod's number."""

FINISHED = frozenset({"Succeeded", "Failed"})


class Wish(NamedTuple):
    """A pod that a workload wants; without a name any will do."""

    name: str
    template: Mapping[str, Any]
    labels: Mapping[str, str]


def wishes_of(collection: str, workload: Mapping[str, Any]) -> list[Wish]:
    """Return the pods that a workload wants."""
    name, spec = workload["metadata"]["name"], workload["spec"]
    replicas = int(spec.get("replicas", 1))
    if collection == DEPLOYMENTS:
        return [Wish("", spec["template"], {})] * replicas
    if collection == STATEFUL_SETS:
        start = int((spec.get("ordinals") or {}).get("start", 0))
        numbers = range(start, start + replicas)
        return [Wish(f"{name}-{n}", spec["template"], {POD_INDEX: f"{n}"}) for n in numbers]
    group = spec["leaderWorkerTemplate"]
    size = int(group.get("size", 1))
    worker = group["workerTemplate"]
    templates = [group.get("leaderTemplate") or worker, *[worker] * (size - 1)]
    return [
        Wish(
            f"{name}-{n}" if rank == 0 else f"{name}-{n}-{rank}",
            template,
            {f"{LWS}/name": name, f"{LWS}/group-index": f"{n}", f"{LWS}/worker-index": f"{rank}"},
        )
        for n in range(replicas)
        for rank, template in enumerate(templates)
    ]


def is_its_own(collection: str, workload: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Whether a pod that stays was made for this workload."""
    about, metadata = workload["metadata"], pod["metadata"]
    labels = metadata.get("labels") or {}
    if labels.get(DEPLOYMENT_LABEL) != about["labels"][DEPLOYMENT_LABEL]:
        return False
    if "deletionTimestamp" in metadata or (pod.get("status") or {}).get("phase") in FINISHED:
        return False
    if collection == GROUPS:
        return bool(labels.get(f"{LWS}/name") == about["name"])
    if collection == STATEFUL_SETS:
        return re.fullmatch(rf"{re.escape(about['name'])}-\d+", metadata["name"]) is not None
    return str(metadata["name"]).startswith(f"{about['name']}-") and POD_INDEX not in labels


def hash_of(made: Mapping[str, Any]) -> str:
    """Return the plan hash of a pod or a template; empty without one."""
    labels = (made.get("metadata") or {}).get("labels") or {}
    return str(labels.get(PLAN_HASH_LABEL, ""))


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether its condition Ready holds."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def to_remove(
    collection: str,
    workload: Mapping[str, Any],
    wishes: Sequence[Wish],
    pods: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """Return the pods that make way now: surplus, or of an earlier template when it is their turn.

    One at a time, the others first being ready, as rolling updates without surge do; of a
    LeaderWorkerSet a whole group; of a StatefulSet that is updated OnDelete none.
    """
    hashes = {hash_of(wish.template) for wish in wishes}
    old = [pod for pod in pods if hash_of(pod) not in hashes]
    names = {wish.name for wish in wishes}
    surplus = len(pods) - len(wishes)
    if surplus > 0:
        unwanted = [pod for pod in pods if "" not in names and pod["metadata"]["name"] not in names]
        leaving = min(unwanted or old or pods, key=is_ready)
    elif surplus < 0 or _updates_on_delete(collection, workload) or not _has_turn(old, pods):
        return []
    else:
        leaving = min(old, key=is_ready)
    if collection != GROUPS:
        return [leaving]
    group = _group(leaving)
    return [pod for pod in pods if _group(pod) == group]


def _has_turn(old: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of an earlier template may go: an idle one may, others when the new answer."""
    if not all(map(is_ready, old)):
        return True
    return bool(old) and all(is_ready(pod) for pod in pods if pod not in old)


def _updates_on_delete(collection: str, workload: Mapping[str, Any]) -> bool:
    strategy = workload["spec"].get("updateStrategy") or {}
    return collection == STATEFUL_SETS and strategy.get("type") == "OnDelete"


def _group(pod: Mapping[str, Any]) -> str:
    return str((pod["metadata"].get("labels") or {}).get(f"{LWS}/group-index", ""))
