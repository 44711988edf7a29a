"""What the model says of measured speeds, on rows that it was not fitted on."""

from __future__ import annotations

import json
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.engines.versions import Version
from qwen3_planner.performance.efficiency import efficiency_of
from qwen3_planner.performance.prediction import NINETY_PERCENT
from support.performance.fitting import fit_group, prior_of
from support.performance.groups import GROUPS
from support.performance.rows import FOLDER, Row, predicted, read_rows, residuals, rows_of

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency

FIT = json.loads((FOLDER / "fit.json").read_text())


def efficiency(row: Row) -> Efficiency:
    found = efficiency_of(
        load_catalog().efficiencies,
        row.engine,
        Version(99, 0),
        device=row.device,
        weights=row.weights,
        kind=row.kind,
    )
    assert found is not None
    return found


def errors(measure: str, *engines: str) -> list[float]:
    """Relative errors of the rows that were kept out of the fit."""
    return [
        abs(exp(residuals(row, efficiency(row))[measure]) - 1)
        for row in read_rows()
        if row.is_tested and row.engine in engines and measure in row.measured
    ]


@pytest.mark.parametrize(
    ("measure", "engines", "target"),
    [
        pytest.param("tpot_ms", ("vllm",), 0.15, id="vllm-tpot"),
        pytest.param("tpot_ms", ("sglang",), 0.15, id="sglang-tpot"),
        pytest.param("prompt_and_output_tokens_per_s", ("sglang",), 0.12, id="batch-1-speed"),
        pytest.param("output_tokens_per_s", ("vllm", "sglang"), 0.20, id="throughput"),
        pytest.param("decode_tokens_per_s", ("llamacpp",), 0.20, id="llama.cpp-tg"),
    ],
)
def test_the_median_error_on_unseen_rows_meets_its_target(
    measure: str, engines: tuple[str, ...], target: float
) -> None:
    found = errors(measure, *engines)
    assert len(found) >= 9
    assert median(found) <= target


def test_nine_of_ten_unseen_rows_lie_inside_their_interval() -> None:
    inside = []
    for row in read_rows():
        if not row.is_tested:
            continue
        about = efficiency(row)
        for name, value in residuals(row, about).items():
            first = name in ("ttft_ms", "prompt_tokens_per_s")
            sigma = about.ttft_sigma if first else about.tpot_sigma
            inside.append(abs(value) <= NINETY_PERCENT * sigma)
    assert sum(inside) / len(inside) >= 0.87


def test_unseen_layouts_are_predicted_about_as_well_as_seen_ones() -> None:
    left_out = [t for t in FIT["transfer"] if t["unseen"].startswith("layout")]
    dense = [t["median_error"] for t in left_out if t["predicted"].endswith("hopper/dense")]
    assert median(dense) <= 0.05
    assert median(t["median_error"] for t in left_out) <= 0.15


def test_a_third_of_each_group_is_kept_out_of_the_fit() -> None:
    for group, *_ in GROUPS:
        rows = rows_of(group)
        fitted_on = {
            name
            for key, part in FIT["groups"].items()
            if key.startswith(f"{group}/")
            for name in part["fitted_on"]
        }
        tested = {row.id for row in rows if row.is_tested}
        assert not fitted_on & tested
        assert fitted_on | tested == {row.id for row in rows}


def test_every_row_states_something_and_where_it_was_read() -> None:
    rows = read_rows()
    assert len({row.id for row in rows}) == len(rows) > 400
    for row in rows:
        assert row.source
        assert row.measured
        assert set(predicted(row, efficiency(row))) == set(row.measured)


def test_the_efficiencies_that_ship_are_those_that_the_rows_give() -> None:
    group, shared, own, parent = GROUPS[0]
    rows = [row for row in rows_of(group) if not row.is_tested]
    figures = fit_group(rows, shared, own, prior_of({}, parent))["16bit"]
    shipped = efficiency(rows[0])
    for name, value in figures.items():
        assert abs(log(getattr(shipped, name) / value)) < 0.01, name
