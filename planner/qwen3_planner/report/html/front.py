"""Latency against throughput against cost: every layout that fits, and those nothing beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.fronts import front_of
from qwen3_planner.report.html.figures import (
    DASH,
    SECOND_MS,
    compact,
    dollars,
    duration,
    milliseconds,
    tick_duration,
    whole,
)
from qwen3_planner.report.html.lines import Mark, mark
from qwen3_planner.report.html.markup import NOTHING, Markup, tag
from qwen3_planner.report.html.page import section
from qwen3_planner.report.html.plotting import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Axis,
    Frame,
    chart,
    path,
)
from qwen3_planner.report.html.scales import logarithmic
from qwen3_planner.report.html.tables import Column, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.fronts import FrontPoint
    from qwen3_planner.plan import Plan

SMALLEST, LARGEST = 2.5, 7.0
"""Radii of the dots for the cheapest and the dearest tokens."""

MOST_ROWS = 24
"""Rows of the table: the front is thinned out evenly where it has more."""


def front_section(found: Sequence[FrontPoint], plan: Plan) -> Markup:
    """Draw every point with the front that leads them; nothing where fewer than two are known.

    Args:
        found: every candidate under every load, as ``--pareto`` compares them.
        plan: the one that is marked among them.
    """
    best = front_of(found)
    if len(best) < 2:  # noqa: PLR2004 - a line has two ends
        return NOTHING
    note = (
        "Each dot is one layout and weight format that fits, at one number of requests in flight."
        " To the left is quicker for each user, above is more from a replica, larger is dearer per"
        " token. Nothing beats the filled dots; the line joins those that no quicker one outdoes in"
        " throughput. The ring is the plan at the load asked for."
    )
    return section(
        "front",
        "Latency against throughput against cost",
        tag("div", _drawn(found, best, plan), class_="charts"),
        tag("details", tag("summary", "The best as figures"), _figures(best, plan)),
        note=note,
        long=True,
    )


def _drawn(found: Sequence[FrontPoint], best: Sequence[FrontPoint], plan: Plan) -> Markup:
    quickest, most = best[0], max(best, key=_tokens)
    frame = Frame(
        key="front-chart",
        title="Pareto front",
        description=(
            f"The quickest is {_said(quickest)}. The most gives {_said(most)}."
            f" {len(best)} of {len(found)} points are beaten by none."
        ),
        x=Axis(
            "Time per output token, logarithmic",
            logarithmic([_seconds(one) for one in found], LEFT, RIGHT),
            tick_duration,
        ),
        y=Axis(
            "Output tokens/s of a replica, logarithmic",
            logarithmic([_tokens(one) for one in found], BOTTOM, TOP),
            compact,
        ),
    )
    dearest = max((one.usd_per_million_output_tokens or 0.0 for one in found), default=0.0)
    ahead = set(best)
    behind = [_dot(frame, one, dearest, "dot behind") for one in found if one not in ahead]
    leading = [_dot(frame, one, dearest, "dot") for one in best]
    line = tag("path", d=path([_place(frame, one) for one in _envelope(best)]), class_="front")
    asked = [
        mark(frame, Mark("asked", _seconds(one), _tokens(one), is_hollow=True))
        for one in found
        if _is_of(plan, one) and _is_asked(plan, one)
    ]
    return chart(frame, *behind, line, *leading, *asked)


def _envelope(best: Sequence[FrontPoint]) -> list[FrontPoint]:
    """Keep what generates more than everything that is quicker."""
    kept: list[FrontPoint] = []
    for one in best:
        if not kept or _tokens(one) > _tokens(kept[-1]):
            kept.append(one)
    return kept


def _seconds(one: FrontPoint) -> float:
    return one.tpot_ms / SECOND_MS


def _tokens(one: FrontPoint) -> float:
    return one.output_tokens_per_second


def _is_of(plan: Plan, one: FrontPoint) -> bool:
    mine = (plan.layout, plan.quantization, plan.placement.accelerator)
    return mine == (one.layout, one.quantization, one.accelerator)


def _is_asked(plan: Plan, one: FrontPoint) -> bool:
    return plan.performance is not None and plan.performance.concurrency == one.concurrency


def _place(frame: Frame, one: FrontPoint) -> tuple[float, float]:
    return frame.point(_seconds(one), _tokens(one))


def _dot(frame: Frame, one: FrontPoint, dearest: float, kind: str) -> Markup:
    x, y = _place(frame, one)
    radius = SMALLEST
    if one.usd_per_million_output_tokens is not None and dearest:
        along = (one.usd_per_million_output_tokens / dearest) ** 0.5
        radius += (LARGEST - SMALLEST) * along
    return tag("circle", tag("title", _said(one)), cx=x, cy=y, r=radius, class_=kind)


def _said(one: FrontPoint) -> str:
    usd = one.usd_per_million_output_tokens
    price = "" if usd is None else f", {dollars(usd)} a million"
    return (
        f"{one.quantization} {one.layout} on {_hardware(one)} with {one.concurrency:,} in flight:"
        f" {duration(_seconds(one))} a token, {whole(_tokens(one))} tokens/s{price}"
    )


def _hardware(one: FrontPoint) -> str:
    return f"{one.layout.gpus_per_replica} x {one.accelerator}"


def _figures(best: Sequence[FrontPoint], plan: Plan) -> Markup:
    step = -(-len(best) // MOST_ROWS)
    rows = []
    for one in best[::step]:
        usd = one.usd_per_million_output_tokens
        name = f"{one.quantization} {one.layout}"
        rows.append(
            (
                f"{name} \u2190 the plan" if _is_of(plan, one) else name,
                _hardware(one),
                f"{one.concurrency:,}",
                milliseconds(one.ttft_ms),
                milliseconds(one.tpot_ms),
                whole(_tokens(one)),
                DASH if usd is None else dollars(usd),
            )
        )
    names = ("In flight", "TTFT", "TPOT", "Tokens/s", "$ a million")
    columns = (
        Column("Layout"),
        Column("Hardware"),
        *(Column(name, is_number=True) for name in names),
    )
    return table("Quickest first", columns, rows, class_="blocks pairs")
