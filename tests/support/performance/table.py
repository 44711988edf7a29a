"""The rows that ship, made of measured ones: what was fitted, and what is carried over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any

from qwen3_planner.engines.versions import Version, parse_version
from qwen3_planner.performance.efficiency import efficiency_of
from qwen3_planner.performance.load import closed_loop
from qwen3_planner.performance.prediction import NINETY_PERCENT, with_intervals
from support.performance.fitting import (
    ANY,
    Figures,
    Fitted,
    carry,
    donors,
    fit_group,
    kernels,
    plain,
    prior_of,
)
from support.performance.groups import GROUPS, SINCE
from support.performance.rows import an_efficiency_server, is_first, residuals
from support.performance.traits import TRAITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qwen3_planner.catalog.figures import Efficiency
    from support.performance.groups import Group
    from support.performance.rows import Row

SMALLEST_SIGMA = 0.04
"""Runs of one set-up differ by so much."""

QUANTILE = 0.93
"""Of the residuals, that a 90 % interval reaches to: a little more, as rows to come differ more."""

LONELY_SIGMA = 0.2
"""Of one row alone; more rows narrow it by the root of their number."""

UNSEEN_SIGMA = {"dense": 0.25, "moe": 0.43}
"""Of devices and formats that were not measured: with these, 90 % intervals hold nine of ten rows
of a device or an engine that is left out of the fit (fit.json, ``left_out``)."""

OTHER_ENGINE_SIGMA = 0.2
"""Added (in squares) where the engine's own part rests on no run of several requests at once."""

FIRST_TOKEN_SIGMA = 0.55
"""Of the time to the first token where no row states it; it hangs on how clients start."""

OTHER_ENGINE_FIRST_SIGMA = 1.0
"""Of the time to the first token then: engines differ most in when they compute prompts."""

FORMATS = ("16bit", "fp8", "int8", "4bit")
"""Classes of weight formats of vLLM and SGLang."""

SERVERS = ("vllm", "sglang")

OTHER_VENDORS = ("apple", "cpu", "rdna", "cdna3")
"""What the rows of llama.cpp on NVIDIA's cards (their device is ``any``) say little of."""

UNSTATED = Version(99, 0)
"""A row that states no version ran the newest that there was."""


@dataclass(frozen=True)
class Table:
    """Efficiencies made of some rows.

    Attributes:
        fitted: figures of each group and weight format.
        rows: what ships.
        behind: ids of the rows that each group and format was fitted on.
    """

    fitted: Fitted
    rows: tuple[Efficiency, ...]
    behind: dict[str, list[str]]

    def of(self, row: Row) -> Efficiency | None:
        """Return the efficiencies that a plan of a row's server would take."""
        return efficiency_of(
            self.rows,
            row.engine,
            version_of(row),
            device=row.device,
            weights=row.weights,
            kind=row.kind,
            subject=(row.model.name, row.raw["device"]),
        )


def version_of(row: Row) -> Version:
    """Return the version that a row ran."""
    return parse_version(row.version) if row.version else UNSTATED


def make_table(rows: Iterable[Row], as_of: str) -> Table:
    """Fit every group that has rows, and carry figures over to the others.

    Args:
        rows: to fit on, and, where they are tested, to take errors from.
        as_of: ISO date.
    """
    usable = [row for row in rows if not row.is_excluded]
    fitted: Fitted = {}
    behind: dict[str, list[str]] = {}
    made: list[Efficiency] = []
    for group in GROUPS:
        mine = [row for row in usable if row.group == group.name]
        fit_on = [row for row in mine if not row.is_tested]
        if not fit_on:
            continue
        formats = sorted({row.weights for row in fit_on})
        prior = prior_of(fitted, group, formats)
        fitted[group.name] = fit_group(fit_on, group.shared, group.own, prior)
        for weights, figures in fitted[group.name].items():
            made.append(_measured(group, weights, figures, mine))
            behind[f"{group.name}/{weights}"] = [r.id for r in fit_on if r.weights == weights]
    made += _carried_over(fitted)
    return Table(fitted, tuple(replace(row, as_of=as_of) for row in made), behind)


def _measured(group: Group, weights: str, figures: Figures, rows: list[Row]) -> Efficiency:
    engine, device, kind = group.name.split("/")
    mine = [row for row in rows if row.weights == weights]
    row = plain(figures, weights, device)
    first = _sigma(mine, row, is_first)
    throughput = _sigma(mine, row, lambda name: name == "output_tokens_per_s")
    speed = _sigma(mine, row, is_speed) or throughput
    fitted = [each for each in mine if not each.is_tested]
    return replace(
        row,
        **_rounded(figures),
        engine=engine,
        since=SINCE[engine],
        device=device,
        weights=weights,
        kind=kind,
        tpot_sigma=speed,
        ttft_sigma=max(first or FIRST_TOKEN_SIGMA, speed),
        throughput_sigma=throughput or speed,
        rows=len(fitted),
        seen=tuple(sorted({(each.model.name, each.raw["device"]) for each in fitted})),
        source="; ".join(sorted({row.source for row in mine})),
        only_seen=group.only_seen,
    )


def is_speed(name: str) -> bool:
    """Whether a measure is the time of a token in decoding, or hangs on it mostly."""
    return not is_first(name) and name != "output_tokens_per_s"


def _sigma(rows: list[Row], efficiency: Efficiency, wanted: Callable[[str], bool]) -> float:
    """Return the spread whose 90 % interval holds most of the rows; 0 where there are none."""
    sizes = sorted(
        abs(value)
        for row in rows
        for name, value in residuals(row, efficiency).items()
        if wanted(name)
    )
    if not sizes:
        return 0.0
    place = min(len(sizes) - 1, int(QUANTILE * len(sizes)))
    seen = sizes[place] / NINETY_PERCENT
    return round(max(SMALLEST_SIGMA, seen, LONELY_SIGMA / sqrt(len(sizes))), 3)


def _rounded(figures: Figures) -> dict[str, Any]:
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def _carried_over(fitted: Fitted) -> list[Efficiency]:
    """Make the rows for devices and formats that nobody measured."""
    made = []
    said = {group.name: group for group in GROUPS}
    devices = (ANY, *(name for name, trait in TRAITS.items() if trait != TRAITS["hopper"]))
    for engine, device, kind in product(SERVERS, devices, ("dense", "moe")):
        name = f"{engine}/{device}/{kind}"
        for weights in FORMATS:
            is_measured = weights in fitted.get(name, {})
            group = said.get(name)
            if not is_measured or (group is not None and group.only_seen):
                made.append(_carried(fitted, name, weights))
            elif group is not None and group.newest:
                made.append(_carried(fitted, name, weights, group.newest))
    for kind in ("dense", "moe"):
        name = f"llamacpp/{ANY}/{kind}"
        if name not in fitted:
            continue
        figures, sigma = fitted[name]["gguf"], UNSEEN_SIGMA[kind]
        made.append(_row(name, ANY, figures, sigma, name))
        for device in OTHER_VENDORS:
            own = f"llamacpp/{device}/{kind}"
            if own not in fitted:
                made.append(_row(own, "gguf", figures, sigma, name))
    return made


def _carried(fitted: Fitted, name: str, weights: str, since: str = "") -> Efficiency:
    """Make a row from others: the engine's part of its own groups, the kernels of all."""
    engine, device, kind = name.split("/")
    usable = _usable(fitted)
    base, base_name = _engine_part(usable, engine, device)
    if since:
        own = fitted[name][weights]
        figures = {**base, **{key: own[key] for key in ("memory", "experts", "kv")}}
        origin = f"kernels of {name} ({weights}), overhead of {base_name}"
    else:
        figures = kernels(usable, base, device, kind, weights)
        known = donors(usable, kind, weights)
        origin = f"{base_name}, kernels from {', '.join(known) or 'other formats'} ({weights})"
    sigma, first = UNSEEN_SIGMA[kind], FIRST_TOKEN_SIGMA
    if f"{engine}/hopper/dense" not in usable:
        sigma = round(sqrt(sigma**2 + OTHER_ENGINE_SIGMA**2), 3)
        first = OTHER_ENGINE_FIRST_SIGMA
    return replace(_row(name, weights, figures, sigma, origin, since), ttft_sigma=max(sigma, first))


def _usable(fitted: Fitted) -> Fitted:
    """Return the groups that say something of others: current, and at odds with none."""
    odd = {group.name for group in GROUPS if group.newest or group.only_seen}
    usable = {
        name: each
        for name, each in fitted.items()
        if name not in odd and not name.startswith("llamacpp")
    }
    return usable or fitted


def _engine_part(fitted: Fitted, engine: str, device: str) -> tuple[Figures, str]:
    """Return figures of 16 bit on a device, the overhead from the engine's main group.

    That is its group on Hopper, else the middle of its groups; those of another engine where it has
    none at all.
    """
    own = [name for name in fitted if name.startswith(f"{engine}/")] or list(fitted)
    main = next((name for name in own if name.split("/")[1:] == ["hopper", "dense"]), None)
    chosen = [main] if main else [name for name in own if name.endswith("/dense")] or own
    parts = []
    for name in chosen:
        each = fitted[name]
        figures = each.get("16bit") or next(iter(each.values()))
        parts.append(carry(figures, name.split("/")[1], device))
    means = {key: exp(sum(log(part[key]) for part in parts) / len(parts)) for key in parts[0]}
    return means, ", ".join(chosen)


def _row(  # noqa: PLR0913, PLR0917 - the key and the error of a row
    name: str, weights: str, figures: Figures, sigma: float, origin: str, since: str = ""
) -> Efficiency:
    engine, device, kind = name.split("/")
    return replace(
        plain(figures, "gguf" if weights == ANY else weights, device),
        **_rounded(figures),
        engine=engine,
        since=since or SINCE[engine],
        device=device,
        weights=weights,
        kind=kind,
        tpot_sigma=sigma,
        ttft_sigma=max(sigma, FIRST_TOKEN_SIGMA),
        throughput_sigma=sigma,
        source=f"carried over from {origin}",
    )


def sigmas(row: Row, efficiency: Efficiency) -> dict[str, float]:
    """Return the spread that a plan would tell of each thing that a row states."""
    server = an_efficiency_server(row, efficiency)
    load = row.load if row.load.output_tokens else replace(row.load, output_tokens=1)
    told = with_intervals(server, closed_loop(server, load))
    spread = {
        "ttft_ms": told.ttft_s,
        "prompt_tokens_per_s": told.ttft_s,
        "output_tokens_per_s": told.output_tokens_per_s,
    }
    return {
        name: log(each.high / each.value) / NINETY_PERCENT
        for name in row.measured
        for each in (spread.get(name, told.tpot_s),)
    }


def is_inside(value: float, sigma: float) -> bool:
    """Whether a residual lies inside the 90 % interval of a spread.

    >>> is_inside(0.1, 0.1), is_inside(-0.2, 0.1)
    (True, False)
    """
    return abs(value) <= NINETY_PERCENT * sigma


def share(value: float) -> float:
    """Return the relative error of a residual.

    >>> round(share(-0.1), 3)
    0.095
    """
    return abs(exp(value) - 1.0)
