"""Raw objects to the values of observed.py, at once and for good: a watch keeps nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qwen3_operator.cluster.pod_problems import container_statuses, problem_of
from qwen3_operator.decisions.last_words import redacted
from qwen3_operator.decisions.queueing import LocalQueue
from qwen3_operator.decisions.requests import (
    memory_limit_bytes,
    pod_requests,
    resources_of,
    unoffered,
)
from qwen3_operator.observed import (
    CACHE_LABEL,
    DEPLOYMENT_LABEL,
    GROUP_GATE,
    PLAN_HASH_LABEL,
    CreationFailure,
    Fetcher,
    Key,
    Manifest,
    Node,
    Pod,
    Prefetch,
    Quota,
    Resources,
    Taint,
    Volume,
)
from qwen3_operator.quantities import ceil
from qwen3_planner.api.v1alpha1 import KIND
from qwen3_planner.inventory.cpu_nodes import cpu_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qwen3_planner.inventory.hardware import NodeGroup

    Grouping = Callable[
        [Mapping[str, Any]], tuple[NodeGroup | None, str, *tuple[tuple[NodeGroup, ...], ...]]
    ]
    """What the planner makes of a raw node: its group or None, a note, and slices if any."""

RESTLESS_LABELS = frozenset({"nvidia.com/gfd.timestamp"})
"""Labels that change by themselves; what is built from labels must not change with them."""

QUOTA_PREFIX = "requests."
"""Quotas know no other form for extended resources."""

APPLIED_ANNOTATION = "serving.qwen3.dev/applied"
"""Fingerprint of what an object was made of (:data:`qwen3_operator.desired.labels.APPLIED`)."""

FINISHED = frozenset({"Succeeded", "Failed"})

LWS_GROUP = "leaderworkerset.sigs.k8s.io/group-index"
LWS_RANK = "leaderworkerset.sigs.k8s.io/worker-index"
"""Labels that LeaderWorkerSet (v0.9, api/leaderworkerset/v1) puts on pods."""

POD_INDEX = "apps.kubernetes.io/pod-index"
"""Label that a StatefulSet puts on pods: their number."""

GROUP_LABEL = "serving.qwen3.dev/group"
"""Label of ranks that do not lead (:data:`qwen3_operator.desired.labels.GROUP`)."""


def node(raw: Mapping[str, Any], grouping: Grouping) -> Node:
    """Reduce a Node."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    labels = metadata.get("labels") or {}
    group, note, *slices = grouping(raw)
    about = status.get("nodeInfo") or {}
    return Node(
        name=metadata["name"],
        labels={name: value for name, value in labels.items() if name not in RESTLESS_LABELS},
        taints=tuple(
            Taint(taint["key"], taint.get("value", ""), taint["effect"])
            for taint in spec.get("taints") or ()
        ),
        schedulable=not spec.get("unschedulable") and _is_ready(status),
        allocatable=resources_of(status.get("allocatable") or {}),
        group=group,
        ready=_is_ready(status),
        unhealthy=unoffered(status.get("capacity") or {}, status.get("allocatable") or {}),
        note=note,
        slices=slices[0] if slices else (),
        kubelet=about.get("kubeletVersion", ""),
        runtime=about.get("containerRuntimeVersion", ""),
        cpu=cpu_group(raw) if group is None and not note else None,
    )


class OwnPod(NamedTuple):
    """A pod of ours with what orders it among its siblings."""

    created: str
    pod: Pod


def own_pod(raw: Mapping[str, Any]) -> OwnPod:
    """Reduce a pod that carries our label; a finished one holds nothing any more."""
    reduced = pod(raw)
    return OwnPod(raw["metadata"].get("creationTimestamp") or "", reduced)


def foreign_pod(raw: Mapping[str, Any]) -> Pod | None:
    """Reduce somebody else's pod; None unless it is bound and not finished."""
    reduced = pod(raw)
    return reduced if reduced.node and reduced.phase not in FINISHED else None


def pod(raw: Mapping[str, Any]) -> Pod:
    """Reduce a pod."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    labels = metadata.get("labels") or {}
    phase = status.get("phase", "Pending")
    finished = phase in FINISHED
    owner = labels.get(DEPLOYMENT_LABEL)
    problem, message = problem_of(raw)
    group, rank = rank_of(labels)
    gates = tuple(gate["name"] for gate in spec.get("schedulingGates") or ())
    if GROUP_GATE in gates:  # whether that is a problem is our own decision
        problem, message = "", ""
    return Pod(
        uid=metadata.get("uid", ""),
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        owner=Key(metadata["namespace"], owner) if owner else None,
        node=None if finished else spec.get("nodeName") or None,
        requests=Resources() if finished else pod_requests(spec, metadata.get("annotations")),
        priority=int(spec.get("priority") or 0),
        terminating="deletionTimestamp" in metadata,
        phase=phase,
        ready=_is_ready(status),
        plan_hash=labels.get(PLAN_HASH_LABEL, ""),
        problem=problem,
        problem_message=message,
        restarts=sum(int(c.get("restartCount") or 0) for c in container_statuses(status)),
        address=status.get("podIP") or "",
        memory_limit_bytes=memory_limit_bytes(spec),
        group=group,
        rank=rank,
        gates=gates,
        bound_at=_bound_at(status),
        has_node_selector=bool(spec.get("nodeSelector")),
    )


def rank_of(labels: Mapping[str, str]) -> tuple[str, int]:
    """Return the replica that a pod belongs to and its place there; ("", 0) where it is alone.

    LeaderWorkerSet labels both. Of our own StatefulSets that of the leaders numbers the replicas,
    those of the other ranks number the ranks of the replica that their label names.
    """
    if LWS_GROUP in labels:
        return labels[LWS_GROUP], int(labels.get(LWS_RANK) or 0)
    index = labels.get(POD_INDEX, "")
    if not index or CACHE_LABEL in labels:  # an indexed Job's pods have one, too
        return "", 0
    group = labels.get(GROUP_LABEL)
    return (index, 0) if group is None else (group, int(index))


def _bound_at(status: Mapping[str, Any]) -> str:
    return next(
        (
            str(condition.get("lastTransitionTime") or "")
            for condition in status.get("conditions") or ()
            if condition["type"] == "PodScheduled" and condition["status"] == "True"
        ),
        "",
    )


def quota(raw: Mapping[str, Any]) -> Quota | None:
    """Reduce a ResourceQuota; None if it says nothing about GPUs, or only about some pods."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return None
    hard = _quota_gpus(spec.get("hard") or {})
    if not hard:
        return None
    used = dict(_quota_gpus(status.get("used") or {}))
    metadata = raw["metadata"]
    return Quota(
        namespace=metadata["namespace"],
        name=metadata["name"],
        hard=hard,
        used=tuple((name, used.get(name, 0)) for name, _ in hard),
    )


def creation_failure(raw: Mapping[str, Any]) -> CreationFailure:
    """Reduce an Event that says that a pod could not be made."""
    about = raw.get("regarding") or {}
    series = raw.get("series") or {}
    return CreationFailure(
        namespace=raw["metadata"]["namespace"],
        kind=about.get("kind", ""),
        name=about.get("name", ""),
        message=raw.get("note", ""),
        at=series.get("lastObservedTime")
        or raw.get("deprecatedLastTimestamp")
        or raw.get("eventTime")
        or raw["metadata"].get("creationTimestamp")
        or "",
    )


def volume(raw: Mapping[str, Any]) -> Volume:
    """Reduce a PersistentVolumeClaim."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    modes = status.get("accessModes") or spec.get("accessModes") or ()
    return Volume(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        phase=status.get("phase", "Pending"),
        access_modes=tuple(modes),
        users=_users(metadata),
        is_cache=CACHE_LABEL in (metadata.get("labels") or {}),
        is_going="deletionTimestamp" in metadata,
        owners=tuple(owner["uid"] for owner in metadata.get("ownerReferences") or ()),
    )


def prefetch(raw: Mapping[str, Any]) -> Prefetch:
    """Reduce a Job that fills a cache."""
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or () if c["status"] == "True"}
    failed = conditions.get("Failed", {})
    return Prefetch(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        users=_users(metadata),
        made_of=(metadata.get("annotations") or {}).get(APPLIED_ANNOTATION, ""),
        parts=int(spec.get("completions") or 1),
        parts_done=int(status.get("succeeded") or 0),
        is_complete="Complete" in conditions,
        failure=f"{failed.get('reason', '')}: {failed.get('message', '')}" if failed else "",
        failed_at=failed.get("lastTransitionTime", ""),
        is_going="deletionTimestamp" in metadata,
        owners=tuple(owner["uid"] for owner in metadata.get("ownerReferences") or ()),
    )


def fetcher(raw: Mapping[str, Any]) -> Fetcher:
    """Reduce a pod of such a Job."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    ended: Mapping[str, Any] = {}
    for container in status.get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated") or {}
    return Fetcher(
        job=metadata["labels"][CACHE_LABEL],
        pod=pod(raw),
        exit_code=ended.get("exitCode"),
        last_words=redacted(ended.get("message", "")),
        created=metadata.get("creationTimestamp") or "",
    )


def _users(metadata: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    owners = metadata.get("ownerReferences") or ()
    return tuple((o["name"], o["uid"]) for o in owners if o["kind"] == KIND)


def local_queue(raw: Mapping[str, Any]) -> LocalQueue:
    """Reduce a LocalQueue of Kueue."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    conditions: dict[str, dict[str, str]] = {c["type"]: c for c in status.get("conditions") or ()}
    active = conditions.get("Active", {})
    is_active = active.get("status", "True") == "True"
    return LocalQueue(
        namespace=metadata["namespace"],
        name=metadata["name"],
        is_active=is_active,
        why_not="" if is_active else active.get("message", ""),
    )


class PriorityClass(NamedTuple):
    """A PriorityClass by name; the default one counts for pods that name none."""

    name: str
    value: int
    is_default: bool


def priority_class(raw: Mapping[str, Any]) -> PriorityClass:
    """Reduce a PriorityClass."""
    return PriorityClass(
        raw["metadata"]["name"], int(raw.get("value") or 0), bool(raw.get("globalDefault"))
    )


def child(raw: dict[str, Any], api_version: str, kind: str) -> Manifest:
    """Reduce a child: all of it but the book-keeping of field managers.

    Items of a list do not say what they are, so it is added.
    """
    metadata = {name: value for name, value in raw["metadata"].items() if name != "managedFields"}
    return {**raw, "apiVersion": api_version, "kind": kind, "metadata": metadata}


def _quota_gpus(amounts: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Pick ``requests.<extended resource>``."""
    picked = {
        name.removeprefix(QUOTA_PREFIX): ceil(amount)
        for name, amount in amounts.items()
        if name.startswith(QUOTA_PREFIX) and "/" in name
    }
    return tuple(sorted(picked.items()))


def _is_ready(status: Mapping[str, Any]) -> bool:
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )
