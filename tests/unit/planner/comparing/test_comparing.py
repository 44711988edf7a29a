"""Own GPUs against hosts: who is cheaper at which volume, for real plans."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.figures import ApiPrice
from qwen3_planner.catalog.loading import load_api_prices, load_catalog, load_purchase_prices
from qwen3_planner.comparing.comparing import compare, modes_of
from qwen3_planner.comparing.comparison import Comparison
from qwen3_planner.comparing.wish import Wish
from qwen3_planner.economics.hosts import Usage
from qwen3_planner.economics.rates import Market, Owning, Paying, PriceLists
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan
from qwen3_planner.request import PlanRequest, Quantization
from support.depth import examples

CATALOG = load_catalog()
LISTS = PriceLists(CATALOG.prices, load_purchase_prices())
CHEAP = ApiPrice("Qwen3-8B", "cheap", 0.02, 0.02, "list", "2026-07-02")
DEAR = ApiPrice("qwen3-8b", "dear", 0.18, 0.7, "list", "2026-07-02", 2.1)
WISH = Wish(Usage(1024, 256), (CHEAP, DEAR), Paying(usd_per_gpu_hour=3.0), LISTS)
ONE = PlanRequest("Qwen3-8B")


def compared(wish: Wish = WISH, request: PlanRequest = ONE, hardware: str = "1xH100") -> Comparison:
    name = f"{hardware}-SXM-80GB" if hardware.endswith("H100") else hardware
    found = compare(request, parse_hardware(name, CATALOG), CATALOG, wish)
    assert isinstance(found, Comparison)
    return found


def test_the_bill_of_own_gpus_is_that_of_the_replicas_the_volume_needs() -> None:
    (mode,) = compared().modes
    full = mode.serving.capacity_per_day
    by_volume = {point.requests_per_day: point for point in mode.curve}
    assert by_volume[full].own_usd_per_day == pytest.approx(72.0)
    assert by_volume[full + 1].own_usd_per_day == pytest.approx(144.0)
    assert by_volume[0].own_usd_per_day == pytest.approx(72.0)
    assert by_volume[0].host_usd_per_day == (0.0, 0.0)


def test_capacity_is_what_the_plan_generates_when_it_is_full() -> None:
    (mode,) = compared().modes
    speed = mode.serving.plan.performance
    assert speed is not None
    per_day = speed.saturation_output_tokens_per_second / 256 * 86_400
    assert mode.serving.capacity_per_day == pytest.approx(per_day, rel=1e-6)
    assert mode.serving.capacity_low < mode.serving.capacity_per_day < mode.serving.capacity_high


def test_a_host_below_the_cost_of_a_full_replica_is_never_beaten_and_a_dear_one_is() -> None:
    (mode,) = compared().modes
    cheap, dear = mode.hosts
    assert (cheap.price.provider, dear.price.provider) == ("cheap", "dear")
    assert cheap.crossing.cheaper_from is None
    assert cheap.share_of_capacity > 1
    assert dear.crossing.cheaper_from is not None
    assert dear.share_of_capacity < 1


def test_the_curve_lies_on_the_right_side_of_the_break_even() -> None:
    (mode,) = compared().modes
    for index, host in enumerate(mode.hosts):
        for point in mode.curve:
            own, asked = point.own_usd_per_day, point.host_usd_per_day[index]
            first, lasting = host.crossing.cheaper_from, host.crossing.always_from
            if first is None or point.requests_per_day < first:
                assert own >= asked
            elif lasting is not None and point.requests_per_day >= lasting:
                assert own < asked


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(64, 8000), st.integers(16, 2000), st.floats(0.1, 20.0), st.floats(0.05, 1.0))
def test_on_every_curve_more_volume_never_costs_less(
    entered: int, produced: int, usd: float, in_use: float
) -> None:
    paying = Paying(usd_per_gpu_hour=usd, utilization=in_use)
    wish = replace(WISH, usage=Usage(entered, produced), paying=paying, requests_per_day=70_000)
    (mode,) = compared(wish).modes
    volumes = [point.requests_per_day for point in mode.curve]
    assert volumes == sorted(set(volumes))
    assert 70_000 in volumes
    bills = [(p.own_usd_per_day, *p.host_usd_per_day) for p in mode.curve]
    for before, after in pairwise(bills):
        assert all(one <= other for one, other in zip(before, after, strict=True))


def test_thinking_costs_more_on_both_sides_and_the_surcharge_counts() -> None:
    wish = replace(WISH, usage=Usage(1024, 256, 1000))
    plain, thinking = compared(wish).modes
    assert (plain.name, thinking.name) == ("non-thinking", "thinking")
    assert thinking.serving.capacity_per_day < plain.serving.capacity_per_day
    dear = {mode.name: mode.hosts[-1].usd_per_request for mode in (plain, thinking)}
    assert dear["non-thinking"] == pytest.approx((1024 * 0.18 + 256 * 0.7) / 1e6)
    assert dear["thinking"] == pytest.approx((1024 * 0.18 + 1256 * 2.1) / 1e6)


def test_modes_follow_the_model() -> None:
    usage = Usage(10, 10, 10)
    assert [n for n, _ in modes_of(CATALOG.model("Qwen3-8B"), usage)] == [
        "non-thinking",
        "thinking",
    ]
    always = CATALOG.model("Qwen3-4B-Thinking-2507")
    assert [n for n, _ in modes_of(always, usage)] == ["thinking"]
    with pytest.raises(SpecError, match="never thinks"):
        modes_of(CATALOG.model("Qwen3-4B-Instruct-2507"), usage)
    embedding = CATALOG.model("Qwen3-Embedding-8B")
    with pytest.raises(SpecError, match="never thinks"):
        modes_of(embedding, usage)
    assert modes_of(embedding, Usage(10, 10)) == [("reading", Usage(10, 0))]


def test_what_yields_no_text_is_compared_by_what_it_reads() -> None:
    host = ApiPrice("Qwen3-Embedding-8B", "host", 0.1, 0.0, "list", "2026-07-02")
    wish = replace(WISH, usage=Usage(512, 256), hosts=(host,))
    (mode,) = compared(wish, PlanRequest("Qwen3-Embedding-8B")).modes
    speed = mode.serving.plan.reading
    assert speed is not None
    per_day = speed.saturation_input_tokens_per_second / 512 * 86_400
    assert mode.serving.capacity_per_day == pytest.approx(per_day, rel=1e-6)
    assert mode.hosts[0].usd_per_request == pytest.approx(512 * 0.1 / 1e6)
    assert mode.serving.usd_per_million == pytest.approx(
        72e6 / (mode.serving.capacity_per_day * 512)
    )
    (held,) = compared(replace(wish, ttft_ms=100.0), PlanRequest("Qwen3-Embedding-8B")).modes
    assert held.serving.capacity_per_day < mode.serving.capacity_per_day
    assert held.serving.plan.reading is not None
    assert held.serving.plan.reading.ttft_ms <= 100.0


def test_a_latency_that_is_kept_leaves_less_capacity_and_is_kept() -> None:
    (free,) = compared().modes
    (held,) = compared(replace(WISH, tpot_ms=12.0, ttft_ms=400.0)).modes
    assert held.serving.capacity_per_day < free.serving.capacity_per_day
    speed = held.serving.plan.performance
    assert speed is not None
    assert speed.tpot_ms <= 12.0
    assert speed.ttft_ms <= 400.0
    assert speed.concurrency == held.serving.concurrency
    (more,) = compared(replace(WISH, concurrency=held.serving.concurrency + 1)).modes
    beyond = more.serving.plan.performance
    assert beyond is not None
    assert beyond.tpot_ms > 12.0 or beyond.ttft_ms > 400.0


def test_a_latency_that_nothing_keeps_is_an_error_that_says_what_is_reached() -> None:
    with pytest.raises(SpecError) as error:
        compared(replace(WISH, tpot_ms=1.0))
    assert error.value.field == "--tpot-ms"
    assert "ms" in error.value.reason


def test_peaks_and_idle_hours_take_their_share() -> None:
    (mean,) = compared().modes
    (peaky,) = compared(replace(WISH, peak=2.0)).modes
    (night,) = compared(replace(WISH, paying=replace(WISH.paying, utilization=0.5))).modes
    full = mean.serving.capacity_per_day
    assert peaky.serving.capacity_per_day == pytest.approx(full / 2, abs=1)
    assert night.serving.capacity_per_day == pytest.approx(full / 2, abs=1)
    assert peaky.serving.staircase.usd_per_day == pytest.approx(72.0)
    assert night.serving.staircase.usd_per_day == pytest.approx(36.0)


def test_more_gpus_are_taken_where_their_tokens_are_cheaper() -> None:
    request = PlanRequest("Qwen3-30B-A3B", quantization=Quantization.BF16)
    (mode,) = compared(request=request, hardware="2xH100").modes
    (alone,) = compared(request=request, hardware="1xH100").modes
    assert (alone.serving.gpus, mode.serving.gpus) == (1, 2)
    assert mode.serving.capacity_per_day > 2 * alone.serving.capacity_per_day
    assert mode.serving.usd_per_million < alone.serving.usd_per_million
    assert mode.serving.staircase.usd_per_day == pytest.approx(144.0)
    assert mode.serving.replicas_here == 1


def test_volume_beyond_the_hardware_warns() -> None:
    found = compared(replace(WISH, requests_per_day=100_000_000))
    (mode,) = found.modes
    assert mode.at is not None
    assert mode.at.point.replicas > mode.serving.replicas_here
    assert any("room for" in text for text in found.warnings)
    assert not any("room for" in text for text in compared().warnings)


def test_tokens_a_day_are_requests_of_the_size() -> None:
    (mode,) = compared(replace(WISH, tokens_per_day=1280 * 5000)).modes
    assert mode.at is not None
    assert mode.at.point.requests_per_day == 5000
    assert mode.at.cheapest is not None


def test_what_does_not_fit_says_why() -> None:
    here = parse_hardware("1xT4-16GB", CATALOG)
    request = PlanRequest("Qwen3-32B", quantization=Quantization.BF16)
    assert isinstance(compare(request, here, CATALOG, WISH), NoPlan)


def test_purchase_needs_a_price_of_the_card_and_uses_its_power() -> None:
    paying = Paying(market=Market.PURCHASE, owning=Owning(usd_per_kwh=0.3))
    found = compared(replace(WISH, paying=paying))
    assert found.rate.market is Market.PURCHASE
    assert found.rate.power_usd_per_hour == pytest.approx(700 * 0.8 * 1.2 * 1.25 / 1000 * 0.3)


def test_every_host_price_names_a_variant_that_exists_or_none() -> None:
    names = {row.name for row in CATALOG.models}
    rows = load_api_prices()
    assert all(row.variant in names | {""} for row in rows)
    assert sum(bool(row.variant) for row in rows) > 100
    surcharged = {row.provider for row in rows if row.usd_per_million_reasoning}
    assert {"alibaba", "alibaba-cn"} <= surcharged
