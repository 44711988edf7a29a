"""Fit the performance model's efficiencies on measured rows, and say how well they hold.

``make speeds`` writes ``catalog/data/efficiencies.json`` (what plans use),
``tests/unit/planner/accuracy/performance/fit.json`` (ids of the rows behind each figure, errors on
fitted and on tested rows, transfer) and ``docs/reference/speed-accuracy.md`` (the same for
readers), and prints the errors.

Procedure. Rows are grouped by engine, class of device, and dense or mixture of experts. In each
group the rows are ordered by the SHA-256 of their ids and each third is kept for testing. The
others are fitted by damped least squares on log(computed / measured): what belongs to the engine
(latencies, scheduling) is shared by the group, shares of bandwidth and arithmetic are one per class
of weight format. Unknowns are logarithms, drawn towards a prior (their start below, or what a
larger group of the same engine gave) with the stated widths; residuals beyond 2.5 widths count
linearly. An interval comes from the 90 % quantile of the residuals, tested rows included. Formats
and devices that nobody measured take a row called ``any``, whose error is that of predicting a
group from another one's figures.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import exp, sqrt
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from support.performance.fitting import Figures, fit_group, plain, prior_of
from support.performance.groups import GROUPS, SINCE
from support.performance.page import page
from support.performance.rows import FOLDER, Row, read_rows, residuals, rows_of
from support.performance.transfer import FIRST_TOKEN_SIGMA, carried_over, transfer_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qwen3_planner.catalog.figures import Efficiency

AS_OF = "2026-11-23"
ROOT = Path(__file__).parents[1]
OUT = ROOT / "planner/qwen3_planner/catalog/data/efficiencies.json"
PAGE = ROOT / "docs/reference/speed-accuracy.md"

SMALLEST_SIGMA = 0.04
"""Runs of one set-up differ by so much."""

LONELY_SIGMA = 0.2
"""Of one row alone; more rows narrow it by the root of their number."""
NINETY_PERCENT = 1.645


def main() -> None:
    """Fit, write and print."""
    fitted: dict[str, dict[str, Figures]] = {}
    table: list[Efficiency] = []
    behind: dict[str, list[str]] = {}
    for group, shared, own, parent in GROUPS:
        rows = rows_of(group)
        prior = prior_of(fitted, parent)
        fitted[group] = fit_group([r for r in rows if not r.is_tested], shared, own, prior)
        for weights, figures in fitted[group].items():
            row = _efficiency(group, weights, figures, rows)
            table.append(row)
            key = f"{group}/{weights}"
            behind[key] = [r.id for r in rows if r.weights == weights and not r.is_tested]
    transfers = transfer_errors(fitted)
    table += carried_over(fitted, transfers, AS_OF)
    _write(table, behind, transfers)
    _print(table, transfers)


def _efficiency(group: str, weights: str, figures: Figures, rows: tuple[Row, ...]) -> Efficiency:
    engine, device, kind = group.split("/")
    mine = [row for row in rows if row.weights == weights]
    row = plain(figures, weights)
    speed = _sigma(mine, row, lambda name: name not in ("ttft_ms", "prompt_tokens_per_s"))
    first = _sigma(mine, row, lambda name: name in ("ttft_ms", "prompt_tokens_per_s"))
    throughput = _sigma(mine, row, lambda name: name == "output_tokens_per_s")
    return replace(
        row,
        **{name: float(f"{value:.4g}") for name, value in figures.items()},
        engine=engine,
        since=SINCE[engine],
        device=device,
        weights=weights,
        kind=kind,
        tpot_sigma=speed,
        ttft_sigma=max(first or FIRST_TOKEN_SIGMA, speed),
        throughput_sigma=throughput or speed,
        rows=sum(not each.is_tested for each in mine),
        seen=tuple(sorted({(each.model.name, each.raw["device"]) for each in mine})),
        source="; ".join(sorted({row.source for row in mine})),
        as_of=AS_OF,
    )


def _sigma(rows: list[Row], efficiency: Efficiency, wanted: Callable[[str], bool]) -> float:
    """Return the spread whose 90 % interval holds 90 % of the rows; 0 where there are none."""
    sizes = sorted(
        abs(value)
        for row in rows
        for name, value in residuals(row, efficiency).items()
        if wanted(name)
    )
    if not sizes:
        return 0.0
    place = min(len(sizes) - 1, int(0.9 * len(sizes)))
    seen = sizes[place] / NINETY_PERCENT
    return round(max(SMALLEST_SIGMA, seen, LONELY_SIGMA / sqrt(len(sizes))), 3)


def _errors_by_measure(rows: Iterable[Row], efficiency: Efficiency) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, value in residuals(row, efficiency).items():
            found.setdefault(name, []).append(abs(exp(value) - 1.0))
    return {
        name: {
            "values": len(sizes),
            "median_error": round(median(sizes), 3),
            "largest_error": round(max(sizes), 3),
        }
        for name, sizes in found.items()
    }


def _write(
    table: list[Efficiency], behind: dict[str, list[str]], transfers: list[dict[str, object]]
) -> None:
    rows = ",\n".join(json.dumps(asdict(row)) for row in table)
    OUT.write_text(f"[\n{rows}\n]\n")
    groups = {}
    for row in table:
        key = f"{row.engine}/{row.device}/{row.kind}/{row.weights}"
        if key not in behind:
            continue
        mine = [r for r in rows_of(key.rpartition("/")[0]) if r.weights == row.weights]
        groups[key] = {
            "fitted_on": behind[key],
            "fitted": _errors_by_measure((r for r in mine if not r.is_tested), row),
            "tested": _errors_by_measure((r for r in mine if r.is_tested), row),
        }
    left_out = [{"id": row.id, "reason": row.raw["note"]} for row in read_rows() if row.is_excluded]
    said = {"as_of": AS_OF, "groups": groups, "transfer": transfers, "not_used": left_out}
    (FOLDER / "fit.json").write_text(json.dumps(said, indent=1) + "\n")
    PAGE.write_text(page(table, said))


def _print(table: list[Efficiency], transfers: list[dict[str, object]]) -> None:
    said = json.loads((FOLDER / "fit.json").read_text())["groups"]
    for key, each in said.items():
        for part in ("fitted", "tested"):
            told = "  ".join(
                f"{name} {v['median_error']:.1%} (largest {v['largest_error']:.0%}, {v['values']})"
                for name, v in each[part].items()
            )
            print(f"{key:32s} {part}: {told}")
    for row in transfers:
        print(
            f"unseen {row['unseen']}: {row['predicted']} from {row['from']}:"
            f" {float(str(row['median_error'])):.1%} of {row['values']}"
        )
    print(len(table), "rows written")


if __name__ == "__main__":
    main()
