"""A question without a plan, and whether a change gives it one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from qwen3_planner.changes import apply_change
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Change
from qwen3_planner.question import understand
from qwen3_planner.solving import Judged, Solution, has_fit, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.changes import Value
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.question import Question
    from qwen3_planner.request import PlanRequest


MOST_PLACES = 150
"""Kinds of hardware that are tried where speeds have to be predicted, the smallest first: what none
of them reaches is asked for in vain, and prediction costs ten times what memory does."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A question that has no plan.

    Attributes:
        question: with its defaults resolved.
        inventory: the hardware.
        catalog: resolves hardware that is proposed.
        solution: every candidate refused.
    """

    question: Question
    inventory: Inventory
    catalog: Catalog
    solution: Solution

    @property
    def request(self) -> PlanRequest:
        """What was asked."""
        return self.question.request

    def gives_plan(self, change: Change) -> bool:
        """Whether the planner finds a plan once this is changed."""
        return self.has_fit_of(self.request, change)

    def has_fit_of(
        self, request: PlanRequest, change: Change, judged: Judged | None = None
    ) -> bool:
        """Whether a request has a plan once this is changed.

        Args:
            request: what is asked.
            change: of it.
            judged: what was judged before, of changes that take other hardware alone.
        """
        try:
            asked, inventory = apply_change(request, self.inventory, change, self.catalog)
            return has_fit(understand(asked, inventory, self.catalog), inventory, judged)
        except SpecError:
            return False

    def solution_of(self, request: PlanRequest, change: Change) -> Solution | None:
        """Return all verdicts on a request once this is changed; None where it is nonsense."""
        try:
            asked, inventory = apply_change(request, self.inventory, change, self.catalog)
            return solve(understand(asked, inventory, self.catalog), inventory)
        except SpecError:
            return None

    def first(self, changes: Iterable[Change]) -> Change | None:
        """Return the first of these changes that gives a plan."""
        return next((change for change in changes if self.gives_plan(change)), None)

    def first_place(self, changes: Iterable[Change]) -> Change | None:
        """Return the first of these changes, all of hardware alone, that gives a plan."""
        judged: Judged = {}
        tried = islice(changes, MOST_PLACES if self.request.targets.are_given else None)
        return next((one for one in tried if self.has_fit_of(self.request, one, judged)), None)

    def largest(self, name: str, low: int, high: int, grain: int = 1) -> Change | None:
        """Return the assignment of the largest value in [low, high] that gives a plan.

        Values are multiples of the grain; smaller ones are taken to fit wherever larger ones do.
        """
        if high < low or not self.gives_plan(one(name, low * grain)):
            return None
        return one(
            name, grain * last_true(low, high, lambda n: self.gives_plan(one(name, n * grain)))
        )


def one(name: str, value: Value) -> Change:
    """Make a change of one assignment."""
    return Change(((name, value),))


def last_true(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the largest number up to ``high`` that holds; ``low`` is known to.

    >>> last_true(1, 100, lambda n: n <= 37)
    37
    """
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def smallest_part(stuck: Stuck, change: Change) -> Change:
    """Leave out every assignment that a plan can do without, the costliest first.

    What one needs another may bring, so those that are left are tried again until all are needed.
    """
    kept = change.assignments
    for assignment in change.assignments:
        rest = tuple(one for one in kept if one != assignment)
        if rest and stuck.gives_plan(Change(rest)):
            kept = rest
    return change if kept == change.assignments else smallest_part(stuck, Change(kept))
