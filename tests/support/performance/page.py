"""The page that shows how far the predicted speeds are off."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any

from support.performance.promises import kept_out, speed_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.figures import Efficiency

HEAD = """# How far predicted speeds are off

<!-- Written by `make speeds`; do not edit. -->

What the performance model says beside what was measured. Rows and their sources:
`tests/unit/planner/accuracy/performance/rows.json`. Each third row of a group (engine, class of
device, kind of model, weight format; in the order of the SHA-256 of their ids) was **kept out of
the fit**: only those are judged. How the model works: [performance](../explanation/performance.md).
"""

MEASURED = {
    "tpot_ms": "ms per output token",
    "ttft_ms": "ms to first token",
    "output_tokens_per_s": "output tokens/s",
    "prompt_and_output_tokens_per_s": "(prompt + output) tokens/s",
    "decode_tokens_per_s": "generated tokens/s",
    "prompt_tokens_per_s": "prompt tokens/s",
}


def page(table: list[Efficiency], said: dict[str, Any]) -> str:
    """Write the page.

    Args:
        table: the rows that ship.
        said: what ``fit.json`` holds.
    """
    of = {(f"{row.engine}/{row.device}/{row.kind}", row.weights): row for row in table}
    parts = [HEAD, *_promises(of), *_groups(said), *_transfer(said), *_rows(of), *_left_out(said)]
    return "\n".join(parts) + "\n"


def _promises(of: dict[tuple[str, str], Efficiency]) -> Iterator[str]:
    yield "## Promises\n"
    yield "| rows kept out of the fit | promised | reached | values | kept |"
    yield "|---|---|---|---|---|"
    for target in speed_targets(of):
        kept = "yes" if target.is_met else "**no**"
        sign = ">=" if target.at_least else "<="
        yield (
            f"| {target.name} | {sign} {target.limit:.0%} | {target.value or 0.0:.1%} |"
            f" {target.rows} | {kept} |"
        )


def _groups(said: dict[str, Any]) -> Iterator[str]:
    yield "\n## Errors by group\n"
    yield "| engine / device / kind / weights | figure | rows | median | largest |"
    yield "|---|---|---|---|---|"
    for key, group in said["groups"].items():
        for part in ("tested", "fitted"):
            for name, each in group[part].items():
                yield (
                    f"| {key} | {MEASURED[name]} | {each['values']} {part} |"
                    f" {each['median_error']:.1%} | {each['largest_error']:.0%} |"
                )


def _transfer(said: dict[str, Any]) -> Iterator[str]:
    yield "\n## What the figures say of what they never saw\n"
    yield (
        "Rows of one group predicted with the figures of another, and of each layout with figures"
        " fitted on the other layouts; times to the first token are left out.\n"
    )
    yield "| unseen | predicted | with the figures of | values | median error | largest |"
    yield "|---|---|---|---|---|---|"
    for each in said["transfer"]:
        yield (
            f"| {each['unseen']} | {each['predicted']} | {each['from']} | {each['values']} |"
            f" {each['median_error']:.1%} | {each['largest_error']:.0%} |"
        )


def _rows(of: dict[tuple[str, str], Efficiency]) -> Iterator[str]:
    yield "\n## Every row that was kept out\n"
    yield "| row | figure | measured | computed | off by |"
    yield "|---|---|---|---|---|"
    for row, name, value in kept_out(of):
        measured = row.measured[name]
        yield (
            f"| {row.id} | {MEASURED[name]} | {measured:.4g} | {measured * exp(value):.4g} |"
            f" {exp(value) - 1:+.1%} |"
        )


def _left_out(said: dict[str, Any]) -> Iterator[str]:
    yield "\n## Not used\n"
    yield "| row | reason |"
    yield "|---|---|"
    for each in said["not_used"]:
        yield f"| {each['id']} | {each['reason']} |"
