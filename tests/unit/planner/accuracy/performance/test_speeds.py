"""What the model says of measured speeds, on rows that it was not fitted on."""

from __future__ import annotations

import json
from math import log
from statistics import median
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from support.performance.fitting import fit_group, prior_of
from support.performance.groups import GROUPS
from support.performance.page import page
from support.performance.promises import kept_out, speed_targets
from support.performance.rows import FOLDER, predicted, read_rows, rows_of
from support.performance.table import Table, is_inside, share

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency
    from support.performance.rows import Row

FIT = json.loads((FOLDER / "fit.json").read_text())
SHIPPED = Table({}, load_catalog().efficiencies, {})
KEPT_OUT = tuple(kept_out(SHIPPED.rows))


def efficiency(row: Row) -> Efficiency:
    found = SHIPPED.of(row)
    assert found is not None
    return found


def errors(measure: str, *engines: str) -> list[float]:
    """Relative errors of the rows that were kept out of the fit."""
    return [
        share(value)
        for row, name, value, _ in KEPT_OUT
        if row.engine in engines and name == measure
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
    inside = [is_inside(value, sigma) for _, _, value, sigma in KEPT_OUT]
    assert sum(inside) / len(inside) >= 0.87


def test_every_promise_of_speeds_is_kept() -> None:
    kept = {target.name: target.is_met for target in speed_targets()}
    assert kept == dict.fromkeys(kept, True)
    assert len(kept) == 14


def test_what_was_never_seen_is_off_by_a_quarter_in_the_middle_and_its_interval_says_so() -> None:
    for axis in ("device", "model", "engine version", "engine", "layout"):
        mine = [t for t in FIT["left_out"] if t["unseen"] == axis and "median_error" in t]
        assert median(t["median_error"] for t in mine) <= 0.25, axis
        values = sum(t["values"] for t in mine)
        assert sum(t["inside"] * t["values"] for t in mine) / values >= 0.85, axis


def test_unseen_layouts_are_predicted_about_as_well_as_seen_ones() -> None:
    medians = [t["median_error"] for t in FIT["left_out"] if t["unseen"] == "layout"]
    assert len(medians) >= 10
    assert median(medians) <= 0.05
    assert max(medians) <= 0.15


def test_a_third_of_each_group_is_kept_out_of_the_fit() -> None:
    for group in GROUPS:
        rows = rows_of(group.name)
        fitted_on = {
            name
            for key, part in FIT["groups"].items()
            if key.startswith(f"{group.name}/")
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


def test_rows_that_came_later_are_tested_only() -> None:
    later = [row for row in read_rows() if row.raw.get("only_tested")]
    assert len(later) >= 12
    assert all(row.is_tested for row in later)


@pytest.mark.thorough
def test_the_efficiencies_that_ship_are_those_that_the_rows_give() -> None:
    group = GROUPS[0]
    rows = [row for row in rows_of(group.name) if not row.is_tested]
    figures = fit_group(rows, group.shared, group.own, prior_of({}, group, ["16bit"]))["16bit"]
    shipped = efficiency(rows[0])
    for name, value in figures.items():
        assert abs(log(getattr(shipped, name) / value)) < 0.01, name


def test_the_page_says_what_is_computed_now() -> None:
    text = (FOLDER.parents[4] / "docs/reference/speed-accuracy.md").read_text("utf-8")
    assert text == page(SHIPPED.rows, FIT), "run `make speeds`"
