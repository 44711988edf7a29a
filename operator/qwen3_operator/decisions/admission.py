"""Which replicas surely get their GPUs now.

The scheduler places pods that are admitted but not yet bound wherever it likes. So a replica is
admitted only when it fits whatever the scheduler does with the others:

- A node offers a pod ``min over resources of floor(free / need)`` *slots*; a pool offers the sum
  over the nodes the pod may go to.
- A pod of another size that lands on a node takes at most ``max over resources of
  ceil(its need / need)`` slots there: :func:`slots_destroyed`.
- A demand is *sure* when its slots, less all that the other unbound pods with a common node can
  destroy, are no fewer than its own unbound pods. Binding any of those pods keeps the demand
  sure: it loses at most what was set aside for that pod. Hence everything admitted can be bound,
  in every order and on every choice of nodes.
- A replica is admitted when its own demand and every demand admitted before stay sure.

With pods of one size nothing is set aside in vain. With pods of several sizes a replica that fits
may wait until the pods ahead of it are bound; then everything is exact, and what is still held
back really does not fit.

This module holds the values and the formulas; the bookkeeping is :mod:`qwen3_operator.ledger`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from qwen3_operator.decisions.eligibility import Selector, selector_of
from qwen3_operator.decisions.requests import pod_requests
from qwen3_operator.decisions.workloads import group_size_of, template_of
from qwen3_operator.observed import (
    DEPLOYMENT_LABEL,
    PLAN_HASH_LABEL,
    QUEUE_LABEL,
    Key,
    Resources,
)

if TYPE_CHECKING:
    from qwen3_operator.decisions.shortage import Shortage
    from qwen3_operator.decisions.verdict import Verdict
    from qwen3_operator.observed import Manifest

Order: TypeAlias = tuple[int, str, Key]
"""A place in the queue: priority (negated), creation, key. Smaller is sooner."""

DEFAULT_PRIORITY = 0
"""Priority of pods without a class where the cluster has no global default."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Pods of one kind that a Deployment, or what stands for it, keeps running.

    Attributes:
        key: the resource they belong to.
        per_pod: what each asks for.
        selector: which nodes each may go to.
        plan_hash: of the pod template; pods of another hash are on their way out.
        replicas: how many.
        group_size: pods of one replica, each as large.
    """

    key: Key
    per_pod: Resources
    selector: Selector
    plan_hash: str
    replicas: int
    group_size: int = 1

    @property
    def pods(self) -> int:
        """Pods of all replicas."""
        return self.replicas * self.group_size

    def is_alike(self, other: Demand) -> bool:
        """Whether the pods are made from the same template; their number does not count."""
        return (
            self.plan_hash == other.plan_hash
            and self.per_pod == other.per_pod
            and self.selector == other.selector
            and self.group_size == other.group_size
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What a resource wants, and its place in the queue.

    Attributes:
        demand: all replicas wanted, running ones included.
        priority: value of its PriorityClass.
        created: creationTimestamp of the resource (RFC 3339, UTC: sorts as text).
    """

    demand: Demand
    priority: int
    created: str

    @property
    def order(self) -> Order:
        """Sort key of the queue: priority, highest first, then age, then name."""
        return (-self.priority, self.created, self.demand.key)


@dataclass(frozen=True, slots=True)
class Admission:
    """How many replicas may run now.

    Attributes:
        wanted: by the claim.
        replicas: admitted, running ones included.
        may_apply: whether the children shall be written with that number. False: nothing of this
            template is admitted; no children are made, and what runs stays as it is.
        verdict: why replicas wait; None when all wanted ones are admitted.
        shortage: the numbers behind the verdict.
    """

    wanted: int
    replicas: int
    may_apply: bool
    verdict: Verdict | None = None
    shortage: Shortage | None = None


def demand_of(workload: Manifest) -> Demand:
    """Read the demand out of what runs the replicas, desired or live.

    A Deployment, a LeaderWorkerSet, or the StatefulSet of the leaders: the pods of a replica are
    alike in what they ask for and where they may go. What waits in a queue of Kueue asks for
    nothing here: its pods count once Kueue lets them go.
    """
    metadata, spec = workload["metadata"], workload["spec"]
    template = template_of(workload)
    template_labels = (template.get("metadata") or {}).get("labels") or {}
    owner = (metadata.get("labels") or {}).get(DEPLOYMENT_LABEL) or metadata["name"]
    return Demand(
        key=Key(metadata["namespace"], owner),
        per_pod=pod_requests(template["spec"], (template.get("metadata") or {}).get("annotations")),
        selector=selector_of(template["spec"]),
        plan_hash=template_labels.get(PLAN_HASH_LABEL, ""),
        replicas=0 if QUEUE_LABEL in (metadata.get("labels") or {}) else spec.get("replicas", 1),
        group_size=group_size_of(workload),
    )


def claim_of(deployment: Manifest, priority: int, created: str, replicas: int) -> Claim:
    """Make the claim of a resource from the Deployment it would like to have."""
    return Claim(replace(demand_of(deployment), replicas=replicas), priority, created)


def slots(free: Resources, need: Resources) -> int:
    """Count the pods of that need that fit into what is free.

    >>> slots(Resources((("nvidia.com/gpu", 7),), 64_000, 2**40, 110),
    ...       Resources((("nvidia.com/gpu", 2),), 8_000, 2**36, 1))
    3
    """
    available = dict(free.gpus)
    fitting = [available.get(name, 0) // count for name, count in need.gpus if count]
    for have, want in _plain(free, need):
        if want:
            fitting.append(have // want)
    return max(0, min(fitting, default=0))


def slots_destroyed(other: Resources, need: Resources) -> int:
    """Count the slots for ``need`` that one pod of ``other`` can take on a node at the most.

    >>> four, one = Resources((("g/g", 4),), pods=1), Resources((("g/g", 1),), pods=1)
    >>> slots_destroyed(four, one), slots_destroyed(one, four)
    (4, 1)
    """
    taken = dict(other.gpus)
    destroyed = [-(-taken.get(name, 0) // count) for name, count in need.gpus if count]
    for have, want in _plain(other, need):
        if want:
            destroyed.append(-(-have // want))
    return max(destroyed, default=0)


def plus(left: Resources, right: Resources) -> Resources:
    """Add two amounts."""
    return _combine(left, right, 1)


def minus(left: Resources, right: Resources) -> Resources:
    """Subtract; a node that is overcommitted has less than nothing left."""
    return _combine(left, right, -1)


def _combine(left: Resources, right: Resources, sign: int) -> Resources:
    gpus = left.gpus
    if right.gpus:
        counts = dict(gpus)
        for name, count in right.gpus:
            counts[name] = counts.get(name, 0) + sign * count
        gpus = tuple(sorted((name, count) for name, count in counts.items() if count))
    return Resources(
        gpus,
        left.cpu_millicores + sign * right.cpu_millicores,
        left.memory_bytes + sign * right.memory_bytes,
        left.pods + sign * right.pods,
    )


def gpus_of(amount: Resources, name: str) -> int:
    """Return how many of one extended resource there are."""
    return next((count for known, count in amount.gpus if known == name), 0)


def _plain(left: Resources, right: Resources) -> tuple[tuple[int, int], ...]:
    return (
        (left.cpu_millicores, right.cpu_millicores),
        (left.memory_bytes, right.memory_bytes),
        (left.pods, right.pods),
    )
