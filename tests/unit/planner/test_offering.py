from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.document import parse_inventory
from qwen3_planner.offering import MOST_OFFERS, any_hardware, offering_of
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import Quantization, Targets
from support.planner_builders import a_request, hardware

CATALOG = load_catalog()


def test_every_offer_holds_the_question_by_the_planners_own_word() -> None:
    request = a_request("Qwen3-32B", quantization=Quantization.BF16, max_model_len=40960)
    found = any_hardware(request, CATALOG)
    assert 2 <= len(found.offers) <= MOST_OFFERS
    for offer in found.offers:
        assert plan(request, hardware(offer.hardware), CATALOG) == offer.plan
    assert found.answer == found.offers[0].plan


def test_the_cheapest_comes_first_and_half_of_it_is_not_enough() -> None:
    request = a_request("Qwen3-32B", quantization=Quantization.BF16, max_model_len=40960)
    offers = any_hardware(request, CATALOG).offers
    prices = [offer.usd_per_hour or float("inf") for offer in offers]
    assert prices == sorted(prices)
    assert prices[0] < float("inf")
    gpus, _, product = offers[0].hardware.partition("x")
    smaller = plan(request, hardware(f"{int(gpus) // 2}x{product}"), CATALOG)
    assert isinstance(smaller, NoPlan)


def test_of_hardware_without_a_price_the_smallest_comes_first() -> None:
    free = replace(CATALOG, prices=())
    request = a_request("Qwen3-32B", quantization=Quantization.BF16, max_model_len=40960)
    sizes = [offer.device_bytes for offer in any_hardware(request, free).offers]
    assert sizes == sorted(sizes)


@pytest.mark.thorough
def test_what_is_offered_for_a_target_reaches_it_and_a_tighter_one_never_costs_less() -> None:
    last = 0.0
    for tpot in (60.0, 30.0, 20.0, 12.0):
        request = replace(
            a_request("Qwen3-14B", concurrency=16, quantization=Quantization.FP8),
            targets=Targets(tpot_ms=tpot),
        )
        offers = any_hardware(request, CATALOG).offers
        speeds = [offer.plan.performance for offer in offers]
        assert all(said is not None and said.tpot_ms <= tpot for said in speeds)
        price = offers[0].usd_per_hour
        assert price is not None
        assert price >= last
        last = price


def test_no_kind_of_gpu_is_offered_twice() -> None:
    offers = any_hardware(a_request("Qwen3-8B"), CATALOG).offers
    names = [offer.plan.placement.accelerator for offer in offers]
    assert len(names) == len(set(names))


def test_more_load_never_takes_less_memory() -> None:
    few, many = (
        any_hardware(a_request("Qwen3-14B", concurrency=n, input_tokens=8192), CATALOG)
        for n in (1, 64)
    )
    assert many.offers[0].device_bytes >= few.offers[0].device_bytes


def test_what_the_request_allows_is_kept() -> None:
    request = a_request("Qwen3-32B", accelerators=("H100-SXM-80GB", "L40S-48GB"), max_gpus=2)
    offers = any_hardware(request, CATALOG).offers
    assert {o.plan.placement.accelerator for o in offers} <= {"H100-SXM-80GB", "L40S-48GB"}
    assert all(offer.plan.gpus <= 2 for offer in offers)


def test_small_boards_take_part_where_their_engine_serves_what_is_asked() -> None:
    tiny = any_hardware(a_request("Qwen3-4B", max_model_len=4096), CATALOG)
    assert any(offer.plan.engine == "llamacpp" for offer in tiny.offers)
    plain = any_hardware(a_request("Qwen3-4B", quantization=Quantization.BF16), CATALOG)
    assert {offer.plan.engine for offer in plain.offers} == {"vllm"}
    old = any_hardware(a_request("Qwen3-4B", engine_version="0.11.0"), CATALOG)
    assert {offer.plan.engine_version for offer in old.offers} == {"0.11.0"}


def test_hardware_that_the_catalog_lacks_is_bad_input() -> None:
    with pytest.raises(SpecError):
        any_hardware(a_request("Qwen3-4B", accelerators=("H100-SXM-81GB",)), CATALOG)


def test_where_nothing_is_enough_the_largest_says_why() -> None:
    request = a_request("Qwen3-235B-A22B", max_model_len=40960, concurrency=10**6)
    found = any_hardware(request, CATALOG)
    assert found.offers == ()
    assert isinstance(found.answer, NoPlan)


def test_alternatives_are_ranked_and_those_that_fail_left_out() -> None:
    request = a_request("Qwen3-32B", quantization=Quantization.BF16)
    names = ("8xH100-SXM-80GB", "1xL4-24GB", "2xH100-SXM-80GB")
    found = offering_of(request, [(name, hardware(name)) for name in names], CATALOG)
    assert [offer.hardware for offer in found.offers] == ["2xH100-SXM-80GB", "8xH100-SXM-80GB"]
    assert isinstance(found.answer, Plan)
    assert found.inventory == hardware("2xH100-SXM-80GB")


def test_where_there_are_prices_the_cheaper_comes_first() -> None:
    def priced(product: str, usd: float) -> tuple[str, object]:
        node = {"accelerator": product, "accelerators_per_node": 1, "usd_per_hour": usd}
        return product, parse_inventory({"nodes": [node]}, CATALOG)

    dear, cheap = priced("L40S-48GB", 9.0), priced("H100-SXM-80GB", 2.0)
    found = offering_of(a_request("Qwen3-8B"), [dear, cheap], CATALOG)  # type: ignore[list-item]  # as above
    assert [offer.hardware for offer in found.offers] == ["H100-SXM-80GB", "L40S-48GB"]


def test_where_no_alternative_holds_it_the_last_says_why() -> None:
    request = a_request("Qwen3-235B-A22B", quantization=Quantization.BF16)
    names = ("1xL4-24GB", "1xL40S-48GB")
    found = offering_of(request, [(name, hardware(name)) for name in names], CATALOG)
    assert found.offers == ()
    assert isinstance(found.answer, NoPlan)
    assert found.answer.refusals[0].accelerator == "L40S-48GB"


@pytest.mark.parametrize("model", ["Qwen3-0.6B", "Qwen3-32B", "Qwen3-235B-A22B"])
def test_all_hardware_is_judged_in_two_seconds(model: str) -> None:
    started = process_time()
    any_hardware(a_request(model, concurrency=32, input_tokens=4096, output_tokens=1024), CATALOG)
    assert process_time() - started < 2
