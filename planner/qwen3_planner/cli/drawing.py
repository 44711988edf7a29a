"""Answers as pages: what a page shows is put together here; only ``-o html`` comes by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from qwen3_planner.catalog.loading import load_api_prices, load_purchase_prices
from qwen3_planner.comparing.comparing import compare
from qwen3_planner.comparing.wish import Wish
from qwen3_planner.curves import load_curve
from qwen3_planner.economics.hosts import Usage
from qwen3_planner.economics.rates import Paying, PriceLists
from qwen3_planner.errors import SpecError
from qwen3_planner.fronts import points
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.report.html.plan_page import Pictured, to_html
from qwen3_planner.request import ParallelismWish, Quantization

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.cli.question_options import Asking
    from qwen3_planner.comparing.comparison import Comparison
    from qwen3_planner.explanation import Explanation
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest


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
    pictured = Pictured(
        result,
        command_line(),
        targets=asking.request.targets,
        offers=offers,
        explanation=explanation,
    )
    if isinstance(result, Plan):
        known = (result, asking.request, inventory, asking.catalog)
        pictured = replace(
            pictured,
            curve=load_curve(*known),
            points=tuple(points(asking.request, inventory, asking.catalog)),
            comparison=_comparison(*known),
        )
    return to_html(pictured)


def _comparison(
    plan: Plan, request: PlanRequest, inventory: Inventory, catalog: Catalog
) -> Comparison | None:
    """Compare the plan with hosts whose prices are known; None where there are none."""
    hosts = tuple(row for row in load_api_prices() if row.variant == plan.variant)
    if not hosts or plan.performance is None or plan.cost is None:
        return None
    usage = Usage(plan.performance.input_tokens, plan.performance.output_tokens)
    wish = Wish(usage, hosts, Paying(), PriceLists(catalog.prices, load_purchase_prices()))
    as_planned = replace(
        request,
        replicas=1,
        quantization=Quantization(plan.quantization),
        max_model_len=plan.max_model_len,
        accelerators=(plan.placement.accelerator,),
        parallelism=ParallelismWish(
            plan.layout.tensor, plan.layout.pipeline, plan.layout.data, plan.layout.expert
        ),
    )
    try:
        found = compare(as_planned, inventory, catalog, wish)
    except SpecError:  # a price or a speed is not known: the page does without
        return None
    return None if isinstance(found, NoPlan) else found


def command_line() -> tuple[str, ...]:
    """Return the words that were typed, the program's name first."""
    root = click.get_current_context().find_root()
    return (root.info_name or "qwen3", *(root.obj or ()))
