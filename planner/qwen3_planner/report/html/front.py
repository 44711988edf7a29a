"""Latency against throughput against cost: every layout that fits, and those nothing beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import (
    DASH,
    compact,
    dollars,
    duration,
    tick_duration,
    whole,
)
from qwen3_planner.report.html.lines import Mark, mark
from qwen3_planner.report.html.markup import NOTHING, Markup, join, tag
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

    from qwen3_planner.curves import TradeOff

SMALLEST, LARGEST = 2.5, 7.0
"""Radii of the dots for the cheapest and the dearest tokens."""

MOST_ROWS = 24
"""Rows of the table: the front is thinned out evenly where it has more."""


def front_section(found: Sequence[TradeOff]) -> Markup:
    """Draw the front; nothing where fewer than two points are known."""
    best = [one for one in found if one.is_best]
    if len(best) < 2:  # noqa: PLR2004 - a line has two ends
        return NOTHING
    note = (
        "Each dot is one layout that fits at one number of requests in flight. To the left is"
        " quicker for each user, above is more from each GPU, larger is dearer per token. Nothing"
        " beats the filled dots on the line; the ring is the plan at the load asked for."
    )
    return section(
        "front",
        "Latency against throughput against cost",
        tag("div", _drawn(found, best), class_="charts"),
        tag("details", tag("summary", "The best as figures"), _figures(best)),
        note=note,
        long=True,
    )


def _drawn(found: Sequence[TradeOff], best: Sequence[TradeOff]) -> Markup:
    quickest, most = best[0], max(best, key=lambda one: one.tokens_per_s_per_gpu)
    frame = Frame(
        key="front-chart",
        title="Pareto front",
        description=(
            f"The quickest is {_said(quickest)}. The most from each GPU gives {_said(most)}."
            f" {len(best)} of {len(found)} points are beaten by none."
        ),
        x=Axis(
            "Time per output token, logarithmic",
            logarithmic([one.tpot_s for one in found], LEFT, RIGHT),
            tick_duration,
        ),
        y=Axis(
            "Output tokens/s of each GPU, logarithmic",
            logarithmic([one.tokens_per_s_per_gpu for one in found], BOTTOM, TOP),
            compact,
        ),
    )
    prices = [one.usd_per_million for one in found if one.usd_per_million is not None]
    behind = [_dot(frame, one, prices) for one in found if not one.is_best]
    ahead = [_dot(frame, one, prices) for one in best]
    line = tag("path", d=path([_place(frame, one) for one in best]), class_="front")
    asked = [
        mark(frame, Mark("asked", one.tpot_s, one.tokens_per_s_per_gpu, is_hollow=True))
        for one in found
        if one.is_asked
    ]
    return chart(frame, *behind, line, *ahead, *asked)


def _place(frame: Frame, one: TradeOff) -> tuple[float, float]:
    return frame.point(one.tpot_s, one.tokens_per_s_per_gpu)


def _dot(frame: Frame, one: TradeOff, prices: Sequence[float]) -> Markup:
    x, y = _place(frame, one)
    radius = SMALLEST
    if one.usd_per_million is not None and max(prices) > min(prices):
        along = (one.usd_per_million / max(prices)) ** 0.5
        radius = SMALLEST + (LARGEST - SMALLEST) * along
    kind = "dot" if one.is_best else "dot behind"
    return tag("circle", tag("title", _said(one)), cx=x, cy=y, r=radius, class_=kind)


def _said(one: TradeOff) -> str:
    price = "" if one.usd_per_million is None else f", {_price(one)} a million output tokens"
    return (
        f"{one.name} on {one.hardware} with {one.concurrency:,} in flight:"
        f" {duration(one.tpot_s)} a token, {whole(one.tokens_per_s_per_gpu)} tokens/s a GPU{price}"
    )


def _price(one: TradeOff) -> str:
    return DASH if one.usd_per_million is None else dollars(one.usd_per_million)


def _figures(best: Sequence[TradeOff]) -> Markup:
    step = -(-len(best) // MOST_ROWS)
    rows = [
        (
            join(one.name, " \u2190 the plan") if one.is_plan else one.name,
            one.hardware,
            f"{one.concurrency:,}",
            duration(one.ttft_s),
            duration(one.tpot_s),
            whole(one.tokens_per_s_per_gpu),
            _price(one),
        )
        for one in best[::step]
    ]
    names = ("In flight", "TTFT", "TPOT", "Tokens/s a GPU", "$ a million")
    columns = (
        Column("Layout"),
        Column("Hardware"),
        *(Column(name, is_number=True) for name in names),
    )
    return table("Quickest first", columns, rows, class_="blocks pairs")
