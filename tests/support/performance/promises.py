"""What is promised of predicted speeds, what is kept, and what may not get worse."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.loading import load_catalog
from support.accuracy.scores import Target
from support.performance.rows import FOLDER, read_rows, residuals
from support.performance.table import Table, is_inside, share, sigmas

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


LARGEST_TRANSFER = 0.25
"""Goal for what was left out of the fit: the middle of the medians of all devices (models, ...)."""


def kept_out(table: Sequence[Efficiency]) -> Iterator[tuple[Row, str, float, float]]:
    """Yield each figure of each row that was kept out of the fit: row, name, residual, spread."""
    judge = Table({}, tuple(table), {})
    for row in read_rows():
        about = judge.of(row) if row.is_tested else None
        if about is not None:
            spread = sigmas(row, about)
            for name, value in residuals(row, about).items():
                yield row, name, value, spread[name]


def speed_targets(
    table: Sequence[Efficiency] | None = None, said: dict[str, Any] | None = None
) -> tuple[Target, ...]:
    """Judge the rows that were kept out, and those left out, by what was promised.

    Args:
        table: efficiencies; those that ship by default.
        said: what ``fit.json`` holds, or will.
    """
    found = tuple(kept_out(load_catalog().efficiencies if table is None else table))
    told = []
    for title, measure, engines, limit in PROMISES:
        sizes = _sizes(found, measure, engines)
        told.append(
            Target(f"{title}: median", limit, median(sizes), digits=1, rows=len(sizes)),
        )
    inside = [is_inside(value, sigma) for _, _, value, sigma in found]
    told.append(
        _coverage("speeds: truth inside the 90 % interval", inside.count(True), len(inside))
    )
    left_out = (said or _said())["left_out"]
    for axis in TRANSFERS:
        mine = [each for each in left_out if each["unseen"] == axis and "median_error" in each]
        medians = [each["median_error"] for each in mine]
        count = sum(each["values"] for each in mine)
        name = f"{axis} never seen: middle of {len(mine)} medians"
        told.append(Target(name, LARGEST_TRANSFER, median(medians), digits=1, rows=count))
        held = sum(round(each["inside"] * each["values"]) for each in mine)
        told.append(_coverage(f"{axis} never seen: truth inside the interval", held, count))
    return tuple(told)


TRANSFERS = ("device", "model", "engine version", "engine")


def _coverage(name: str, inside: int, rows: int) -> Target:
    return Target(name, SMALLEST_COVERAGE, inside / rows, at_least=True, digits=1, rows=rows)


def _said() -> dict[str, Any]:
    said: dict[str, Any] = json.loads((FOLDER / "fit.json").read_text())
    return said


def _sizes(
    found: Sequence[tuple[Row, str, float, float]], measure: str, engines: tuple[str, ...]
) -> list[float]:
    return [
        share(value) for row, name, value, _ in found if name == measure and row.engine in engines
    ]


def speed_baseline() -> dict[str, Any]:
    """Sum up what may not get worse: medians of tested rows, and of what was left out."""
    found = tuple(kept_out(load_catalog().efficiencies))
    told: dict[str, Any] = {}
    for name, engine in sorted({(name, row.engine) for row, name, _, _ in found}):
        sizes = _sizes(found, name, (engine,))
        told[f"{name} {engine} tested"] = {
            "rows": len(sizes),
            "median": round(median(sizes), DIGITS),
            "worst": round(max(sizes), DIGITS),
        }
    for each in _said()["left_out"]:
        if "median_error" in each:
            told[f"without {each['unseen']} {each['value']}: {each['engine']}"] = {
                "rows": each["values"],
                "median": each["median_error"],
                "worst": each["largest_error"],
            }
    return told
