"""The Pareto front as a table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.report.plan_json import layout_document
from qwen3_planner.report.table import render, thousands, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.fronts import FrontPoint

SHOWN = 16
"""Points of the table; more say little that these do not."""


def front_document(points: Sequence[FrontPoint]) -> list[dict[str, Any]]:
    """Say every point, the quickest per token first."""
    return [_point_document(point) for point in points]


def _point_document(point: FrontPoint) -> dict[str, Any]:
    document: dict[str, Any] = {
        "accelerator": point.accelerator,
        "layout": layout_document(point.layout),
        "quantization": point.quantization,
        "concurrency": point.concurrency,
        "ttftMs": point.ttft_ms,
        "tpotMs": point.tpot_ms,
        "outputTokensPerSecond": point.output_tokens_per_second,
    }
    if point.usd_per_million_output_tokens is not None:
        document["usdPerMillionOutputTokens"] = point.usd_per_million_output_tokens
    if point.is_narrow:
        document["fitsNarrowly"] = True
    return document


def front_text(points: Sequence[FrontPoint], width: int) -> str:
    """Show the front, thinned evenly where it is long; its ends are always shown."""
    title = "Pareto front of one replica: nothing else is as good in all (times in ms)"
    if not points:
        nothing = "nothing fits within the limits, or nothing is known of its speed."
        return "\n".join(["Pareto front", *wrapped(nothing, width, "  ")]) + "\n"
    shown = thinned(points)
    headers = ("quant", "layout", "at once", "TPOT", "TTFT", "tok/s", "$/M")
    is_mixed = len({point.accelerator for point in points}) > 1
    rows = [_row(point, is_mixed=is_mixed) for point in shown]
    lines = [f"  {line}" for line in render(headers, rows, right=headers[2:])]
    if any(point.is_narrow for point in shown):
        lines += wrapped("~ fits inside the error of the estimate: it may not start", width, "  ")
    if len(shown) < len(points):
        lines.append(f"  {len(shown)} of {len(points)} points: -o json lists all")
    return "\n".join([*wrapped(title, width), *lines]) + "\n"


def _row(point: FrontPoint, *, is_mixed: bool) -> tuple[str, ...]:
    usd = point.usd_per_million_output_tokens
    where = f" {point.accelerator}" if is_mixed else ""
    return (
        point.quantization,
        f"{'~' if point.is_narrow else ''}{point.layout}{where}",
        thousands(point.concurrency),
        f"{point.tpot_ms:.1f}",
        f"{point.ttft_ms:,.0f}",
        f"{point.output_tokens_per_second:,.0f}",
        "" if usd is None else f"{usd:.2f}",
    )


def thinned(points: Sequence[FrontPoint]) -> list[FrontPoint]:
    """Pick evenly, both ends among them.

    >>> thinned([1, 2, 3])
    [1, 2, 3]
    """
    if len(points) <= SHOWN:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (SHOWN - 1))] for place in range(SHOWN)]
