"""What the model says of rows whose device, model, engine or layout it was never shown.

Each time the rows of one device (model, version of an engine, engine, layout) are left out, the
whole table is made anew of the others, carried rows included, and judged on those left out, by the
way that a plan takes: nearest row, intervals, all.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from support.performance.rows import is_first, read_rows, residuals
from support.performance.table import is_inside, make_table, share, sigmas

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.performance.rows import Row
    from support.performance.table import Table

LeftOut: TypeAlias = dict[str, object]

AXES: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("device", lambda row: str(row.raw["device"])),
    ("model", lambda row: row.model.name),
    ("engine version", lambda row: f"{row.engine} {row.version}" if row.version else ""),
    ("engine", lambda row: row.engine if row.engine != "llamacpp" else ""),
    ("layout", lambda row: f"{row.engine} {row.layout}" if row.layout.gpus_per_replica > 1 else ""),
)
"""What may be unseen, and its name for a row; rows without a name stay in."""


def left_out_errors(as_of: str) -> list[LeftOut]:
    """Leave each value of each axis out of the fit once, and judge on it."""
    rows = [row for row in read_rows() if not row.is_excluded]
    found: list[LeftOut] = []
    for axis, name_of in AXES:
        for value in sorted({name_of(row) for row in rows} - {""}):
            table = make_table([row for row in rows if name_of(row) != value], as_of)
            found += _judged(axis, value, [row for row in rows if name_of(row) == value], table)
    return found


def _judged(axis: str, value: str, rows: list[Row], table: Table) -> list[LeftOut]:
    """Judge the rows of each engine apart."""
    found = []
    for engine in sorted({row.engine for row in rows}):
        figures: dict[bool, list[tuple[float, bool]]] = {True: [], False: []}
        for row in rows:
            about = table.of(row) if row.engine == engine else None
            if about is None:
                continue
            spread = sigmas(row, about)
            for name, each in residuals(row, about).items():
                figures[is_first(name)].append((share(each), is_inside(each, spread[name])))
        if figures[False] or figures[True]:
            found.append(_told(axis, value, engine, figures))
    return found


def _told(
    axis: str, value: str, engine: str, figures: dict[bool, list[tuple[float, bool]]]
) -> LeftOut:
    told: LeftOut = {"unseen": axis, "value": value, "engine": engine}
    for prefix, part in (("", figures[False]), ("first_token_", figures[True])):
        if not part:
            continue
        told |= {
            f"{prefix}values": len(part),
            f"{prefix}median_error": round(median(size for size, _ in part), 3),
            f"{prefix}largest_error": round(max(size for size, _ in part), 3),
            f"{prefix}inside": round(sum(inside for _, inside in part) / len(part), 3),
        }
    return told
