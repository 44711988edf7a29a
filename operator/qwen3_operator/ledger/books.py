"""What the watches see and what was decided, kept so that judging costs little."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from qwen3_operator.decisions.capacity import inventory_for
from qwen3_operator.ledger.accounts import Account
from qwen3_operator.ledger.lanes import Lane, Lanes
from qwen3_operator.ledger.quotas import Quotas
from qwen3_operator.ledger.shortages import Shortages
from qwen3_operator.ledger.space import Space

if TYPE_CHECKING:
    from collections.abc import Collection

    from qwen3_operator.decisions.admission import Demand, Order
    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.observed import Key, Node, Pod, Quota, Resources
    from qwen3_planner.inventory.hardware import Inventory


class Books:
    """Nodes, pods, Deployments and quotas as they are, and what each resource was promised."""

    def __init__(self, *, names_all_holders: bool = False) -> None:
        """Start empty.

        Args:
            names_all_holders: whether holders of other namespaces are named in a shortage.
        """
        self._space = Space()
        self._lanes = Lanes(self._space)
        self._quotas = Quotas()
        self._shortages = Shortages(self._space, names_all=names_all_holders)
        self._accounts: dict[Key, Account] = {}
        self._pods: dict[str, Pod] = {}
        self._held_by_quota: list[Order] = []
        self._may_have_room = False
        self._hardware_version = 0
        self._inventories: dict[Selector, tuple[int, Inventory]] = {}

    # -- what the watches see -----------------------------------------------------------------

    def upsert_node(self, node: Node) -> bool:
        """Take a node in its present state; return whether anything about it changed."""
        known = self._space.nodes.get(node.name)
        if known == node:
            return False
        self._space.put_node(node)
        self._node_changed(node.name)
        return True

    def delete_node(self, name: str) -> bool:
        """Forget a node; return whether it was known."""
        if name not in self._space.nodes:
            return False
        self._space.drop_node(name)
        self._node_changed(name)
        return True

    def upsert_pod(self, pod: Pod) -> bool:
        """Take an unfinished pod (bound, or one of ours); return whether anything changed."""
        known = self._pods.get(pod.uid)
        if known == pod:
            return False
        self._pods[pod.uid] = pod
        self._pod_changed(known, pod)
        return True

    def delete_pod(self, uid: str) -> bool:
        """Forget a pod that is gone or finished; return whether it was known."""
        known = self._pods.pop(uid, None)
        if known is None:
            return False
        self._pod_changed(known, None)
        return True

    def see_deployment(self, demand: Demand) -> bool:
        """Take one of our Deployments as it lives.

        It counts as admitted until its resource is offered; from then on what was decided here
        counts, since the Deployment is about to follow.
        """
        account = self._account(demand.key)
        if account.seen == demand:
            return False
        account.seen = demand
        if account.claim is None or account.demand is None:
            self._book(account, demand)
        return True

    def forget_deployment(self, key: Key) -> bool:
        """Forget a Deployment that is gone; return whether it was known."""
        account = self._accounts.get(key)
        if account is None or account.seen is None:
            return False
        account.seen = None
        if not account.is_as_claimed:
            account.told = None
            self._book(account, None)
        self._drop_if_idle(account)
        return True

    def upsert_quota(self, quota: Quota) -> bool:
        """Take a ResourceQuota in its present state; return whether anything changed."""
        changed = self._quotas.put(quota)
        self._may_have_room |= changed
        return changed

    def delete_quota(self, namespace: str, name: str) -> bool:
        """Forget a ResourceQuota; return whether it was known."""
        changed = self._quotas.drop(namespace, name)
        self._may_have_room |= changed
        return changed

    # -- what hardware there is ---------------------------------------------------------------

    def inventory(self, selector: Selector) -> Inventory:
        """Return the hardware for such pods; the same object until it changes."""
        version, known = self._inventories.get(selector, (0, None))
        if known is None or version != self._hardware_version:
            fresh = inventory_for(selector, self._space.nodes.values())
            known = known if known == fresh else fresh
            self._inventories[selector] = (self._hardware_version, known)
        return known

    def nodes(self) -> Collection[Node]:
        """Return the nodes, as they are now."""
        return self._space.nodes.values()

    def free(self, node: str) -> Resources:
        """Return what unfinished pods leave of a node that is known."""
        return self._space.free[node]

    def owners_on(self, node: str) -> set[Key]:
        """Return the resources with a pod on a node."""
        return {pod.owner for pod in self._space.pods_on(node) if pod.owner is not None}

    # -- bookkeeping --------------------------------------------------------------------------

    def _node_changed(self, name: str) -> None:
        self._lanes.judge_node(name)
        self._shortages.node_changed(name)
        self._hardware_version += 1
        self._may_have_room = True

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        """Move what a pod takes; a change of anything else about it moves nothing."""
        if before is not None and after is not None and _weighs(before) == _weighs(after):
            if after.owner is not None:
                self._account(after.owner).pods[after.uid] = after
            return
        self._may_have_room = True
        if before is not None:
            self._move(before, put=False)
        if after is not None:
            self._move(after, put=True)
        for node in {pod.node for pod in (before, after) if pod is not None and pod.node}:
            self._lanes.count_node(node)
        for owner in {pod.owner for pod in (before, after) if pod is not None and pod.owner}:
            account = self._account(owner)
            self._book(account, account.demand)
            self._wait_elsewhere(account)
            self._drop_if_idle(account)

    def _move(self, pod: Pod, *, put: bool) -> None:
        """Put a pod into the books that it is in, or take it out of them."""
        (self._quotas.use if put else self._quotas.stop_using)(pod.namespace, pod.requests)
        if pod.node is not None:
            (self._space.put_pod if put else self._space.drop_pod)(pod)
            self._shortages.node_changed(pod.node)
        if pod.owner is not None and put:
            self._account(pod.owner).pods[pod.uid] = pod
        elif pod.owner is not None:
            account = self._account(pod.owner)
            del account.pods[pod.uid]
            account.lifted.discard(pod.uid)

    def _account(self, key: Key) -> Account:
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = Account(key)
        return account

    def _drop_if_idle(self, account: Account) -> None:
        if account.is_idle:
            self._accounts.pop(account.key, None)

    def _book(self, account: Account, demand: Demand | None) -> None:
        """Let the demand count as admitted, with the pods that the resource has now."""
        namespace = account.key.namespace
        before = account.demand
        if before and not (
            demand and demand.is_alike(before) and demand.replicas >= before.replicas
        ):
            self._may_have_room = True
        entered = self._enter(account, demand) if demand is not None else None
        if account.lane is not None:
            self._lanes.book(account.lane, -account.unbound, -account.held)
            self._lanes.leave(account.lane)
        self._quotas.unpromise(namespace, account.promised)
        account.demand, account.lane, account.unbound, account.held = demand, entered, 0, 0
        account.promised = account.to_come()
        self._quotas.promise(namespace, account.promised)
        if demand is not None and entered is not None:
            account.unbound = account.unbound_of(demand)
            account.held = min(account.unbound, account.held_of(demand))
            self._lanes.book(entered, account.unbound, account.held)

    def _enter(self, account: Account, demand: Demand) -> Lane:
        released = account.released_by(demand)
        return self._lanes.enter(account.key, demand.per_pod, demand.selector, released)

    # -- the queue ----------------------------------------------------------------------------

    def _wait(self, account: Account, lane: Lane, *, held_by_quota: bool) -> None:
        assert account.claim is not None, "only claims wait"  # noqa: S101 - for the type checker
        account.wish = lane
        account.is_held_by_quota = held_by_quota
        insort(self._held_by_quota if held_by_quota else lane.waiting, account.claim.order)

    def _wait_elsewhere(self, account: Account) -> None:
        """Change lanes where its own pods now give back something else than before."""
        if account.claim is not None and account.wish is not None:
            held_by_quota = account.is_held_by_quota
            self._stop_waiting(account)
            lane = self._enter(account, account.claim.demand)
            self._wait(account, lane, held_by_quota=held_by_quota)

    def _stop_waiting(self, account: Account) -> None:
        lane, claim = account.wish, account.claim
        if lane is None or claim is None:
            return
        queue = self._held_by_quota if account.is_held_by_quota else lane.waiting
        queue.pop(bisect_left(queue, claim.order))
        account.wish = None
        self._lanes.leave(lane)


def _weighs(pod: Pod) -> tuple[object, ...]:
    """Return everything about a pod that changes what it takes, and from whom."""
    place = (pod.node, pod.gates, pod.terminating)
    return (*place, pod.requests, pod.owner, pod.plan_hash, pod.namespace)
