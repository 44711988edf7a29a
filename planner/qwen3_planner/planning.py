"""plan(): what is asked, every candidate judged, the best one told; or why none, and what would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.question import understand
from qwen3_planner.solving import solve
from qwen3_planner.telling import nothing_fits, tell, telling_refusals

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest


def plan(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> PlanResult:
    """Answer one question. Pure: equal questions have equal answers.

    Args:
        request: what is asked; what it fixes is binding.
        inventory: the hardware the plan may use.
        catalog: the models, checkpoints, accelerators and engines that are known.

    Returns:
        The best plan, or why there is none and the smallest change that would give one.

    Raises:
        SpecError: the request itself is wrong (an unknown model, an impossible number).
    """
    question = understand(request, catalog)
    solution = solve(question, inventory)
    if solution.best is not None:
        return tell(question, solution, inventory)
    refusals = tuple(one.refusal for one in telling_refusals(solution.refused))
    return nothing_fits(question, refusals, None)
