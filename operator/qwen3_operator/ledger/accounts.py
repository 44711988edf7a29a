"""What one resource wants, was promised, and has bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import plus
from qwen3_operator.observed import GROUP_GATE, Resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.decisions.admission import Claim, Demand
    from qwen3_operator.ledger.lanes import Lane
    from qwen3_operator.observed import Key, Pod

NOTHING = Resources()


class Account:
    """One resource in the ledger.

    Attributes:
        key: of the resource.
        claim: what it wants; None until it is offered and after it is withdrawn.
        seen: its Deployment as it lives; None without one.
        told: what the resource was last told that it may apply; its Deployment follows.
        demand: what is admitted; None where nothing is.
        pods: of the resource, by uid.
        lane: of the demand.
        unbound: pods of the demand not bound yet, as the lane counts them.
        promised: GPUs of the demand whose pods do not exist yet, as the quota counts them.
        wish: lane in which the claim waits; None while it does not.
        is_held_by_quota: whether it waits for its namespace's quota and not for GPUs.
        held: of the unbound pods, those whose gate has not been lifted, as the lane counts them.
        lifted: uids of pods whose gate is being lifted; they count as lifted until they are seen.
    """

    __slots__ = (
        "claim",
        "demand",
        "held",
        "is_held_by_quota",
        "key",
        "lane",
        "lifted",
        "pods",
        "promised",
        "seen",
        "told",
        "unbound",
        "wish",
    )

    def __init__(self, key: Key) -> None:
        self.key = key
        self.claim: Claim | None = None
        self.seen: Demand | None = None
        self.told: Demand | None = None
        self.demand: Demand | None = None
        self.pods: dict[str, Pod] = {}
        self.lane: Lane | None = None
        self.unbound = 0
        self.promised = NOTHING
        self.wish: Lane | None = None
        self.is_held_by_quota = False
        self.held = 0
        self.lifted: set[str] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is known of the resource any more."""
        return self.claim is None and self.seen is None and not self.pods

    @property
    def is_as_claimed(self) -> bool:
        """Whether what is admitted is of the template that is wanted."""
        return (
            self.claim is not None
            and self.demand is not None
            and self.demand.is_alike(self.claim.demand)
        )

    @property
    def admitted(self) -> int:
        """Replicas of the wanted template that are admitted."""
        return self.demand.replicas if self.demand is not None and self.is_as_claimed else 0

    @property
    def missing(self) -> int:
        """Replicas that are wanted and not admitted."""
        return self.claim.demand.replicas - self.admitted if self.claim is not None else 0

    def bound(self, demand: Demand) -> int:
        """Count the pods made from the demand's template that have their node."""
        return sum(
            pod.node is not None and pod.plan_hash == demand.plan_hash for pod in self._living()
        )

    def unbound_of(self, demand: Demand) -> int:
        """Count the demand's pods without a node: to come, or there and not bound yet.

        After scaling down a pod may be there that is one too many; until it is deleted it may
        still be bound.
        """
        there = sum(
            pod.node is None and pod.plan_hash == demand.plan_hash and not pod.gates
            for pod in self._living()
        )
        return max(demand.pods - self.bound(demand), there)

    def held_of(self, demand: Demand) -> int:
        """Count the demand's pods that wait behind the gate of their group."""
        return sum(
            GROUP_GATE in pod.gates
            and pod.uid not in self.lifted
            and pod.plan_hash == demand.plan_hash
            for pod in self._living()
        )

    def started(self, demand: Demand) -> int:
        """Count the replicas of the demand of which a pod has its node."""
        return -(-self.bound(demand) // demand.group_size)

    @property
    def placed(self) -> int:
        """Its pods that stay and have their node, of whatever template."""
        return sum(pod.node is not None for pod in self._living())

    def outgoing(self, demand: Demand) -> list[Pod]:
        """Return the bound pods of other templates, which this demand's are to replace."""
        return [p for p in self._living() if p.node and p.plan_hash != demand.plan_hash]

    def released_by(self, demand: Demand) -> dict[str, Resources]:
        """Return by node what pods of other templates will give back to this demand."""
        released: dict[str, Resources] = {}
        for pod in self.outgoing(demand):
            node = pod.node or ""
            released[node] = plus(released.get(node, NOTHING), pod.requests)
        return released

    def existing(self) -> Resources:
        """Add up what its pods that stay ask for, bound or not."""
        total = NOTHING
        for pod in self._living():
            total = plus(total, pod.requests)
        return total

    def to_come(self) -> Resources:
        """Add up the GPUs of admitted replicas whose pods do not exist yet."""
        if self.demand is None:
            return NOTHING
        count = max(0, self.demand.pods - sum(1 for _ in self._living()))
        gpus = tuple((name, n * count) for name, n in self.demand.per_pod.gpus if count)
        return Resources(gpus=gpus)

    def _living(self) -> Iterator[Pod]:
        """Return its pods that stay; those that ended are being replaced."""
        return (
            pod
            for pod in self.pods.values()
            if not pod.terminating and pod.phase not in ("Succeeded", "Failed")
        )
