"""ResourceQuotas on GPUs: how many replicas a namespace may still have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import gpus_of, minus, plus
from qwen3_operator.observed import Resources

if TYPE_CHECKING:
    from qwen3_operator.observed import Quota

NOTHING = Resources()


@dataclass(frozen=True, slots=True)
class QuotaRoom:
    """What the tightest quota leaves.

    Attributes:
        replicas: the most replicas that one resource may have, running ones included.
        text: names the quota with its figures.
    """

    replicas: int
    text: str


class Quotas:
    """Quotas by namespace, with what is used of them and what is promised.

    The API server writes ``status.used`` a moment after a pod is made. So what counts as used is
    the larger of that and of what the pods that are seen ask for.
    """

    def __init__(self) -> None:
        self._quotas: dict[str, dict[str, Quota]] = {}
        self._used: dict[str, Resources] = {}
        self._promised: dict[str, Resources] = {}

    def put(self, quota: Quota) -> bool:
        """Take a quota in its present state; return whether anything changed."""
        known = self._quotas.setdefault(quota.namespace, {})
        changed = known.get(quota.name) != quota
        known[quota.name] = quota
        return changed

    def drop(self, namespace: str, name: str) -> bool:
        """Forget a quota; return whether it was known."""
        return self._quotas.get(namespace, {}).pop(name, None) is not None

    def use(self, namespace: str, amount: Resources) -> None:
        """Note a pod of anybody's that exists."""
        self._used[namespace] = plus(self._used.get(namespace, NOTHING), amount)

    def stop_using(self, namespace: str, amount: Resources) -> None:
        """Note that a pod is gone."""
        self._used[namespace] = minus(self._used[namespace], amount)

    def promise(self, namespace: str, amount: Resources) -> None:
        """Note GPUs of replicas that are admitted and whose pods do not exist yet."""
        self._promised[namespace] = plus(self._promised.get(namespace, NOTHING), amount)

    def unpromise(self, namespace: str, amount: Resources) -> None:
        """Take a promise back."""
        self._promised[namespace] = minus(self._promised.get(namespace, NOTHING), amount)

    def room(
        self, namespace: str, need: Resources, own: Resources, own_promised: Resources
    ) -> QuotaRoom | None:
        """Return how many pods of that need one resource may have; None without a quota.

        Args:
            namespace: of the resource.
            need: of each of its pods.
            own: what its pods that exist ask for: they count towards its own replicas.
            own_promised: likewise what it was promised before.
        """
        rooms = []
        for quota in self._quotas.get(namespace, {}).values():
            reported = dict(quota.used)
            for name, hard in quota.hard:
                wanted = gpus_of(need, name)
                if not wanted:
                    continue
                used = max(reported.get(name, 0), gpus_of(self._used.get(namespace, NOTHING), name))
                promised = gpus_of(self._promised.get(namespace, NOTHING), name)
                others = used - gpus_of(own, name) + promised - gpus_of(own_promised, name)
                text = f"{quota.name} (requests.{name}: {used + promised} of {hard} used)"
                rooms.append(QuotaRoom(max(0, (hard - others) // wanted), text))
        return min(rooms, key=lambda room: room.replicas, default=None)
