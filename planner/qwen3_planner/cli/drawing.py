"""Answers as pages: what a page shows is put together here; only ``-o html`` comes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwen3_planner.curves import load_curve
from qwen3_planner.plan import Plan
from qwen3_planner.report.html.plan_page import Pictured, to_html

if TYPE_CHECKING:
    from qwen3_planner.cli.question_options import Asking
    from qwen3_planner.explanation import Explanation
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import PlanResult


def plan_page(
    asking: Asking,
    result: PlanResult,
    inventory: Inventory,
    explanation: Explanation | None,
    offers: tuple[Offer, ...],
) -> str:
    """Draw the answer of ``qwen3 plan``.

    Args:
        asking: what the command line asks.
        result: the answer.
        inventory: that it is about.
        explanation: how its figures add up, if that is wanted.
        offers: hardware that was compared.
    """
    curve = None
    if isinstance(result, Plan):
        curve = load_curve(result, asking.request, inventory, asking.catalog)
    return to_html(
        Pictured(result, command_line(), curve=curve, offers=offers, explanation=explanation)
    )


def command_line() -> tuple[str, ...]:
    """Return the words that were typed, the program's name first."""
    root = click.get_current_context().find_root()
    return (root.info_name or "qwen3", *(root.obj or ()))
