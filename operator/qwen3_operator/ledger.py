"""Who was promised which GPUs: bookkeeping without I/O, fed by the watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_operator.decisions.admission import Admission, Claim, Demand
    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.observed import Key, Node, Pod, Quota
    from qwen3_planner.inventory.hardware import Inventory


class Ledger:
    """No GPU is promised twice. Rebuilt from the cluster: feed it everything, then offer.

    Not safe for several threads; every method returns at once.
    """

    def upsert_node(self, node: Node) -> bool:
        """Take a node in its present state; return whether anything about it changed."""
        raise NotImplementedError

    def delete_node(self, name: str) -> bool:
        """Forget a node; return whether it was known."""
        raise NotImplementedError

    def upsert_pod(self, pod: Pod) -> bool:
        """Take an unfinished pod (bound, or one of ours); return whether anything changed."""
        raise NotImplementedError

    def delete_pod(self, uid: str) -> bool:
        """Forget a pod that is gone or finished; return whether it was known."""
        raise NotImplementedError

    def see_deployment(self, demand: Demand) -> bool:
        """Take one of our Deployments as it lives; counts as admitted until its key is offered."""
        raise NotImplementedError

    def forget_deployment(self, key: Key) -> bool:
        """Forget a Deployment that is gone; return whether it was known."""
        raise NotImplementedError

    def upsert_quota(self, quota: Quota) -> bool:
        """Take a ResourceQuota in its present state; return whether anything changed."""
        raise NotImplementedError

    def delete_quota(self, namespace: str, name: str) -> bool:
        """Forget a ResourceQuota; return whether it was known."""
        raise NotImplementedError

    def offer(self, claim: Claim) -> Admission:
        """Judge a claim and book what is admitted of it; offering again is harmless."""
        raise NotImplementedError

    def withdraw(self, key: Key) -> None:
        """Drop the claim of a resource that is deleted, suspended or cannot be planned.

        A Deployment of it that still lives goes on counting until it is forgotten.
        """
        raise NotImplementedError

    def settle(self) -> list[Key]:
        """Admit what has become possible; return the resources it concerns, first come first.

        What is returned is booked already: offer the claim again to learn the number.
        """
        raise NotImplementedError

    def inventory(self, selector: Selector) -> Inventory:
        """Return the hardware for such pods; the same object until it changes."""
        raise NotImplementedError
