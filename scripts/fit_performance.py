"""Fit the performance model's efficiencies on measured rows, and say how well they hold.

``make speeds`` writes ``catalog/data/efficiencies.json`` (what plans use),
``tests/unit/planner/accuracy/performance/fit.json`` (ids of the rows behind each figure, errors on
fitted and on tested rows, transfer) and ``docs/reference/speed-accuracy.md`` (the same for
readers), and prints the errors.

Procedure. Rows are grouped by engine, class of device, and dense or mixture of experts. In each
group the rows are ordered by the SHA-256 of their ids and each third is kept for testing, as are
rows marked ``only_tested``. The others are fitted by damped least squares on log(computed /
measured): what belongs to the engine (latencies, scheduling) is shared by the group, shares of
bandwidth and arithmetic are one per class of weight format. Unknowns are logarithms, drawn towards
a prior (a start, or what a larger group of the same engine gave, carried to the device) with stated
widths; residuals beyond 2.5 widths count linearly. An interval comes from a quantile of the
residuals, tested rows included. Formats and devices that nobody measured take rows that are carried
over: the engine's own part of its main group, kernels of every group that has the format, both
carried by what is known of the devices (``tests/support/performance/traits.py``). How far such rows
lead astray is measured by leaving each device, model, version, engine and layout out of the fit
once. Runs for a minute.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from support.performance.page import page
from support.performance.rows import FOLDER, Row, read_rows, residuals
from support.performance.table import Table, make_table, share
from support.performance.transfer import left_out_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.figures import Efficiency
    from support.performance.transfer import LeftOut

AS_OF = "2026-11-23"
ROOT = Path(__file__).parents[1]
OUT = ROOT / "planner/qwen3_planner/catalog/data/efficiencies.json"
PAGE = ROOT / "docs/reference/speed-accuracy.md"


def main() -> None:
    """Fit, write and print."""
    table = make_table(read_rows(), AS_OF)
    left_out = left_out_errors(AS_OF)
    _write(table, left_out)
    _print(left_out)
    print(len(table.rows), "rows written")


def _errors_by_measure(rows: Iterable[Row], table: Table) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        about = table.of(row)
        if about is None:
            raise ValueError(row.id)
        for name, value in residuals(row, about).items():
            found.setdefault(name, []).append(share(value))
    return {
        name: {
            "values": len(sizes),
            "median_error": round(median(sizes), 3),
            "largest_error": round(max(sizes), 3),
        }
        for name, sizes in found.items()
    }


def _write(table: Table, left_out: list[LeftOut]) -> None:
    rows = ",\n".join(json.dumps(_without_defaults(row)) for row in table.rows)
    OUT.write_text(f"[\n{rows}\n]\n")
    usable = [row for row in read_rows() if not row.is_excluded]
    groups = {}
    for key, fitted_on in table.behind.items():
        mine = [row for row in usable if f"{row.group}/{row.weights}" == key]
        groups[key] = {
            "fitted_on": fitted_on,
            "fitted": _errors_by_measure((r for r in mine if not r.is_tested), table),
            "tested": _errors_by_measure((r for r in mine if r.is_tested), table),
        }
    said = {"as_of": AS_OF, "groups": groups, "left_out": left_out}
    (FOLDER / "fit.json").write_text(json.dumps(said, indent=1) + "\n")
    PAGE.write_text(page(table.rows, said))


def _without_defaults(row: Efficiency) -> dict[str, object]:
    """Leave out what a reader puts in by itself: the file is read by every plan."""
    defaults = {field.name: field.default for field in fields(row)}
    return {name: value for name, value in asdict(row).items() if value != defaults[name]}


def _print(left_out: list[LeftOut]) -> None:
    said = json.loads((FOLDER / "fit.json").read_text())["groups"]
    for key, each in said.items():
        for part in ("fitted", "tested"):
            told = "  ".join(
                f"{name} {v['median_error']:.1%} (largest {v['largest_error']:.0%}, {v['values']})"
                for name, v in each[part].items()
            )
            print(f"{key:32s} {part}: {told}")
    for row in left_out:
        if "median_error" in row:
            print(
                f"without {row['unseen']} {row['value']}: {row['engine']} off by"
                f" {float(str(row['median_error'])):.1%} of {row['values']},"
                f" inside {float(str(row['inside'])):.0%}"
            )


if __name__ == "__main__":
    main()
