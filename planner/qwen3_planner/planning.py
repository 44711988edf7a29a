"""plan(): what is asked, every candidate judged, the best one told; or why none, and what would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.changes import apply_change
from qwen3_planner.explaining import explain as explain_fit
from qwen3_planner.plan import Nearest
from qwen3_planner.question import understand
from qwen3_planner.remedies.finding import find_remedies, with_fixes
from qwen3_planner.remedies.trying import Stuck
from qwen3_planner.solving import solve
from qwen3_planner.telling import first_source, nothing_fits, tell, telling_refusals

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.explanation import Explanation
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Change, PlanResult
    from qwen3_planner.request import PlanRequest


__all__ = ["apply_change", "explain", "plan"]


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
    question = understand(request, inventory, catalog)
    solution = solve(question, inventory)
    if solution.best is not None:
        return tell(question, solution, inventory, catalog)
    stuck = Stuck(question, inventory, catalog, solution)
    remedies = find_remedies(stuck)
    refusals = [with_fixes(no.refusal, remedies) for no in telling_refusals(solution.refused)]
    nearest = _nearest(stuck, remedies[0][1]) if remedies else None
    return nothing_fits(question, first_source(question, catalog), refusals, nearest)


def explain(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> Explanation | None:
    """Take the memory of the plan's tightest GPU and its speed apart; None where nothing fits.

    Args:
        request: as given to :func:`plan`.
        inventory: likewise.
        catalog: likewise.

    Raises:
        SpecError: the request itself is wrong.
    """
    question = understand(request, inventory, catalog)
    solution = solve(question, inventory)
    if solution.best is None:
        return None
    told = tell(question, solution, inventory, catalog)
    return explain_fit(question, solution.best.fit, told, catalog.efficiencies)


def _nearest(stuck: Stuck, change: Change) -> Nearest:
    """Plan the question after its smallest change."""
    request, inventory = apply_change(stuck.request, stuck.inventory, change, stuck.catalog)
    question = understand(request, inventory, stuck.catalog)
    solution = solve(question, inventory)
    return Nearest(change, tell(question, solution, inventory, stuck.catalog))
