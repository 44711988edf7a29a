"""Fitting a group of rows: shared unknowns of the engine, own ones of each weight format."""

from __future__ import annotations

from math import copysign, exp, log, sqrt
from typing import TYPE_CHECKING, Any, TypeAlias

from qwen3_planner.catalog.figures import Efficiency
from support.performance.least_squares import minimise
from support.performance.rows import Row, residuals

if TYPE_CHECKING:
    from collections.abc import Iterable

Figures: TypeAlias = dict[str, float]

ANY = "any"

START = {
    "memory": 0.8,
    "experts": 0.6,
    "experts_always": 0.05,
    "kv": 0.8,
    "compute": 0.6,
    "attention": 0.4,
    "layer_us": 25.0,
    "step_us": 1000.0,
    "sequence_us": 40.0,
    "collective_us": 8.0,
    "link": 0.6,
    "burst": 0.1,
    "bunch": 0.1,
    "first_ms": 20.0,
    "first_steps": 1.0,
}
"""Where a group starts that has no relative."""

WIDTHS = {
    "memory": 0.3,
    "experts": 0.5,
    "experts_always": 3.0,
    "kv": 0.4,
    "compute": 0.5,
    "attention": 0.6,
    "layer_us": 1.0,
    "step_us": 1.5,
    "sequence_us": 2.4,
    "collective_us": 1.8,
    "link": 1.5,
    "burst": 3.0,
    "bunch": 3.0,
    "first_ms": 3.0,
    "first_steps": 2.0,
}
"""How far an unknown may stray from its prior: standard deviation of its logarithm."""

TILES = {"16bit": 64.0, "fp8": 64.0, "int8": 16.0, "4bit": 16.0, "gguf": 1.0}
"""Rows of a tile: the least of Hopper's warp-group products, of Marlin's kernels, and of those of
llama.cpp, which multiply by a vector."""

EXPERT_TILES = {"16bit": 16.0, "fp8": 64.0, "int8": 16.0, "4bit": 16.0, "gguf": 1.0}
"""The same of fused experts: Triton takes 16 rows for small batches, block-scaled FP8 takes 64."""

SHARES = ("memory", "experts", "experts_always", "kv", "compute", "attention", "link", "burst")
"""Unknowns that cannot exceed 1."""

RESIDUAL_WIDTH = 0.08
OUTLIER = 2.5
FIRST_TOKEN_WEIGHT = 0.3
"""The time to the first token counts less: it hangs on how the clients were started."""


def prior_of(fitted: dict[str, dict[str, Figures]], parent: str | None) -> dict[str, Figures]:
    """Return the prior of each weight format; ``any`` where the parent lacks it."""
    if parent is None:
        return {ANY: START}
    figures = fitted[parent]
    first = figures.get("16bit") or next(iter(figures.values()))
    return {ANY: first, **figures}


def fit_group(
    rows: Iterable[Row],
    shared: tuple[str, ...],
    own: tuple[str, ...],
    prior: dict[str, Figures],
) -> dict[str, Figures]:
    """Return the figures of each weight format that the rows have."""
    chosen = list(rows)
    formats = sorted({row.weights for row in chosen})
    names = [(name, "") for name in shared] + [(name, fmt) for fmt in formats for name in own]
    priors = [log(prior.get(fmt, prior[ANY])[name]) for name, fmt in names]

    def figures_of(unknowns: list[float], weights: str) -> Figures:
        figures = dict(prior.get(weights, prior[ANY]))
        for (name, fmt), value in zip(names, unknowns, strict=True):
            if fmt in ("", weights):
                figures[name] = exp(value)
        for name in SHARES:
            figures[name] = min(1.0, figures[name])
        return figures

    def errors(unknowns: list[float]) -> list[float]:
        of = {fmt: plain(figures_of(unknowns, fmt), fmt) for fmt in formats}
        found = []
        for row in chosen:
            for name, value in residuals(row, of[row.weights]).items():
                weight = FIRST_TOKEN_WEIGHT if name == "ttft_ms" else 1.0
                found.append(weight * _robust(value / RESIDUAL_WIDTH))
        for (name, _), value, start in zip(names, unknowns, priors, strict=True):
            found.append((value - start) / WIDTHS[name])
        return found

    solved = minimise(errors, priors)
    return {fmt: figures_of(solved, fmt) for fmt in formats}


def _robust(value: float) -> float:
    size = abs(value)
    return value if size < OUTLIER else copysign(sqrt(2 * OUTLIER * size - OUTLIER**2), value)


def plain(figures: Figures, weights: str) -> Efficiency:
    """Make a row of figures that has neither a key nor an error."""
    values: dict[str, Any] = dict(figures)
    return Efficiency(
        engine="",
        since="",
        device="",
        weights=weights,
        kind="",
        tile_rows=TILES[weights],
        expert_tile_rows=EXPERT_TILES[weights],
        tpot_sigma=0.0,
        ttft_sigma=0.0,
        throughput_sigma=0.0,
        **values,
    )
