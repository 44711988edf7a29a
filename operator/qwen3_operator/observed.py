"""What was seen in the cluster: frozen values, reduced from raw objects at the door.

Rooms above decide on these alone; nothing here holds a raw watch object but the two children,
whose fields are compared with what is desired.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.inventory.hardware import NodeGroup

DEPLOYMENT_LABEL = "serving.qwen3.dev/deployment"
"""Label of every child and pod: the name of the Qwen3Deployment it belongs to."""

PLAN_HASH_LABEL = "serving.qwen3.dev/plan-hash"
"""Label of every pod: the hash of the template it was made from."""

WAITING_FOR_NODES = "WaitingForNodes"
"""Problem of a pod that no node of today can take, but one that its pool may grow by."""

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""Label of what a queue of Kueue admits."""

KUEUE_GATE = "kueue.x-k8s.io/admission"
"""Scheduling gate of pods that Kueue holds back (kubernetes-sigs/kueue v0.14
pkg/controller/jobs/pod, read 2026-11-23)."""

DEVICE_CLASS = "gpu.nvidia.com"
"""Device class of whole GPUs, by dynamic resource allocation; it has the name of its driver."""

DEVICES_ANNOTATION = "serving.qwen3.dev/devices"
"""Annotation of pods: what their claims ask for, as ``CLASS/ACCELERATOR=COUNT``."""

CACHE_LABEL = "serving.qwen3.dev/cache"
"""Label of the claim, the Job and the pods of a shared cache: the name of the Job."""

GROUP_SIZE = "serving.qwen3.dev/group-size"
"""Annotation of the StatefulSet that runs leaders: pods of one replica."""

WAITING_FOR_GROUP = "WaitingForGroup"
"""Problem of a pod whose gate stays, because not all pods of its replica find a node."""

GROUP_GATE = "serving.qwen3.dev/group"
"""Scheduling gate of a pod whose replica has several; lifted from all of them together."""

DEPLOYMENT = "Deployment"
"""Kind of what runs replicas of one node."""

LEADER_WORKER_SET = "LeaderWorkerSet"
"""Kind of what runs replicas over several nodes where the cluster has it."""

STATEFUL_SET = "StatefulSet"
"""Kind of what runs them where it has not."""

Manifest: TypeAlias = "Mapping[str, Any]"
"""A Kubernetes object as plain JSON."""


class Key(NamedTuple):
    """Names one Qwen3Deployment."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Render as Kubernetes logs do, ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Resources:
    """An amount of what nodes offer and pods ask for.

    Attributes:
        gpus: by extended resource (``nvidia.com/gpu`` -> 8), only non-zero entries, sorted.
        cpu_millicores: CPU.
        memory_bytes: host memory.
        pods: pod slots; 1 for a pod.
    """

    gpus: tuple[tuple[str, int], ...] = ()
    cpu_millicores: int = 0
    memory_bytes: int = 0
    pods: int = 0


def is_claimed(resource: str) -> bool:
    """Whether GPUs of that name are asked for by claims on devices, not as a resource.

    >>> is_claimed("gpu.nvidia.com/H100-SXM-80GB"), is_claimed("nvidia.com/gpu")
    (True, False)
    """
    return resource.startswith(f"{DEVICE_CLASS}/")


@dataclass(frozen=True, slots=True)
class Taint:
    """A node's taint; ``effect`` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    Attributes:
        name: of the node.
        labels: all of them but those that change by themselves.
        taints: all of them.
        schedulable: neither cordoned nor NotReady.
        ready: whether its kubelet answers; False for a node that is NotReady.
        unhealthy: GPUs that it has and does not offer (capacity less allocatable), by resource.
        allocatable: what the kubelet offers.
        group: what the planner makes of it; None where it carries no GPU it can use.
        note: why the planner cannot use its GPUs, or what is odd about them; empty if nothing.
        kubelet: version of the kubelet (``v1.37.2``); empty where the node does not say.
        runtime: container runtime and version (``containerd://2.1.4``); empty likewise.
        slices: MIG slices that it offers, a group of each profile.
        products: of its GPUs as a driver names them, where claims ask for these.
        to_come: name of the pool that may grow by it, where it does not exist yet; else empty.
        cpu: the node as a CPU to compute on; None where it has GPUs or offers too little.
    """

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    schedulable: bool
    allocatable: Resources
    group: NodeGroup | None
    ready: bool = True
    unhealthy: tuple[tuple[str, int], ...] = ()
    note: str = ""
    kubelet: str = ""
    runtime: str = ""
    to_come: str = ""
    slices: tuple[NodeGroup, ...] = ()
    products: tuple[str, ...] = ()
    cpu: NodeGroup | None = None

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """What a planner may count on: whole GPUs, slices of them, or the CPU."""
        return tuple(one for one in (self.group, *self.slices, self.cpu) if one is not None)


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod that is not finished.

    Attributes:
        uid: of the pod.
        namespace: of the pod.
        name: of the pod.
        owner: the Qwen3Deployment it belongs to, by label; None for other people's pods.
        node: it is bound to; None while Pending.
        requests: what it holds.
        priority: its priority value.
        terminating: whether it is being deleted.
        phase: Pending, Running …
        ready: whether its Ready condition is True.
        plan_hash: of the template it came from; empty for other people's pods.
        problem: why it does not run or is not ready: the most telling waiting reason, termination
            reason or scheduling condition (``ImagePullBackOff``, ``OOMKilled``,
            ``CrashLoopBackOff``, ``Unschedulable`` …); empty while all goes well.
        problem_message: the sentence that came with it, without secrets.
        restarts: of its containers.
        address: its IP address; empty while it has none.
        group: which replica it belongs to, where one has several pods; empty otherwise.
        rank: its place in that replica; 0 leads and answers requests.
        gates: names of what keeps the scheduler from looking at it.
        bound_at: when it got its node, RFC 3339; empty before.
        has_node_selector: whether labels of nodes are asked for plainly.
        memory_limit_bytes: host memory that its containers may use together; 0 without a limit.
    """

    uid: str
    namespace: str
    name: str
    owner: Key | None
    node: str | None
    requests: Resources
    priority: int = 0
    terminating: bool = False
    phase: str = "Pending"
    ready: bool = False
    plan_hash: str = ""
    problem: str = ""
    problem_message: str = ""
    restarts: int = 0
    address: str = ""
    group: str = ""
    rank: int = 0
    gates: tuple[str, ...] = ()
    memory_limit_bytes: int = 0
    bound_at: str = ""
    has_node_selector: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """GPU quota of a namespace: requests.<resource> hard and used; only GPU resources."""

    namespace: str
    name: str
    hard: tuple[tuple[str, int], ...]
    used: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Volume:
    """One PersistentVolumeClaim.

    Attributes:
        namespace: of the claim.
        name: of the claim.
        uid: of the claim.
        phase: Pending, Bound or Lost.
        access_modes: of the volume where it is bound, else those that are asked for.
        users: (name, uid) of the resources that own it.
        is_cache: whether the operator made it.
        is_going: whether it is being deleted.
        owners: uids of everything that owns it, in order.
    """

    namespace: str
    name: str
    uid: str
    phase: str
    access_modes: tuple[str, ...]
    users: tuple[tuple[str, str], ...]
    is_cache: bool
    is_going: bool = False
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prefetch:
    """One Job that fills a cache.

    Attributes:
        namespace: of the Job.
        name: of the Job.
        uid: of the Job.
        users: (name, uid) of the resources that own it.
        made_of: fingerprint of what it was made of.
        parts: of the download.
        parts_done: of them.
        is_complete: whether everything is there.
        failure: the controller's sentence once it gave up; empty before.
        failed_at: when, RFC 3339; empty before.
        is_going: whether it is being deleted.
        owners: uids of everything that owns it, in order.
    """

    namespace: str
    name: str
    uid: str
    users: tuple[tuple[str, str], ...]
    made_of: str
    parts: int
    parts_done: int
    is_complete: bool
    failure: str = ""
    failed_at: str = ""
    is_going: bool = False
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetcher:
    """One pod of such a Job.

    Attributes:
        job: it belongs to.
        pod: as any other; its problem is the kubelet's or the scheduler's.
        exit_code: of the program, None while it runs.
        last_words: of the program.
        created: when, RFC 3339.
    """

    job: str
    pod: Pod
    exit_code: int | None
    last_words: str
    created: str


@dataclass(frozen=True, slots=True)
class CreationFailure:
    """A controller's word that it could not make a pod: an Event with reason FailedCreate.

    Attributes:
        namespace: of the object that the pod was for.
        kind: of it: ReplicaSet, StatefulSet, LeaderWorkerSet, Job …
        name: of it.
        message: the API server's sentence, with what the controller put around it.
        at: when that was seen last, RFC 3339.
    """

    namespace: str
    kind: str
    name: str
    message: str
    at: str


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything seen of one Qwen3Deployment's children.

    Attributes:
        children: live objects by (kind, name): the Deployments and Services that carry its label,
            ``metadata.managedFields`` removed.
        pods: its pods, oldest first.
        refusal: the API server's sentence if it refused to create or change a child last time.
        creation_failure: a controller's sentence if it cannot make the pods of a child.
        kv_cache_tokens: what engines said of themselves, by the pod's uid.
        refusal_around: the API server's sentence if it refused something around the replicas.
    """

    children: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    refusal: str = ""
    kv_cache_tokens: Mapping[str, int] = field(default_factory=dict)
    creation_failure: str = ""
    refusal_around: str = ""
