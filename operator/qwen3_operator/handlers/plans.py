"""The planner with a memory: equal questions about the same hardware are answered once."""

from __future__ import annotations

from collections import OrderedDict
from time import perf_counter
from typing import TYPE_CHECKING

from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest


class PlanCache:
    """The planner's answers by question and inventory; equal resources are planned once."""

    def __init__(
        self,
        plan: Callable[[PlanRequest, Inventory], PlanResult],
        watcher: Callable[[str, float | None], None],
        *,
        size: int = 4096,
    ) -> None:
        """Remember answers of `plan`.

        `watcher` is told the outcome (feasible, infeasible, remembered) and the seconds it took.
        """
        self._plan = plan
        self._watcher = watcher
        self._size = size
        self._answers: OrderedDict[tuple[PlanRequest, int], tuple[Inventory, PlanResult]] = (
            OrderedDict()
        )

    def __call__(self, request: PlanRequest, inventory: Inventory) -> PlanResult:
        """Return the plan, made now or earlier.

        The ledger hands out the same inventory until the hardware changes, so its identity will
        do; the entry keeps it alive, so that its id cannot be given to another one.
        """
        entry = (request, id(inventory))
        if entry in self._answers:
            self._watcher("remembered", None)
        else:
            started = perf_counter()
            answer = self._plan(request, inventory)
            outcome = "feasible" if isinstance(answer, Plan) else "infeasible"
            self._watcher(outcome, perf_counter() - started)
            self._answers[entry] = (inventory, answer)
            if len(self._answers) > self._size:
                self._answers.popitem(last=False)
        self._answers.move_to_end(entry)
        return self._answers[entry][1]
