"""What was measured corrects a plan, where it speaks for it, by how sure it is, and no further."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.calibration import Calibration
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.measurements import (
    DeviceRow,
    MemoryRow,
    Origin,
    Setup,
    SpeedRow,
)
from qwen3_planner.corrections.combining import Observation, join
from qwen3_planner.corrections.learning import memory_row_of_plan
from qwen3_planner.corrections.memory import with_added
from qwen3_planner.corrections.subjects import reach_of
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Basis, Layout, Plan
from qwen3_planner.planning import explain, plan
from qwen3_planner.request import (
    EngineName,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Workload,
)
from qwen3_planner.sizing.stages import StageMemory
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog

CARD = "H100-SXM-80GB"
ORIGIN = Origin("vllm.log", "vllm-log", "ab" * 32, "2026-11-23")
ASKED = PlanRequest(
    "Qwen3-32B",
    engine=EngineName.VLLM,
    engine_version="0.32.0",
    quantization=Quantization.BF16,
    parallelism=ParallelismWish(tensor=2),
    max_model_len=32768,
)
SETUP = Setup("vllm", "0.32.0", CARD, "Qwen3-32B", "dense", "bf16", Layout(tensor=2))


def memory(added: int, setup: Setup = SETUP) -> MemoryRow:
    return MemoryRow(setup, reach_of(setup), ORIGIN, (), added, float(64 * MIB))


def speed(decode: float, prompt: float = 1.0, setup: Setup = SETUP) -> SpeedRow:
    return SpeedRow(setup, reach_of(setup, "16bit"), ORIGIN, (), decode, prompt, 0.0, 3)


def measured(*rows: MemoryRow | SpeedRow | DeviceRow) -> Catalog:
    calibration = Calibration(
        tuple(row for row in rows if isinstance(row, MemoryRow)),
        tuple(row for row in rows if isinstance(row, SpeedRow)),
        tuple(row for row in rows if isinstance(row, DeviceRow)),
    )
    return replace(load_catalog(), calibration=calibration)


def planned(catalog: Catalog, request: PlanRequest = ASKED, hardware: str = f"2x{CARD}") -> Plan:
    answer = plan(request, parse_hardware(hardware, catalog), catalog)
    assert isinstance(answer, Plan), answer
    return answer


def sources(answer: Plan) -> dict[str, str]:
    return {each.figure: each.source for each in answer.provenance}


def test_the_very_same_start_is_planned_as_it_was_measured() -> None:
    plain, now = planned(load_catalog()), planned(measured(memory(GIB)))
    gpu, corrected = plain.memory.per_gpu[0], now.memory.per_gpu[0]
    assert corrected.kv_cache_bytes == pytest.approx(gpu.kv_cache_bytes - GIB, abs=2 * MIB)
    assert corrected.overhead_bytes == gpu.overhead_bytes + GIB
    assert corrected.weights_bytes == gpu.weights_bytes


def test_its_interval_shrinks_and_the_measurement_is_named() -> None:
    plain, now = planned(load_catalog()), planned(measured(memory(-GIB)))
    widths = [p.memory.kv_cache_tokens_high - p.memory.kv_cache_tokens_low for p in (plain, now)]
    assert widths[1] < 0.6 * widths[0]
    assert (
        "calibration of 2026-11-23 from vllm.log (sha256 abababab)"
        in sources(now)["memory.kvCache"]
    )
    (told,) = (each for each in now.provenance if each.figure == "memory.kvCache")
    assert told.basis is Basis.FITTED


@pytest.mark.parametrize(
    "other",
    [
        replace(SETUP, accelerator="H200-SXM-141GB"),
        replace(SETUP, version="0.31.2"),
        replace(SETUP, engine="sglang", version="0.5.19"),
        replace(SETUP, kind="moe"),
        replace(SETUP, layout=Layout()),
        replace(SETUP, layout=Layout(tensor=1, pipeline=2)),
    ],
    ids=["card", "release", "engine", "kind of model", "one GPU", "pipeline"],
)
def test_what_was_measured_elsewhere_changes_nothing_and_that_is_said(other: Setup) -> None:
    plain, now = planned(load_catalog()), planned(measured(memory(GIB, other)))
    assert now.memory == plain.memory
    assert any("Nothing that was measured speaks for this plan" in w for w in now.warnings)


def test_a_patch_release_of_vllm_is_near_enough() -> None:
    now = planned(measured(memory(GIB, replace(SETUP, version="0.32.1"))))
    assert now.memory.kv_cache_tokens < planned(load_catalog()).memory.kv_cache_tokens


def test_another_model_of_the_kind_moves_a_plan_a_little_and_makes_it_no_surer() -> None:
    other = replace(SETUP, variant="Qwen3-14B")
    plain, now = planned(load_catalog()), planned(measured(memory(GIB, other)))
    moved = plain.memory.per_gpu[0].kv_cache_bytes - now.memory.per_gpu[0].kv_cache_bytes
    assert 0.1 * GIB < moved < 0.5 * GIB
    widths = [p.memory.kv_cache_tokens_high - p.memory.kv_cache_tokens_low for p in (plain, now)]
    assert widths[1] == pytest.approx(widths[0], rel=0.01)


def test_the_same_start_outweighs_all_others() -> None:
    others = [memory(4 * GIB, replace(SETUP, variant="Qwen3-14B")) for _ in range(5)]
    now = planned(measured(memory(GIB), *others))
    assert now.memory == planned(measured(memory(GIB))).memory


def test_measured_memory_can_make_a_plan_impossible_and_the_refusal_counts_it() -> None:
    tight = replace(ASKED, parallelism=ParallelismWish(tensor=1), max_model_len=4096)
    alone = replace(SETUP, layout=Layout())
    catalog = measured(memory(8 * GIB, alone))
    assert isinstance(plan(tight, parse_hardware(f"1x{CARD}", catalog), load_catalog()), Plan)
    answer = plan(tight, parse_hardware(f"1x{CARD}", catalog), catalog)
    assert not isinstance(answer, Plan)
    assert answer.refusals[0].rule == "InsufficientKVCache"


def test_a_pool_that_is_given_stays_as_large() -> None:
    given_pool = replace(ASKED, tuning=replace(ASKED.tuning, kv_cache_memory_bytes=20 * GIB))
    assert (
        planned(measured(memory(GIB)), given_pool).memory
        == planned(load_catalog(), given_pool).memory
    )


def test_the_sums_still_add_up() -> None:
    catalog = measured(memory(GIB))
    told = explain(ASKED, parse_hardware(f"2x{CARD}", catalog), catalog)
    assert told is not None
    for part in told.parts:
        assert not part.terms or sum(term.n_bytes for term in part.terms) == part.n_bytes
    rest = [term for part in told.parts for term in part.terms if term.name.startswith("measured")]
    assert [term.n_bytes for term in rest] == [GIB]


@given(added=st.integers(-100 * GIB, 100 * GIB))
def test_no_part_falls_below_nothing(added: int) -> None:
    stage = StageMemory(0, 30 * GIB, 5 * GIB, GIB, GIB // 2, 4 * MIB, 70 * GIB)
    moved = with_added(stage, added)
    assert min(moved.weights, moved.activation, moved.graphs, moved.overhead) >= 0
    assert moved.fixed == max(0, stage.fixed + added)


@given(
    prior=st.floats(0.01, 10.0),
    seen=st.lists(st.tuples(st.floats(-20, 20), st.floats(0.01, 10.0)), max_size=6),
    floor=st.floats(0.0, 5.0),
)
def test_what_is_joined_lies_between_and_is_never_less_sure(
    prior: float, seen: list[tuple[float, float]], floor: float
) -> None:
    joined = join(prior, [Observation(value, sigma) for value, sigma in seen], floor)
    values = [0.0, *(value for value, _ in seen)]
    assert min(values) - 1e-9 <= joined.value <= max(values) + 1e-9
    assert joined.sigma <= prior


def test_measured_times_scale_the_prediction_and_are_named() -> None:
    plain, now = planned(load_catalog()), planned(measured(speed(1.5, 2.0)))
    assert plain.performance is not None
    assert now.performance is not None
    assert now.performance.tpot_ms == pytest.approx(1.5 * plain.performance.tpot_ms, rel=0.02)
    assert now.performance.ttft_ms == pytest.approx(2.0 * plain.performance.ttft_ms, rel=0.25)
    assert now.performance.relative_error <= plain.performance.relative_error
    widths = [said.ttft_ms_high / said.ttft_ms_low for said in (plain.performance, now.performance)]
    assert widths[1] < 0.8 * widths[0]
    assert "vllm.log" in sources(now)["performance.tpotMs"]


def test_times_of_another_format_change_nothing() -> None:
    row = speed(1.5)
    other = replace(row, reach=replace(row.reach, weights="fp8"))
    assert planned(measured(other)).performance == planned(load_catalog()).performance


@settings(max_examples=8, deadline=None)
@given(
    decode=st.floats(0.3, 3.0),
    prompt=st.floats(0.3, 3.0),
    concurrency=st.sampled_from([1, 8, 32]),
    tokens=st.sampled_from([256, 1024]),
)
def test_laws_hold_under_any_factors(
    decode: float, prompt: float, concurrency: int, tokens: int
) -> None:
    """Time per token never falls with the context or the load; intervals hold the value."""
    catalog = measured(speed(decode, prompt))

    def times(in_flight: int, entered: int) -> float:
        load = Workload(in_flight, entered, 256)
        said = planned(catalog, replace(ASKED, workload=load)).performance
        assert said is not None
        assert said.tpot_ms_low <= said.tpot_ms <= said.tpot_ms_high
        return said.tpot_ms

    base = times(concurrency, tokens)
    assert times(concurrency, 2 * tokens) >= base * 0.9999
    assert times(concurrency * 2, tokens) >= base * 0.9999


def test_repeated_runs_are_averaged_and_their_scatter_counts() -> None:
    once, twice = measured(speed(1.2)), measured(speed(1.2), replace(speed(1.5), loads=9))
    first, both = planned(once).performance, planned(twice).performance
    assert first is not None
    assert both is not None
    middle = exp((log(1.2) + log(1.5)) / 2)
    assert both.tpot_ms == pytest.approx(first.tpot_ms * middle / 1.2, rel=0.02)
    assert both.relative_error > first.relative_error


def test_rates_of_a_card_count_where_no_run_of_an_engine_is_known() -> None:
    """H100 has runs behind it, so a copy's speed says nothing new; a card without any learns."""
    row = DeviceRow(CARD, ORIGIN, (), 0.5, 0.5, 0.5)
    assert planned(measured(row)).performance == planned(load_catalog()).performance
    unmeasured = "RTX-3090-24GB"
    request = PlanRequest("Qwen3-8B", engine=EngineName.VLLM, quantization=Quantization.BF16)
    plain = planned(load_catalog(), request, f"1x{unmeasured}")
    now = planned(measured(replace(row, accelerator=unmeasured)), request, f"1x{unmeasured}")
    assert plain.performance is not None
    assert now.performance is not None
    assert now.performance.tpot_ms > 1.5 * plain.performance.tpot_ms


def test_an_operator_learns_from_its_plan_and_what_the_engine_logged() -> None:
    answer = planned(load_catalog())
    logged = round(answer.memory.kv_cache_tokens * 0.9)
    row = memory_row_of_plan(answer, load_catalog().model("Qwen3-32B"), logged, ORIGIN)
    now = planned(measured(row))
    assert now.memory.kv_cache_tokens == pytest.approx(logged, rel=0.01)
    assert row.figures[0].error == pytest.approx(1 / 0.9 - 1, rel=0.01)


@pytest.mark.parametrize("tokens", [0, -5])
def test_an_engine_without_a_cache_teaches_nothing(tokens: int) -> None:
    with pytest.raises(ValueError, match="measured"):
        memory_row_of_plan(
            planned(load_catalog()), load_catalog().model("Qwen3-32B"), tokens, ORIGIN
        )
