"""What a plan says of its speed and price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.estimating import Estimate, estimate
from qwen3_planner.plan import Basis, Cost, Performance
from qwen3_planner.question import understand
from qwen3_planner.request import Quantization
from qwen3_planner.solving import solve
from support.planner_builders import a_request, hardware

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory

CATALOG = load_catalog()


def estimated(
    model: str, on: str | Inventory, catalog: Catalog = CATALOG, **fields: object
) -> Estimate:
    inventory = hardware(on) if isinstance(on, str) else on
    question = understand(a_request(model, **fields), inventory, catalog)
    best = solve(question, inventory).best
    assert best is not None
    return estimate(question, best, catalog)


def speed(model: str, on: str, **fields: object) -> Performance:
    found = estimated(model, on, **fields).performance
    assert found is not None
    return found


def cost(model: str, on: str | Inventory, **fields: object) -> Cost:
    found = estimated(model, on, **fields).cost
    assert found is not None
    return found


def with_price(on: str, usd_per_hour: float) -> Inventory:
    inventory = hardware(on)
    groups = tuple(replace(group, usd_per_hour=usd_per_hour) for group in inventory.groups)
    return replace(inventory, groups=groups)


def test_every_figure_lies_inside_its_interval() -> None:
    found = speed("Qwen3-32B", "2xH100-SXM-80GB", tensor=2, concurrency=16)
    assert found.ttft_ms_low < found.ttft_ms < found.ttft_ms_high
    assert found.tpot_ms_low < found.tpot_ms < found.tpot_ms_high
    assert (
        found.output_tokens_per_second_low
        < found.output_tokens_per_second
        < found.output_tokens_per_second_high
    )


def test_a_measured_run_is_met() -> None:
    """Measured with vLLM 0.12: 17.9 ms and 190 ms (aiconfigurator-core 0.12.0)."""
    found = speed(
        "Qwen3-32B",
        "2xH100-SXM-80GB",
        tensor=2,
        concurrency=16,
        input_tokens=1024,
        output_tokens=512,
    )
    assert found.tpot_ms == pytest.approx(17.9, rel=0.06)
    assert found.ttft_ms_low < 190 < found.ttft_ms_high


def test_a_replica_does_not_saturate_before_it_is_busy() -> None:
    found = speed("Qwen3-8B", "1xH100-SXM-80GB")
    assert found.saturation_concurrency > 16
    assert found.saturation_output_tokens_per_second > 10 * found.output_tokens_per_second


def test_the_inventorys_price_comes_first() -> None:
    found = estimated("Qwen3-32B", with_price("2xH100-SXM-80GB", 8.0), tensor=2)
    assert found.cost is not None
    assert found.cost.usd_per_hour == 8.0
    assert found.cost.price_as_of == ""
    told = {each.figure: each for each in found.provenance}
    assert told["cost.usdPerHour"].basis is Basis.EXACT


def test_without_it_the_going_rate_counts_and_says_of_when_it_is() -> None:
    found = estimated("Qwen3-32B", "2xH100-SXM-80GB", tensor=2)
    assert found.cost is not None
    assert 4 < found.cost.usd_per_hour < 12
    assert found.cost.price_as_of >= "2026-11-01"
    told = {each.figure: each for each in found.provenance}
    assert told["cost.usdPerHour"].basis is Basis.FORMULA
    assert "providers" in told["cost.usdPerHour"].source


def test_a_card_that_nobody_rents_out_has_no_cost() -> None:
    assert estimated("Qwen3-0.6B", "1xL4-24GB").cost is None


def test_replicas_cost_as_much_a_token_and_more_an_hour() -> None:
    one = cost("Qwen3-8B", with_price("4xH100-SXM-80GB", 16.0), tensor=1)
    four = cost("Qwen3-8B", with_price("4xH100-SXM-80GB", 16.0), tensor=1, replicas=4)
    assert four.usd_per_hour == pytest.approx(4 * one.usd_per_hour)
    assert four.usd_per_million_output_tokens == pytest.approx(one.usd_per_million_output_tokens)


def test_tokens_are_cheaper_in_company() -> None:
    alone = cost("Qwen3-8B", "1xH100-SXM-80GB")
    busy = cost("Qwen3-8B", "1xH100-SXM-80GB", concurrency=8)
    assert alone.usd_per_million_output_tokens is not None
    assert busy.usd_per_million_output_tokens is not None
    assert busy.usd_per_million_output_tokens < alone.usd_per_million_output_tokens / 4


def test_without_fitted_rows_there_is_a_price_but_no_speed() -> None:
    bare = replace(CATALOG, efficiencies=())
    found = estimated("Qwen3-32B", "2xH100-SXM-80GB", bare, tensor=2)
    assert found.performance is None
    assert found.cost is not None
    assert found.cost.usd_per_million_output_tokens is None
    assert not any(each.figure.startswith("performance") for each in found.provenance)


def test_assumed_rates_are_named_and_the_basis_says_so() -> None:
    found = estimated("Qwen3-4B", "1xApple-M2-Pro-32GB")
    assert any("assumed" in warning for warning in found.warnings)
    assert {each.basis for each in found.provenance} == {Basis.ASSUMED}


def test_measured_efficiencies_are_fitted_figures() -> None:
    found = estimated("Qwen3-32B", "2xH100-SXM-80GB", tensor=2)
    told = {each.figure: each for each in found.provenance}
    assert told["performance.tpotMs"].basis is Basis.FITTED
    assert 0 < told["performance.tpotMs"].relative_error < 0.1
    assert not found.warnings


def test_equal_questions_have_equal_estimates() -> None:
    assert estimated("Qwen3-32B", "2xH100-SXM-80GB") == estimated("Qwen3-32B", "2xH100-SXM-80GB")


def test_a_model_that_only_reads_has_the_speed_and_the_price_of_its_prompts() -> None:
    found = estimated(
        "Qwen3-Embedding-8B", with_price("1xL40S-48GB", 1.0), concurrency=8, input_tokens=512
    )
    assert found.performance is None
    said, cost = found.reading, found.cost
    assert said is not None
    assert cost is not None
    assert said.ttft_ms_low < said.ttft_ms < said.ttft_ms_high
    assert said.input_tokens_per_second == pytest.approx(512 * said.requests_per_second, rel=1e-3)
    assert cost.usd_per_million_output_tokens is None
    assert cost.usd_per_million_input_tokens == pytest.approx(
        1e6 / 3600 / said.input_tokens_per_second, rel=1e-3
    )
    assert {each.figure for each in found.provenance if "performance" in each.figure} == {
        "performance.ttftMs",
        "performance.inputTokensPerSecond",
    }


def test_a_speed_that_rests_on_odd_runs_says_so() -> None:
    odd = estimated("Qwen3-235B-A22B", "2xH200-SXM-141GB", quantization=Quantization.FP8)
    usual = estimated("Qwen3-235B-A22B", "4xH100-SXM-80GB", quantization=Quantization.FP8)
    assert any("slower than what is known" in warning for warning in odd.warnings)
    assert not any("slower than what is known" in warning for warning in usual.warnings)
