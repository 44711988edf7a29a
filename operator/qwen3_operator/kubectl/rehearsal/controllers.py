"""What Kubernetes' own controllers make of workloads, one move at a time: pods, bound and ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from qwen3_operator.cluster.pod_problems import problem_of
from qwen3_operator.kubectl.rehearsal.scheduling import choose_node
from qwen3_operator.observed import CACHE_LABEL, DEPLOYMENT_LABEL, PLAN_HASH_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qwen3_operator.kubectl.rehearsal.world import World
    from qwen3_operator.ledger import Ledger

PODS = "/api/v1/pods"
CLAIMS = "/api/v1/persistentvolumeclaims"
JOBS = "/apis/batch/v1/jobs"
DEPLOYMENTS = "/apis/apps/v1/deployments"
STATEFUL_SETS = "/apis/apps/v1/statefulsets"
GROUPS = "/apis/leaderworkerset.x-k8s.io/v1/leaderworkersets"

LWS = "leaderworkerset.sigs.k8s.io"
"""Prefix of the labels that the LeaderWorkerSet controller writes (facts: its v0.9)."""

FINISHED = frozenset({"Succeeded", "Failed"})


class Wish(NamedTuple):
    """A pod that a workload wants."""

    name: str
    template: Mapping[str, Any]
    labels: Mapping[str, str]


class Controllers:
    """Moves the world on as the controllers of a cluster would."""

    def __init__(
        self, world: World, ledger: Ledger, priority: Callable[[str | None], int], moment: str
    ) -> None:
        """Prepare; `moment` is the time that everything happens at, RFC 3339."""
        self._world = world
        self._priority = priority
        self._ledger = ledger
        self._moment = moment
        self._made = 0

    def step(self) -> None:
        """Do everything that can be done now, each workload one move."""
        self._finish_downloads()
        for collection in (DEPLOYMENTS, STATEFUL_SETS, GROUPS):
            for workload in self._world.all(collection):
                if DEPLOYMENT_LABEL in (workload["metadata"].get("labels") or {}):
                    self._move(workload, _wishes(collection, workload))
        self._collect()
        for pod in sorted(self._waiting(), key=_queue):
            self._bind(pod)

    def evict(self, node: str) -> list[dict[str, Any]]:
        """Take the pods off a node as ``kubectl drain`` does; return those that others own.

        What a controller keeps is made again; pods of DaemonSets and of the node itself stay.
        """
        gone = []
        for pod in self._world.all(PODS):
            if pod["spec"].get("nodeName") != node or not _is_evicted(pod):
                continue
            self._world.remove(PODS, pod)
            if DEPLOYMENT_LABEL in (pod["metadata"].get("labels") or {}):
                continue
            gone.append(pod)
            if pod["metadata"].get("ownerReferences"):
                spec = {k: v for k, v in pod["spec"].items() if k != "nodeName"}
                again = {**pod, "spec": spec, "status": {"phase": "Pending"}}
                name = f"{pod['metadata']['name']}-again"
                self._world.make(PODS, again, pod["metadata"]["namespace"], name)
        return gone

    # -- workloads ----------------------------------------------------------------------------

    def _move(self, workload: dict[str, Any], wishes: list[Wish]) -> None:
        """Make one pod that is missing, or take one away that is no longer wanted."""
        pods = self._pods_of(workload)
        hashes = {_hash(wish.template) for wish in wishes}
        old = [pod for pod in pods if _hash(pod) not in hashes]
        new = [pod for pod in pods if _hash(pod) in hashes]
        surplus = len(pods) - len(wishes)
        if surplus > 0 and (old or len(new) > len(wishes)):
            leaving = sorted(old or new, key=_is_ready)
            self._world.remove(PODS, leaving[0])
        elif surplus < 0:
            self._make(workload, wishes, pods)
        elif old and (not _is_ready(min(old, key=_is_ready)) or all(map(_is_ready, new))):
            self._world.remove(PODS, min(old, key=_is_ready))
        self._tell(workload, len(wishes))

    def _make(
        self, workload: dict[str, Any], wishes: list[Wish], pods: list[dict[str, Any]]
    ) -> None:
        """Make the first pod that is wanted and not there."""
        there = {pod["metadata"]["name"] for pod in pods}
        wish = next(w for w in wishes if w.name not in there)
        metadata = dict(wish.template.get("metadata") or {})
        labels = {**(metadata.get("labels") or {}), **wish.labels}
        about = workload["metadata"]
        owner = {
            "apiVersion": workload.get("apiVersion", ""),
            "kind": workload.get("kind", ""),
            "name": about["name"],
            "uid": about.get("uid", ""),
            "controller": True,
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**metadata, "labels": labels, "ownerReferences": [owner]},
            "spec": self._with_priority(wish.template["spec"]),
            "status": {"phase": "Pending"},
        }
        self._made += 1
        name = wish.name or f"{about['name']}-rehearsed-{self._made}"
        self._world.make(PODS, pod, about["namespace"], name)

    def _with_priority(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return {**spec, "priority": self._priority(spec.get("priorityClassName"))}

    def _pods_of(self, workload: Mapping[str, Any]) -> list[dict[str, Any]]:
        about = workload["metadata"]
        owner = about["labels"][DEPLOYMENT_LABEL]
        return [
            pod
            for pod in self._world.all(PODS, about["namespace"])
            if (pod["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL) == owner
            and pod["metadata"]["name"].startswith(f"{about['name']}-")
            and (pod.get("status") or {}).get("phase") not in FINISHED
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def _tell(self, workload: dict[str, Any], wanted: int) -> None:
        """Say in a workload's status what its controller would: all is well, or it goes on."""
        ready = sum(map(_is_ready, self._pods_of(workload)))
        if ready != wanted or not wanted:
            return
        collection = _collection_of(workload, self._world)
        done = {
            "type": "Progressing",
            "status": "True",
            "reason": "NewReplicaSetAvailable",
            "message": "",
        }
        replicas = workload["spec"].get("replicas", 1)
        counts = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
        status = {
            **(workload.get("status") or {}),
            "conditions": [done, {**done, "type": "Available"}],
            "observedGeneration": workload["metadata"].get("generation", 1),
            **dict.fromkeys(counts, replicas),
        }
        self._world.put(collection, {**workload, "status": status})

    def _collect(self) -> None:
        """Take away the pods that leave, and those whose workload is gone."""
        for pod in self._world.all(PODS):
            if "deletionTimestamp" in pod["metadata"]:
                self._world.remove(PODS, pod)
                continue
            owner = (pod["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL)
            if owner is None:
                continue
            self._let_start(pod)
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            has_one = any(
                name.startswith(f"{workload['metadata']['name']}-")
                for collection in (DEPLOYMENTS, STATEFUL_SETS, GROUPS)
                for workload in self._world.all(collection, namespace)
            )
            if not has_one:
                self._world.remove(PODS, pod)

    def _let_start(self, pod: dict[str, Any]) -> None:
        """Let an engine that loads and has no trouble answer."""
        is_placed = bool(pod["spec"].get("nodeName"))
        phase = (pod.get("status") or {}).get("phase")
        if is_placed and phase not in FINISHED and not _is_ready(pod) and not problem_of(pod)[0]:
            self._start(pod)

    # -- pods, claims and downloads -----------------------------------------------------------

    def _waiting(self) -> Iterator[dict[str, Any]]:
        for pod in self._world.all(PODS):
            gates = pod["spec"].get("schedulingGates")
            phase = (pod.get("status") or {}).get("phase")
            if not pod["spec"].get("nodeName") and not gates and phase not in FINISHED:
                yield pod

    def _bind(self, pod: dict[str, Any]) -> None:
        """Put a pod on its node, where its engine starts; or say that there is no room."""
        node = choose_node(pod, self._ledger)
        if node is None:
            said = _condition("PodScheduled", "False", self._moment)
            told = {"reason": "Unschedulable", "message": "no node has room for it"}
            status = {"phase": "Pending", "conditions": [{**said, **told}]}
            self._world.put(PODS, {**pod, "status": status})
            return
        self._start({**pod, "spec": {**pod["spec"], "nodeName": node}})

    def _start(self, pod: dict[str, Any]) -> None:
        kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        conditions = [_condition(kind, "True", self._moment) for kind in kinds]
        self._world.put(PODS, {**pod, "status": {"phase": "Running", "conditions": conditions}})

    def _finish_downloads(self) -> None:
        """Let what fetches weights be done, and claims have their volumes."""
        for job in self._world.all(JOBS):
            if CACHE_LABEL in (job["metadata"].get("labels") or {}) and not _is_done(job):
                done = _condition("Complete", "True", self._moment)
                parts = job["spec"].get("completions", 1)
                status = {"conditions": [done], "succeeded": parts}
                self._world.put(JOBS, {**job, "status": status})
        for claim in self._world.all(CLAIMS):
            if CACHE_LABEL in (claim["metadata"].get("labels") or {}):
                modes = claim["spec"].get("accessModes", [])
                status = {**(claim.get("status") or {}), "phase": "Bound", "accessModes": modes}
                self._world.put(CLAIMS, {**claim, "status": status})


def _wishes(collection: str, workload: Mapping[str, Any]) -> list[Wish]:
    """Return the pods that a workload wants."""
    name, spec = workload["metadata"]["name"], workload["spec"]
    replicas = int(spec.get("replicas", 1))
    if collection == DEPLOYMENTS:
        return [Wish("", spec["template"], {})] * replicas
    if collection == STATEFUL_SETS:
        return [Wish(f"{name}-{n}", spec["template"], {}) for n in range(replicas)]
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


def _collection_of(workload: Mapping[str, Any], world: World) -> str:
    about = workload["metadata"]
    return next(
        collection
        for collection in (DEPLOYMENTS, STATEFUL_SETS, GROUPS)
        if world.find(collection, about["namespace"], about["name"]) == workload
    )


def _hash(made: Mapping[str, Any]) -> str:
    labels = (made.get("metadata") or {}).get("labels") or {}
    return str(labels.get(PLAN_HASH_LABEL, ""))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _is_done(job: Mapping[str, Any]) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Complete" and c["status"] == "True" for c in conditions)


def _is_evicted(pod: Mapping[str, Any]) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    phase = (pod.get("status") or {}).get("phase")
    return phase not in FINISHED and not any(o["kind"] in ("DaemonSet", "Node") for o in owners)


def _queue(pod: Mapping[str, Any]) -> tuple[int, str, str]:
    """Order pods as the scheduler does: priority, then who asked first."""
    metadata = pod["metadata"]
    created = metadata.get("creationTimestamp") or ""
    return -int(pod["spec"].get("priority") or 0), created, metadata["name"]


def _condition(kind: str, status: str, moment: str) -> dict[str, str]:
    return {"type": kind, "status": status, "lastTransitionTime": moment}
