"""The page that shows how far the predicted speeds are off."""

from __future__ import annotations

from math import exp
from statistics import median
from typing import TYPE_CHECKING, Any

from support.performance.rows import read_rows, residuals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.figures import Efficiency
    from support.performance.rows import Row

HEAD = """# How far predicted speeds are off

<!-- Written by `make speeds`; do not edit. -->

What the performance model says beside what was measured. Rows and their sources:
`tests/unit/planner/accuracy/performance/rows.json`. Each third row of a group (engine, class of
device, kind of model, weight format; in the order of the SHA-256 of their ids) was **kept out of
the fit**: only those are judged. How the model works: [performance](../explanation/performance.md).
"""

PROMISES = (
    ("time per output token, vLLM", "tpot_ms", ("vllm",), 0.15),
    ("time per output token, SGLang", "tpot_ms", ("sglang",), 0.15),
    ("speed of one request (prompt + output)", "prompt_and_output_tokens_per_s", ("sglang",), 0.12),
    ("output tokens/s at a concurrency", "output_tokens_per_s", ("vllm", "sglang"), 0.20),
    ("llama.cpp, generation", "decode_tokens_per_s", ("llamacpp",), 0.20),
)
"""What is promised of rows that were kept out: figure, measure, engines, largest median error."""

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


def _kept_out(of: dict[tuple[str, str], Efficiency]) -> Iterator[tuple[Row, str, float]]:
    for row in read_rows():
        if row.is_tested:
            for name, value in residuals(row, of[row.group, row.weights]).items():
                yield row, name, value


def _promises(of: dict[tuple[str, str], Efficiency]) -> Iterator[str]:
    yield "## Promises\n"
    yield "| rows kept out of the fit | promised | median error | values | kept |"
    yield "|---|---|---|---|---|"
    for title, measure, engines, limit in PROMISES:
        sizes = [
            abs(exp(value) - 1)
            for row, name, value in _kept_out(of)
            if name == measure and row.engine in engines
        ]
        kept = "yes" if median(sizes) <= limit else "**no**"
        yield f"| {title} | <= {limit:.0%} | {median(sizes):.1%} | {len(sizes)} | {kept} |"
    inside = [
        abs(value) <= 1.645 * (about.ttft_sigma if is_first(name) else about.tpot_sigma)
        for row, name, value in _kept_out(of)
        for about in (of[row.group, row.weights],)
    ]
    share = sum(inside) / len(inside)
    kept = "yes" if share >= 0.85 else "**no**"
    yield f"| inside the 90 % interval | >= 85% | {share:.0%} | {len(inside)} | {kept} |"


def is_first(name: str) -> bool:
    """Whether a measure hangs on the time to the first token."""
    return name in ("ttft_ms", "prompt_tokens_per_s")


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
    for row, name, value in _kept_out(of):
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
