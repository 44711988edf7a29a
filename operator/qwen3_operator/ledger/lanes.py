"""Lanes: pods of one need and one choice of nodes, who compete with the pods of other lanes.

All demands of a lane are alike, so one number says how many slots it has and one how many of its
pods are not bound yet. What one lane can do to another is kept beside it, so that judging a claim
costs a look at each lane and not at each claim, pod or node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.admission import plus, slots, slots_destroyed
from qwen3_operator.decisions.eligibility import may_run_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwen3_operator.decisions.admission import Order
    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.ledger.space import Space
    from qwen3_operator.observed import Key, Resources


MAX_IDLE = 64
"""Claims come and go in the same few shapes; making a lane anew means looking at every node."""


class Lane:
    """Pods that are alike to the scheduler.

    Attributes:
        name: under which :class:`Lanes` keeps it.
        need: of each pod.
        selector: which nodes they may go to.
        released: by node, what pods of the lane's own that are about to be replaced will give
            back; only a lane that belongs to one resource has any.
        slots: by node they may go to.
        total: of the slots.
        unbound: pods admitted to this lane and not bound yet.
        held: of these, pods behind the gate of their group: the scheduler does not look at them.
        placeable: as many of them as can be bound now.
        destroyed: slots that the placeable pods of other lanes can take at the most.
        harms: lanes with a common node, each with the slots that one pod of this lane can take.
        waiting: places in the queue of claims that wait for this lane, in order.
        users: how many demands and claims are here.
    """

    __slots__ = (
        "destroyed",
        "harms",
        "held",
        "name",
        "need",
        "placeable",
        "released",
        "selector",
        "slots",
        "total",
        "unbound",
        "users",
        "waiting",
    )

    def __init__(
        self,
        name: tuple[Any, ...],
        need: Resources,
        selector: Selector,
        released: Mapping[str, Resources],
    ) -> None:
        self.name = name
        self.need = need
        self.selector = selector
        self.released = released
        self.slots: dict[str, int] = {}
        self.total = 0
        self.unbound = 0
        self.held = 0
        self.placeable = 0
        self.destroyed = 0
        self.harms: dict[Lane, int] = {}
        self.waiting: list[Order] = []
        self.users = 0

    @property
    def margin(self) -> int:
        """Slots that remain when every admitted pod is bound in the worst way."""
        return self.total - self.destroyed - self.unbound

    @property
    def let_go(self) -> int:
        """Pods that the scheduler may bind at any moment, or that are about to be made."""
        return self.unbound - self.held

    @property
    def room(self) -> int:
        """Slots that remain when the pods which may be bound now are, in the worst way.

        Unlike the margin it sets nothing aside for pods behind a gate.
        """
        others = sum(min(other.let_go, other.total) * other.harms[self] for other in self.harms)
        return self.total - others - self.let_go

    def look_at(self, name: str, space: Space) -> bool:
        """Judge and count one node anew; return whether the set of possible nodes changed."""
        node = space.nodes.get(name)
        before = self.slots.pop(name, None)
        self.total -= before or 0
        if node is None or not may_run_on(self.selector, node):
            return before is not None
        self.take(name, space)
        return before is None

    def take(self, name: str, space: Space) -> None:
        """Count a node that the pods may go to."""
        self.slots[name] = count = self._slots_on(name, space)
        self.total += count

    def count(self, name: str, space: Space) -> None:
        """Count one node anew whose labels, taints and state are as before."""
        before = self.slots.get(name)
        if before is not None:
            self.slots[name] = count = self._slots_on(name, space)
            self.total += count - before

    def shares_a_node_with(self, other: Lane) -> bool:
        """Whether a pod of each may go to the same node."""
        return not self.slots.keys().isdisjoint(other.slots)

    def _slots_on(self, name: str, space: Space) -> int:
        free = space.free[name]
        if name in self.released:
            free = plus(free, self.released[name])
        return slots(free, self.need)


class Lanes:
    """All lanes, and what each can do to the others."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._lanes: dict[tuple[Any, ...], Lane] = {}
        self._idle: dict[Lane, None] = {}
        self._possible: dict[Selector, tuple[str, ...]] = {}

    def __iter__(self) -> Iterator[Lane]:
        """Go through all lanes."""
        return iter(self._lanes.values())

    def enter(
        self, key: Key, need: Resources, selector: Selector, released: Mapping[str, Resources]
    ) -> Lane:
        """Return the lane for such pods of a resource, and note that the resource uses it."""
        name = _name(key, need, selector, released)
        lane = self._lanes.get(name)
        if lane is None:
            lane = Lane(name, need, selector, released)
            for node in self._possible_nodes(selector):
                lane.take(node, self._space)
            for other in self:
                _relate(lane, other)
            self._lanes[name] = lane
        lane.users += 1
        self._idle.pop(lane, None)
        return lane

    def leave(self, lane: Lane) -> None:
        """Note that a lane is used once less; of those that nobody uses only a few are kept."""
        lane.users -= 1
        if lane.users:
            return
        self._idle[lane] = None
        if lane.released or len(self._idle) > MAX_IDLE:
            gone = lane if lane.released else next(iter(self._idle))
            del self._idle[gone]
            del self._lanes[gone.name]
            for other in gone.harms:
                del other.harms[gone]

    def _possible_nodes(self, selector: Selector) -> tuple[str, ...]:
        known = self._possible.get(selector)
        if known is None:
            nodes = self._space.nodes.items()
            known = tuple(name for name, node in nodes if may_run_on(selector, node))
            self._possible[selector] = known
        return known

    def book(self, lane: Lane, pods: int, held: int) -> None:
        """Note that so many more pods of the lane are admitted and not bound (or fewer).

        `held` of them are behind a gate.
        """
        lane.unbound += pods
        lane.held += held
        self._spread(lane)

    def judge_node(self, name: str) -> None:
        """Look at a node whose labels, taints, state or size changed, or that went."""
        self._possible.clear()
        moved = [lane for lane in self if lane.look_at(name, self._space)]
        if moved:
            self._relate_all()
        for lane in self:
            self._spread(lane)

    def count_node(self, name: str) -> None:
        """Look at a node on which more or less is free than before."""
        for lane in self:
            lane.count(name, self._space)
            self._spread(lane)

    def _relate_all(self) -> None:
        lanes = list(self)
        for lane in lanes:
            lane.harms, lane.placeable, lane.destroyed = {}, 0, 0
        for number, lane in enumerate(lanes):
            for other in lanes[:number]:
                _relate(lane, other)

    def _spread(self, lane: Lane) -> None:
        placeable = min(lane.unbound, lane.total)
        more = placeable - lane.placeable
        if more:
            lane.placeable = placeable
            for other, harm in lane.harms.items():
                other.destroyed += more * harm


def _name(
    key: Key, need: Resources, selector: Selector, released: Mapping[str, Resources]
) -> tuple[Any, ...]:
    """Name a lane: what makes pods alike; with something to give back it is the resource's own."""
    return (need, selector, key, *sorted(released.items())) if released else (need, selector)


def _relate(lane: Lane, other: Lane) -> None:
    """Note what a pod of each lane can do to the other."""
    if lane.shares_a_node_with(other):
        lane.harms[other] = slots_destroyed(lane.need, other.need)
        other.harms[lane] = slots_destroyed(other.need, lane.need)
        lane.destroyed += other.placeable * other.harms[lane]
        other.destroyed += lane.placeable * lane.harms[other]
