"""What is promised of predicted speeds, what is kept, and what may not get worse."""

from __future__ import annotations

import json
from functools import lru_cache
from math import exp
from statistics import median
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.performance.prediction import NINETY_PERCENT
from support.accuracy.scores import Target
from support.performance.rows import FOLDER, is_first, read_rows, residuals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.figures import Efficiency
    from support.performance.rows import Row

PROMISES = (
    ("time per output token, vLLM", "tpot_ms", ("vllm",), 0.15),
    ("time per output token, SGLang", "tpot_ms", ("sglang",), 0.15),
    ("speed of one request (prompt + output)", "prompt_and_output_tokens_per_s", ("sglang",), 0.12),
    ("output tokens/s at a concurrency", "output_tokens_per_s", ("vllm", "sglang"), 0.20),
    ("llama.cpp, generation", "decode_tokens_per_s", ("llamacpp",), 0.20),
)
"""What is promised of rows that were kept out: figure, measure, engines, largest median error."""

SMALLEST_COVERAGE = 0.85

DIGITS = 4
"""Of a share in the baseline; the last digits of a fit differ between machines."""


@lru_cache(maxsize=1)
def shipped() -> dict[tuple[str, str], Efficiency]:
    """Return the rows that ship, by group and weight format."""
    return {
        (f"{row.engine}/{row.device}/{row.kind}", row.weights): row
        for row in load_catalog().efficiencies
    }


def kept_out(of: dict[tuple[str, str], Efficiency]) -> Iterator[tuple[Row, str, float]]:
    """Yield each figure of each row that was kept out of the fit, with its residual."""
    for row in read_rows():
        if row.is_tested:
            for name, value in residuals(row, of[row.group, row.weights]).items():
                yield row, name, value


def speed_targets(of: dict[tuple[str, str], Efficiency] | None = None) -> tuple[Target, ...]:
    """Judge the rows that were kept out by what was promised."""
    table = shipped() if of is None else of
    found = tuple(kept_out(table))
    told = []
    for title, measure, engines, limit in PROMISES:
        sizes = _sizes(found, measure, engines)
        told.append(
            Target(f"{title}: median", limit, median(sizes), digits=1, rows=len(sizes)),
        )
    inside = [
        abs(value) <= NINETY_PERCENT * (about.ttft_sigma if is_first(name) else about.tpot_sigma)
        for row, name, value in found
        for about in (table[row.group, row.weights],)
    ]
    covered = Target(
        "speeds: truth inside the 90 % interval",
        SMALLEST_COVERAGE,
        sum(inside) / len(inside),
        at_least=True,
        digits=1,
        rows=len(inside),
    )
    return (*told, covered)


def _sizes(
    found: Sequence[tuple[Row, str, float]], measure: str, engines: tuple[str, ...]
) -> list[float]:
    return [
        abs(exp(value) - 1)
        for row, name, value in found
        if name == measure and row.engine in engines
    ]


def speed_baseline() -> dict[str, Any]:
    """Sum up what may not get worse: medians of tested rows by figure and engine."""
    found = tuple(kept_out(shipped()))
    told: dict[str, Any] = {}
    for name, engine in sorted({(name, row.engine) for row, name, _ in found}):
        sizes = _sizes(found, name, (engine,))
        told[f"{name} {engine} tested"] = {
            "rows": len(sizes),
            "median": round(median(sizes), DIGITS),
            "worst": round(max(sizes), DIGITS),
        }
    for each in json.loads((FOLDER / "fit.json").read_text())["transfer"]:
        told[f"transfer {each['unseen']} {each['predicted']} from {each['from']}"] = {
            "rows": each["values"],
            "median": each["median_error"],
            "worst": each["largest_error"],
        }
    return told
