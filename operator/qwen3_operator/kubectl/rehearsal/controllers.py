"""What Kubernetes' own controllers make of workloads, one move at a time: pods, bound and ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.pod_problems import problem_of
from qwen3_operator.kubectl.rehearsal.scheduling import choose_node
from qwen3_operator.kubectl.rehearsal.workloads import (
    FINISHED,
    WORKLOADS,
    Wish,
    is_its_own,
    is_ready,
    to_remove,
    wishes_of,
)
from qwen3_operator.observed import CACHE_LABEL, DEPLOYMENT_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qwen3_operator.kubectl.rehearsal.world import World
    from qwen3_operator.ledger import Ledger

PODS = "/api/v1/pods"
CLAIMS = "/api/v1/persistentvolumeclaims"
JOBS = "/apis/batch/v1/jobs"


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
        owned = self._pods_by_owner()
        for collection in WORKLOADS:
            for workload in self._world.all(collection):
                owner = _owner(workload)
                if owner[1]:
                    self._move(collection, workload, owned.get(owner, []))
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

    def _pods_by_owner(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        owned: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for pod in self._world.all(PODS):
            owned.setdefault(_owner(pod), []).append(pod)
        return owned

    def _move(self, collection: str, workload: dict[str, Any], known: list[dict[str, Any]]) -> None:
        """Make one pod that is missing, or take away what is to make way."""
        pods = [pod for pod in known if is_its_own(collection, workload, pod)]
        wishes = wishes_of(collection, workload)
        if len(pods) < len(wishes):
            self._make(workload, wishes, pods)
        for pod in to_remove(collection, workload, wishes, pods):
            self._world.remove(PODS, dict(pod))
        if wishes and sum(map(is_ready, pods)) == len(wishes):
            self._tell(collection, workload)

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

    def _tell(self, collection: str, workload: dict[str, Any]) -> None:
        """Say in a workload's status what its controller would, once all its pods are ready."""
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
        names: dict[tuple[str, str], list[str]] = {}
        for collection in WORKLOADS:
            for workload in self._world.all(collection):
                names.setdefault(_owner(workload), []).append(f"{workload['metadata']['name']}-")
        for pod in self._world.all(PODS):
            if "deletionTimestamp" in pod["metadata"]:
                self._world.remove(PODS, pod)
                continue
            owner = _owner(pod)
            if not owner[1]:
                continue
            if pod["metadata"]["name"].startswith(tuple(names.get(owner, ()))):
                self._let_start(pod)
            else:
                self._world.remove(PODS, pod)

    def _let_start(self, pod: dict[str, Any]) -> None:
        """Let an engine that loads and has no trouble answer."""
        is_placed = bool(pod["spec"].get("nodeName"))
        phase = (pod.get("status") or {}).get("phase")
        if is_placed and phase not in FINISHED and not is_ready(pod) and not problem_of(pod)[0]:
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


def _owner(made: Mapping[str, Any]) -> tuple[str, str]:
    """Return namespace and name of the resource that something was made for; no name if none."""
    metadata = made["metadata"]
    labels = metadata.get("labels") or {}
    return metadata.get("namespace", ""), str(labels.get(DEPLOYMENT_LABEL, ""))


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
