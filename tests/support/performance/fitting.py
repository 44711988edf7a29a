"""Fitting a group of rows: shared unknowns of the engine, own ones of each weight format."""

from __future__ import annotations

from math import copysign, exp, log, sqrt
from typing import TYPE_CHECKING, Any, TypeAlias

from qwen3_planner.catalog.figures import Efficiency
from support.performance.groups import GROUPS
from support.performance.least_squares import minimise
from support.performance.rows import residuals
from support.performance.traits import trait_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.performance.groups import Group
    from support.performance.rows import Row

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

LLAMA_START = {"experts": 0.75}
"""llama.cpp multiplies experts as it multiplies all else, one row at a time."""

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

TILES = {"16bit": 64.0, "fp8": 64.0, "int8": 16.0, "4bit": 16.0, "gguf": 1.0, "gguf16": 1.0}
"""Rows of a tile: the least of Hopper's warp-group products, of Marlin's kernels, and of those of
llama.cpp, which multiply by a vector."""

EXPERT_TILES = {"16bit": 16.0, "fp8": 64.0, "int8": 16.0, "4bit": 16.0, "gguf": 1.0, "gguf16": 1.0}
"""The same of fused experts: Triton takes 16 rows for small batches, block-scaled FP8 takes 64."""

SHARES = (
    "memory",
    "experts",
    "experts_always",
    "kv",
    "compute",
    "attention",
    "link",
    "burst",
)
"""Unknowns that cannot exceed 1."""

RESIDUAL_WIDTH = 0.08
OUTLIER = 2.5
FIRST_TOKEN_WEIGHT = 0.3
"""The time to the first token counts less: it hangs on how the clients were started."""


KERNELS = ("memory", "experts", "compute")
"""What belongs to a format's kernels, not to the engine around them."""

FORMAT_START = {"fp8": (0.8, 0.9), "int8": (1.0, 1.0), "4bit": (1.0, 0.75)}
"""Shares of bandwidth and arithmetic, in those of 16 bit, where no row has the format."""

Fitted: TypeAlias = dict[str, dict[str, Figures]]
"""By group, then by class of weight format."""


def carry(figures: Figures, origin: str, target: str) -> Figures:
    """Carry figures from one class of devices to another, by what is known of both."""
    if origin == target:
        return figures
    had, has = trait_of(origin), trait_of(target)
    memory, compute = has.memory / had.memory, has.compute / had.compute
    factors = {
        "memory": memory,
        "experts": memory,
        "kv": memory,
        "compute": compute,
        "attention": compute,
        "layer_us": has.layer / had.layer,
    }
    carried = {name: value * factors.get(name, 1.0) for name, value in figures.items()}
    return {name: capped(v) if name in SHARES else v for name, v in carried.items()}


def donors(fitted: Fitted, kind: str, weights: str) -> list[str]:
    """Name the groups whose kernels for a format are known: of the kind, else of the other."""
    known = [name for name, each in fitted.items() if weights in each]
    return [name for name in known if name.endswith(f"/{kind}")] or known


def kernels(fitted: Fitted, base: Figures, device: str, kind: str, weights: str) -> Figures:
    """Return the middle of what all groups say of a format's kernels, carried to a device.

    Args:
        fitted: groups so far.
        base: figures of a 16-bit format on that device.
        device: class of it.
        kind: dense or moe.
        weights: class of the format.
    """
    known = donors(fitted, kind, weights)
    if not known:
        memory, compute = FORMAT_START.get(weights, (1.0, 1.0))
        return {
            **base,
            "memory": base["memory"] * memory,
            "experts": base["experts"] * memory,
            "compute": base["compute"] * compute,
        }
    there = [carry(fitted[name][weights], name.split("/")[1], device) for name in known]
    means = {name: exp(sum(log(each[name]) for each in there) / len(there)) for name in KERNELS}
    return {**base, **means}


def prior_of(fitted: Fitted, group: Group, formats: Iterable[str]) -> dict[str, Figures]:
    """Return the prior of each weight format, and of any other as ``any``."""
    engine, device, kind = group.name.split("/")
    parent = _nearest_ancestor(fitted, group)
    if parent is None:
        relatives = [name for name in fitted if name.startswith(f"{engine}/")]
        parent = relatives[0] if relatives else None
    if parent is None:
        start = {**START, **LLAMA_START} if engine == "llamacpp" else START
        base = carry(start, "hopper", device)
        return {ANY: base, **{f: kernels(fitted, base, device, kind, f) for f in formats}}
    figures, origin = fitted[parent], parent.split("/")[1]
    base = carry(figures.get("16bit") or next(iter(figures.values())), origin, device)
    found = {ANY: base}
    for weights in formats:
        if weights in figures:
            found[weights] = carry(figures[weights], origin, device)
        elif weights.startswith("gguf"):
            found[weights] = base
        else:
            found[weights] = kernels(fitted, base, device, kind, weights)
    return found


def _nearest_ancestor(fitted: Fitted, group: Group) -> str | None:
    parents = {each.name: each.parent for each in GROUPS}
    name = group.parent
    while name is not None and name not in fitted:
        name = parents[name]
    return name


def fit_group(
    rows: Iterable[Row],
    shared: tuple[str, ...],
    own: tuple[str, ...],
    prior: dict[str, Figures],
) -> dict[str, Figures]:
    """Return the figures of each weight format that the rows have."""
    chosen = list(rows)
    device = chosen[0].device
    formats = sorted({row.weights for row in chosen})
    names = [(name, "") for name in shared] + [(name, fmt) for fmt in formats for name in own]
    priors = [log(prior.get(fmt, prior[ANY])[name]) for name, fmt in names]

    def figures_of(unknowns: list[float], weights: str) -> Figures:
        figures = dict(prior.get(weights, prior[ANY]))
        for (name, fmt), value in zip(names, unknowns, strict=True):
            if fmt in ("", weights):
                figures[name] = exp(value)
        return {n: capped(v) if n in SHARES else v for n, v in figures.items()}

    def errors(unknowns: list[float]) -> list[float]:
        of = {fmt: plain(figures_of(unknowns, fmt), fmt, device) for fmt in formats}
        found = []
        for row in chosen:
            for name, value in residuals(row, of[row.weights]).items():
                weight = FIRST_TOKEN_WEIGHT if name == "ttft_ms" else 1.0
                found.append(weight * _robust(value / RESIDUAL_WIDTH))
        for (name, _), value, start in zip(names, unknowns, priors, strict=True):
            found.append((value - start) / WIDTHS[name])
        return found

    starts = [
        [
            start + log(factor) * (name == "compute")
            for (name, _), start in zip(names, priors, strict=True)
        ]
        for factor in COMPUTE_STARTS
    ]
    solved = min(
        (minimise(errors, start) for start in starts), key=lambda found: cost_of(errors(found))
    )
    return {fmt: figures_of(solved, fmt) for fmt in formats}


def cost_of(values: list[float]) -> float:
    """Return the sum of squares that a fit makes least."""
    return sum(value * value for value in values)


COMPUTE_STARTS = (1.0, 0.4)
"""Where fits start, in priors: slow prompts are told by reading or by arithmetic, each a valley."""


def capped(value: float) -> float:
    """Bend a share below 1 without an edge, at which a fit would be stuck.

    >>> round(capped(0.5), 3), round(capped(0.9), 3), round(capped(2.0), 3)
    (0.5, 0.89, 1.0)
    """
    return float(value / (1.0 + value**SHARPNESS) ** (1.0 / SHARPNESS))


SHARPNESS = 16.0


def _robust(value: float) -> float:
    size = abs(value)
    return value if size < OUTLIER else copysign(sqrt(2 * OUTLIER * size - OUTLIER**2), value)


def plain(figures: Figures, weights: str, device: str) -> Efficiency:
    """Make a row of figures that has neither a key nor an error."""
    values: dict[str, Any] = dict(figures)
    rows = trait_of(device).tile_rows
    return Efficiency(
        engine="",
        since="",
        device=device,
        weights=weights,
        kind="",
        tile_rows=min(TILES[weights], rows or TILES[weights]),
        expert_tile_rows=min(EXPERT_TILES[weights], rows or EXPERT_TILES[weights]),
        tpot_sigma=0.0,
        ttft_sigma=0.0,
        throughput_sigma=0.0,
        **values,
    )
