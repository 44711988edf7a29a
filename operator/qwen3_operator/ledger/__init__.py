"""Who was promised which GPUs: bookkeeping without I/O, fed by the watches.

The formulas are in :mod:`qwen3_operator.decisions.admission`; here is what they are applied to,
kept up to date with every event so that judging a claim costs microseconds:

- :mod:`.books` what the watches see, and who was promised what:
- :mod:`.space` what bound pods leave free on each node;
- :mod:`.lanes` pods that are alike, and what admitted pods can do to each other;
- :mod:`.quotas` what namespaces may use;
- :mod:`.accounts` what one resource wants, was promised, and has bound;
- :mod:`.shortages` who holds what a claim waits for.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from dataclasses import replace
from heapq import merge
from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import Admission, slots, slots_destroyed
from qwen3_operator.decisions.pace import Spare
from qwen3_operator.decisions.shortage import explain
from qwen3_operator.ledger.books import Books
from qwen3_operator.ledger.shortages import Place
from qwen3_operator.observed import Key

if TYPE_CHECKING:
    from collections.abc import Collection

    from qwen3_operator.decisions.admission import Claim, Demand, Order
    from qwen3_operator.decisions.shortage import Shortage
    from qwen3_operator.ledger.accounts import Account
    from qwen3_operator.ledger.lanes import Lane
    from qwen3_operator.ledger.quotas import QuotaRoom

__all__ = ["Ledger"]

LAST: Order = (sys.maxsize, "\U0010ffff", Key("\U0010ffff", ""))
"""A place behind every other."""


class Ledger(Books):
    """No GPU is promised twice. Rebuilt from the cluster: feed it everything, then offer.

    Not safe for several threads; every method returns at once.
    """

    def __init__(self, *, names_all_holders: bool = False) -> None:
        super().__init__(names_all_holders=names_all_holders)
        self._newly_admitted: dict[Key, None] = {}
        self._judged_until: Order | None = None

    # -- what resources ask -------------------------------------------------------------------

    def offer(self, claim: Claim) -> Admission:
        """Judge a claim and book what is admitted of it; offering again is harmless.

        Claims that wait and come first are judged before it where there may be room for them.
        """
        account = self._account(claim.demand.key)
        self._stop_waiting(account)
        account.claim = claim
        self._admit_waiting(before=claim.order)
        self._judge(account)
        self._newly_admitted.pop(account.key, None)
        if account.is_as_claimed:
            account.told = account.demand
        return self._admission(account)

    def room_for(self, claim: Claim) -> int:
        """Count the replicas of a claim that would be admitted now; nothing is booked.

        It is asked for resources of which nothing runs: what they hold themselves counts as taken.
        """
        account = self._account(claim.demand.key)
        lane = self._lanes.enter(account.key, claim.demand.per_pod, claim.demand.selector, {})
        room = self._quotas.room(
            account.key.namespace, claim.demand.per_pod, account.existing(), account.promised
        )
        limit = claim.demand.pods if room is None else min(claim.demand.pods, room.replicas)
        count = self._sure(lane, claim.order, limit, running=None)
        self._lanes.leave(lane)
        self._drop_if_idle(account)
        return count // claim.demand.group_size

    def withdraw(self, key: Key) -> None:
        """Drop the claim of a resource that is deleted, suspended or cannot be planned.

        A Deployment of it that still lives goes on counting until it is forgotten.
        """
        account = self._accounts.get(key)
        if account is None:
            return
        self._stop_waiting(account)
        self._newly_admitted.pop(key, None)
        account.claim = account.told = None
        self._book(account, account.seen)
        self._drop_if_idle(account)

    def settle(self) -> list[Key]:
        """Admit what has become possible; return the resources it concerns, first come first.

        What is returned is booked already: offer the claim again to learn the number.
        """
        self._admit_waiting()
        concerned = list(self._newly_admitted)
        self._newly_admitted.clear()
        return concerned

    def waiting(self) -> list[Key]:
        """Return the resources with replicas that wait, in the order of the queue."""
        lanes = (lane.waiting for lane in self._lanes)
        return [order[-1] for order in merge(self._held_by_quota, *lanes)]

    def lift(self, key: Key, uids: Collection[str]) -> bool:
        """Say whether these gated pods of one replica surely find their nodes, all of them.

        If so they count as lifted from now on, so that nobody else is told the same of the same
        GPUs; lifting them again is harmless.
        """
        account = self._accounts.get(key)
        if account is None or account.demand is None:
            return False
        if account.lifted.issuperset(uids):
            return True
        demand = account.demand
        lane = self._lanes.enter(key, demand.per_pod, demand.selector, {})
        fits = lane.room >= len(uids) and all(
            other.room >= len(uids) * lane.harms[other]
            for other in lane.harms
            if other.total and other.let_go
        )
        self._lanes.leave(lane)
        if fits:
            account.lifted.update(uids)
            self._book(account, demand)
        return fits

    def room_by_node(self, key: Key) -> dict[str, int]:
        """Return how many pods of a resource each node has room for that they may go to."""
        account = self._accounts.get(key)
        if account is None or account.demand is None:
            return {}
        demand = account.demand
        lane = self._lanes.enter(key, demand.per_pod, demand.selector, {})
        room = dict(lane.slots)
        self._lanes.leave(lane)
        return room

    def places(self, key: Key) -> int:
        """Count the further pods of a resource that would surely find their nodes now."""
        account = self._accounts.get(key)
        if account is None or account.demand is None:
            return 0
        demand = account.demand
        lane = self._lanes.enter(key, demand.per_pod, demand.selector, {})
        room = lane.room
        self._lanes.leave(lane)
        return max(0, room)

    def could_run(self, key: Key) -> int:
        """Return how many replicas of a resource would be admitted now if it asked for more.

        Those that are admitted are among them. Nothing is booked; 0 where nothing was offered.
        """
        account = self._accounts.get(key)
        if account is None or account.claim is None:
            return 0
        lane, admitted = self._enter(account, account.claim.demand), account.admitted
        size, room = account.claim.demand.group_size, self._room_in_quota(account)
        limit = lane.margin if room is None else min(lane.margin, room.replicas - admitted * size)
        if lane.released:
            limit = min(limit, self._room_beside(account, lane, admitted))
        more = 0 if account.missing else self._sure(lane, account.claim.order, limit, None)
        self._lanes.leave(lane)
        return admitted + more // size

    def spare(self, key: Key) -> Spare:
        """Say what is free for more replicas of a resource beside all that it has.

        Its own promise does not stand in its way; those who came first and wait do, and so does
        the quota of its namespace.
        """
        account = self._accounts.get(key)
        if account is None or account.claim is None or account.demand is None:
            return Spare()
        claim, demand, had_room = account.claim, account.demand, self._may_have_room
        self._book(account, None)
        beside = self._lanes.enter(key, claim.demand.per_pod, claim.demand.selector, {})
        count = self._sure(beside, claim.order, claim.demand.replicas, None)
        room = self._room_in_quota(account)
        if room is not None:
            count = min(count, max(0, room.replicas - account.placed))
        places = [
            pod.node in beside.slots and slots(pod.requests, beside.need) > 0
            for pod in account.outgoing(claim.demand)
        ]
        self._lanes.leave(beside)
        self._book(account, demand)
        self._may_have_room = had_room
        return Spare(count, fits_in_place=all(places))

    # -- judging ------------------------------------------------------------------------------

    def _admit_waiting(self, before: Order | None = None) -> None:
        """Judge the claims that wait, in their order, where there may be room for them.

        What is booked only takes room. So until room may have come, nobody is judged again.

        Args:
            before: stop at this place in the queue.
        """
        if self._may_have_room:
            self._may_have_room, self._judged_until = False, None
        queues = [self._held_by_quota, *(lane.waiting for lane in self._lanes if lane.total)]
        since = self._judged_until
        parts = (_between(queue, since, before) for queue in queues if queue)
        for order in list(merge(*parts)):
            account = self._accounts[order[-1]]
            if _has_no_hope(account):
                continue
            admitted = account.admitted
            self._stop_waiting(account)
            self._judge(account)
            if account.admitted > admitted:
                self._newly_admitted[account.key] = None
        if before is None or since is None or before > since:
            self._judged_until = before or LAST

    def _judge(self, account: Account) -> None:
        """Book as many replicas of the claim as surely fit; let the rest wait."""
        claim = account.claim
        assert claim is not None, "only claims are judged"  # noqa: S101 - for the type checker
        wanted, running = claim.demand, None
        if not account.is_as_claimed:
            running = account.told or account.seen
            self._book(account, None)
        lane, size = self._enter(account, wanted), wanted.group_size
        started = max(account.admitted, min(wanted.replicas, account.started(wanted)))
        room = self._room_in_quota(account)
        allowed = wanted.replicas if room is None else min(wanted.replicas, room.replicas // size)
        limit = (allowed - started) * size
        if lane.released:
            limit = min(limit, self._room_beside(account, lane, started))
        more = self._sure(lane, claim.order, limit, running) // size  # a replica whole or not
        admitted = min(wanted.replicas, started + more)
        if admitted or not wanted.replicas:
            self._book(account, replace(wanted, replicas=admitted))
        elif running is not None:
            self._book(account, running)  # what runs goes on
        if account.missing:
            self._wait(account, lane, held_by_quota=allowed <= started + more)
        else:
            self._lanes.leave(lane)

    def _room_beside(self, account: Account, lane: Lane, started: int) -> int:
        """Count the further pods that can start while those of another template still run.

        The Deployment takes one old pod down at a time and keeps the others until a new one is
        ready. So a new pod has either a slot of its own, or that of an old one which is no smaller
        and on a node it may use. Where an old pod gives no new one its place, only a single replica
        is safe: then all old ones go first.
        """
        beside = self._lanes.enter(account.key, lane.need, lane.selector, {})
        free = max(0, beside.margin)
        self._lanes.leave(beside)
        if account.is_as_claimed:
            return free
        outgoing = account.outgoing(account.claim.demand) if account.claim else []
        if all(pod.node in lane.slots and slots(pod.requests, lane.need) for pod in outgoing):
            return len(outgoing) + free
        size = account.claim.demand.group_size if account.claim else 1
        return max(free, (1 - started) * size)

    def _sure(self, lane: Lane, order: Order, limit: int, running: Demand | None) -> int:
        """Count the further pods of a lane that fit whatever the scheduler does.

        Claims that come first and may fit as soon as others are bound are not overtaken; but what
        a resource was promised it may take in another shape that is no larger.
        """
        own = 0
        if running is not None and slots_destroyed(lane.need, running.per_pod) <= 1:
            own = running.pods
        count = min(limit, lane.margin)
        if _is_behind(order, lane):
            count = min(count, own)
        for other, harm in lane.harms.items():
            if count <= 0:
                break
            if other.total and _is_behind(order, other):
                count = min(count, own)
            if other.total and other.unbound:
                count = min(count, other.margin // harm)
        return max(0, count)

    def _room_in_quota(self, account: Account) -> QuotaRoom | None:
        claim = account.claim
        assert claim is not None, "only claims are judged"  # noqa: S101 - for the type checker
        return self._quotas.room(
            account.key.namespace, claim.demand.per_pod, account.existing(), account.promised
        )

    # -- answering ----------------------------------------------------------------------------

    def _admission(self, account: Account) -> Admission:
        assert account.claim is not None, "only claims are answered"  # noqa: S101 - for the type checker
        wanted = account.claim.demand.replicas
        shortage = self._shortage(account) if account.missing else None
        return Admission(
            wanted=wanted,
            replicas=account.admitted,
            may_apply=account.admitted > 0 or not wanted,
            verdict=explain(wanted, shortage) if shortage else None,
            shortage=shortage,
        )

    def _shortage(self, account: Account) -> Shortage:
        lane, claim = account.wish, account.claim
        assert lane is not None, "who misses replicas waits"  # noqa: S101 - for the type checker
        assert claim is not None, "who waits has a claim"  # noqa: S101 - for the type checker
        queues = [lane.waiting, *(other.waiting for other in lane.harms)]
        place = Place(
            position=1 + sum(bisect_left(queue, claim.order) for queue in queues),
            waiting=sum(map(len, queues)) + account.is_held_by_quota,
        )
        room = self._room_in_quota(account) if account.is_held_by_quota else None
        text = room.text if room else ""
        shortage = self._shortages.explain(account.key, lane, account.missing, place, text)
        return replace(shortage, nodes_per_replica=claim.demand.group_size)


def _between(queue: list[Order], since: Order | None, before: Order | None) -> list[Order]:
    """Return the part of a queue behind one place and up to another; None: its ends."""
    start = bisect_right(queue, since) if since is not None else 0
    end = bisect_right(queue, before) if before is not None else len(queue)
    return queue[start:end]


def _has_no_hope(account: Account) -> bool:
    """Whether judging a claim that waits would change nothing: its lane has no slot to spare.

    A resource that holds a promise of another template may exchange it, so it is judged.
    """
    lane = account.wish
    holds_another = account.demand is not None and not account.is_as_claimed
    return lane is not None and lane.margin <= 0 and not holds_another


def _is_behind(order: Order, lane: Lane) -> bool:
    """Whether a claim that comes first waits for this lane."""
    return bool(lane.waiting) and lane.waiting[0] < order
