"""Plans beside the chosen one, and hardware that was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import DASH, dollars, milliseconds, whole
from qwen3_planner.report.html.markup import NOTHING, Markup
from qwen3_planner.report.html.page import section
from qwen3_planner.report.html.tables import Column, table
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import Plan

_FIGURES = (
    Column("Context", is_number=True),
    Column("At once", is_number=True),
    Column("TPOT", is_number=True),
    Column("Tokens/s", is_number=True),
    Column("$ an hour", is_number=True),
)


def alternatives_section(plan: Plan) -> Markup:
    """List the next best plans below the chosen one; nothing where there are none."""
    if not plan.alternatives:
        return NOTHING
    columns = (Column("Plan"), Column("Quantization"), Column("GPUs"), *_FIGURES)
    rows = [
        (
            "chosen" if index == 0 else f"alternative {index}",
            f"{one.quantization} {one.layout}",
            f"{one.gpus} x {one.placement.accelerator}",
            *_figures(one),
        )
        for index, one in enumerate((plan, *plan.alternatives))
    ]
    listed = table("The chosen plan and what else would do", columns, rows, class_="blocks pairs")
    return section("alternatives", "Alternatives", listed)


def offers_section(offers: Sequence[Offer]) -> Markup:
    """List the hardware that was compared, best first; nothing where none was."""
    if not offers:
        return NOTHING
    columns = (
        Column("Hardware"),
        Column("GiB", is_number=True),
        Column("Plan"),
        *_FIGURES,
    )
    rows = [
        (
            offer.hardware,
            f"{gib(offer.device_bytes):,.0f}",
            f"{offer.plan.quantization} {offer.plan.layout}",
            *_figures(offer.plan),
        )
        for offer in offers
    ]
    listed = table("Best first", columns, rows, class_="blocks pairs")
    return section("hardware", "Hardware that holds it", listed)


def _figures(plan: Plan) -> tuple[str, ...]:
    speed = plan.performance
    price = plan.cost.usd_per_hour if plan.cost is not None else plan.usd_per_hour
    return (
        f"{plan.max_model_len:,}",
        f"{plan.memory.max_concurrency:.2f}",
        milliseconds(speed.tpot_ms) if speed else DASH,
        whole(speed.output_tokens_per_second) if speed else DASH,
        dollars(price) if price is not None else DASH,
    )
