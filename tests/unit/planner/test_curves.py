from __future__ import annotations

from itertools import pairwise

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.curves import LoadCurve, concurrencies, load_curve
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import PlanRequest, Workload

CATALOG = load_catalog()


def curve_of(model: str, hardware: str, workload: Workload) -> tuple[Plan, LoadCurve | None]:
    request = PlanRequest(model=model, workload=workload)
    inventory = parse_hardware(hardware, CATALOG)
    found = plan(request, inventory, CATALOG)
    assert isinstance(found, Plan)
    return found, load_curve(found, request, inventory, CATALOG)


@pytest.mark.parametrize(
    ("model", "hardware"), [("Qwen3-32B", "2xH100-SXM-80GB"), ("Qwen3-8B", "RaspberryPi5-8GB")]
)
def test_a_curve_says_at_the_load_asked_for_what_the_plan_says(model: str, hardware: str) -> None:
    found, curve = curve_of(model, hardware, Workload(2, 512, 128))
    assert found.performance is not None
    assert curve is not None

    at = next(point for point in curve.points if point.concurrency == curve.asked)

    said = found.performance
    assert at.tpot_s.value * 1000 == pytest.approx(said.tpot_ms, rel=1e-3)
    assert at.ttft_s.high * 1000 == pytest.approx(said.ttft_ms_high, rel=1e-3)
    assert at.output_tokens_per_s.low == pytest.approx(said.output_tokens_per_second_low, rel=1e-3)
    assert curve.saturation_concurrency == said.saturation_concurrency


def test_a_curve_grows_to_its_saturation_and_is_flat_beyond() -> None:
    _, curve = curve_of("Qwen3-32B", "2xH100-SXM-80GB", Workload(8, 1024, 256))
    assert curve is not None

    rates = [point.output_tokens_per_s.value for point in curve.points]
    full = next(p for p in curve.points if p.concurrency == curve.saturation_concurrency)

    assert all(after >= before * 0.999 for before, after in pairwise(rates))
    assert full.output_tokens_per_s.value == pytest.approx(0.95 * rates[-1], rel=0.01)
    assert curve.points[-1].ttft_s.value > 3 * full.ttft_s.value


def test_what_generates_nothing_has_no_curve() -> None:
    _, curve = curve_of("Qwen3-Embedding-8B", "1xL40S", Workload())

    assert curve is None


@pytest.mark.parametrize(("saturated", "asked"), [(1, 1), (7, 300), (100_000, 3), (60, 60)])
def test_both_loads_of_interest_are_on_the_curve(saturated: int, asked: int) -> None:
    counts = concurrencies(saturated, asked)

    assert {1, saturated, asked} <= set(counts)
    assert list(counts) == sorted(set(counts))
    assert counts[-1] > saturated or counts[-1] >= 100_000
    assert len(counts) < 60
