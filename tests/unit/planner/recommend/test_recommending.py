"""Which variant for a need: ranked, planned, and every other one with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.choosing import load_choosing
from qwen3_planner.catalog.loading import load_catalog, load_purchase_prices
from qwen3_planner.economics.rates import Paying, PriceLists
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.recommend.need import Need
from qwen3_planner.recommend.policy import Policy
from qwen3_planner.recommend.recommendation import Preference, Recommendation, Wish
from qwen3_planner.recommend.recommending import recommend
from support.depth import examples

CATALOG = load_catalog()
CHOOSING = load_choosing()
BASE = Wish(
    (Need.CHAT,), Policy(), Paying(usd_per_gpu_hour=3.0), PriceLists((), load_purchase_prices())
)
LOAD = {"users": 16, "input_tokens": 2000, "output_tokens": 400}


def ranked(hardware: str, **changes: object) -> Recommendation:
    wish = replace(BASE, **changes)  # type: ignore[arg-type]
    return recommend(wish, parse_hardware(hardware, CATALOG), CATALOG, CHOOSING)


def test_every_variant_is_an_option_rejected_or_unsuited_and_only_one_of_them() -> None:
    found = ranked("2xL40S-48GB")
    told = [one.variant for part in (found.options, found.rejected, found.unsuited) for one in part]
    assert sorted(told) == sorted(row.name for row in CATALOG.models)


def test_options_stand_in_the_order_of_their_scores_and_hold_what_is_wanted() -> None:
    found = ranked("1xH100-SXM-80GB", **LOAD, ttft_ms=2000.0, tpot_ms=40.0)
    scores = [option.score.score for option in found.options if option.score is not None]
    assert len(scores) > 5
    assert scores == sorted(scores, reverse=True)
    for option in found.options:
        speed = option.plan.performance
        assert speed is not None
        assert speed.tpot_ms <= 40.0
        assert speed.ttft_ms <= 2000.0
        assert speed.concurrency * option.plan.replicas >= 16
        assert option.usd_per_hour == pytest.approx(3.0 * option.plan.gpus)


def test_what_is_rejected_says_why_with_figures_and_what_would_help() -> None:
    found = ranked("1xL4-24GB", tpot_ms=15.0)
    reasons = {one.variant: one for one in found.rejected}
    assert reasons["Qwen3-235B-A22B"].rule == "DoesNotFit"
    assert "GiB" in reasons["Qwen3-235B-A22B"].message
    assert reasons["Qwen3-235B-A22B"].fix
    slow = [one for one in found.rejected if one.rule == "TooSlow"]
    assert slow
    assert all("15 are wanted" in one.message for one in slow)


@pytest.mark.thorough
@settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes half a second
)
@given(
    st.floats(2.0, 30.0),
    st.floats(0.0, 30.0),
    st.sampled_from([None, 25.0]),
    st.sampled_from(Preference),
)
def test_a_bigger_budget_never_takes_an_option_away(
    budget: float, more: float, tpot_ms: float | None, prefers: Preference
) -> None:
    wish = {**LOAD, "tpot_ms": tpot_ms, "prefers": prefers}
    small = ranked("8xA100-SXM-80GB", **wish, usd_per_hour=budget)
    large = ranked("8xA100-SXM-80GB", **wish, usd_per_hour=budget + more)
    kept = {option.variant for option in large.options}
    assert {option.variant for option in small.options} <= kept
    assert all((option.usd_per_hour or 0.0) <= budget for option in small.options)


def test_the_budget_that_a_rejection_names_is_enough() -> None:
    tight = ranked("8xH100-SXM-80GB", usd_per_hour=4.0)
    over = next(one for one in tight.rejected if one.rule == "OverBudget")
    enough = float(over.fix.rpartition(" ")[2])
    wide = ranked("8xH100-SXM-80GB", usd_per_hour=enough)
    assert over.variant in {option.variant for option in wide.options}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("need", "first"),
    [
        (Need.EMBEDDINGS, "Qwen3-Embedding-8B"),
        (Need.RERANKING, "Qwen3-Reranker-4B"),
        (Need.VISION, "Qwen3-VL-32B-Instruct"),
        (Need.REASONING, "Qwen3-Next-80B-A3B-Thinking"),
        (Need.CODING, "Qwen3-Next-80B-A3B-Thinking"),
        (Need.LONG_CONTEXT, "Qwen3-Next-80B-A3B-Instruct"),
        (Need.TOOLS, "Qwen3-Next-80B-A3B-Instruct"),
        (Need.MULTILINGUAL, "Qwen3-Next-80B-A3B-Instruct"),
    ],
)
def test_each_need_has_its_best_on_two_h100(need: Need, first: str) -> None:
    found = ranked("2xH100-SXM-80GB", needs=(need,))
    assert found.options[0].variant == first


@pytest.mark.thorough
def test_the_cheapest_plan_is_told_where_price_is_preferred() -> None:
    wish = {**LOAD, "users": 64, "tpot_ms": 25.0}
    precise = ranked("8xH100-SXM-80GB", **wish)
    cheap = ranked("8xH100-SXM-80GB", **wish, prefers=Preference.PRICE)
    assert [one.variant for one in cheap.options] == [one.variant for one in precise.options]
    pairs = list(zip(cheap.options, precise.options, strict=True))
    assert all((low.usd_per_hour or 0) <= (high.usd_per_hour or 0) for low, high in pairs)
    assert any((low.usd_per_hour or 0) < (high.usd_per_hour or 0) for low, high in pairs)
    assert any(low.plan.quantization != high.plan.quantization for low, high in pairs)


def test_long_context_means_131072_tokens_and_a_stated_context_comes_first() -> None:
    long = ranked("2xH100-SXM-80GB", needs=(Need.LONG_CONTEXT,))
    assert {option.plan.max_model_len for option in long.options} == {131_072}
    short = ranked("2xH100-SXM-80GB", needs=(Need.LONG_CONTEXT,), context=8192)
    assert {option.plan.max_model_len for option in short.options} == {8192}


def test_edge_keeps_reading_speed() -> None:
    found = ranked("RaspberryPi5-8GB", needs=(Need.EDGE,))
    assert found.options
    assert all(
        option.plan.performance is not None and option.plan.performance.tpot_ms <= 200.0
        for option in found.options
    )
    assert any(one.rule == "TooSlow" for one in found.rejected)


def test_what_yields_no_text_is_held_to_the_time_of_its_answer() -> None:
    wish = {"needs": (Need.EMBEDDINGS,), "users": 4, "input_tokens": 512, "tpot_ms": 0.001}
    free = ranked("1xL4-24GB", **wish)
    held = ranked("1xL4-24GB", **wish, ttft_ms=150.0)
    assert len(free.options) == 3
    assert {option.mode for option in free.options} == {"reading"}
    assert {one.rule for one in held.rejected} == {"TooSlow"}
    assert all("answer after" in one.message for one in held.rejected)
    for option in held.options:
        assert option.plan.reading is not None
        assert option.plan.reading.ttft_ms <= 150.0


@pytest.mark.thorough
def test_thinking_is_for_reasoning_and_can_be_switched() -> None:
    hardware = "2xH100-SXM-80GB"
    chat = {option.mode for option in ranked(hardware).options}
    thought = ranked(hardware, thinks=True, thinking_tokens=1000)
    assert chat == {"non-thinking"}
    assert thought.options[0].mode == "thinking"
    speed = thought.options[0].plan.performance
    assert speed is not None
    assert speed.output_tokens == 1256
    plain = ranked(hardware, needs=(Need.REASONING,), thinks=False)
    assert {option.mode for option in plain.options} == {"non-thinking"}
    always = [one for one in plain.unsuited if one.rule == "AlwaysThinks"]
    assert all(one.fix == "--thinking on" for one in always)
    assert always


def test_a_region_without_its_accelerators_has_no_option_and_says_which_rule() -> None:
    found = ranked("2xH100-SXM-80GB", policy=Policy(region="CN"))
    assert not found.options
    assert {one.rule for one in found.rejected} == {"ExportBarred"}
    assert found.barred[0].accelerator == "H100-SXM-80GB"
    assert any("no legal advice" in text for text in found.warnings)
    licensed = Policy(region="CN", licensed=frozenset({"H100-SXM-80GB"}))
    assert ranked("2xH100-SXM-80GB", policy=licensed).options


def test_in_a_mixed_pool_only_what_may_be_used_is_used() -> None:
    found = ranked("2xH100-SXM-80GB,2xRTX-3090-24GB", policy=Policy(region="CN"))
    assert {option.plan.placement.accelerator for option in found.options} == {"RTX-3090-24GB"}


def test_policies_reach_the_checkpoint_of_the_plan() -> None:
    policy = Policy(sources=frozenset({"modelscope"}), licences=frozenset({"Apache-2.0"}))
    found = ranked("1xH100-SXM-80GB", policy=policy)
    assert found.options
    for option in found.options:
        assert option.plan.source.startswith("modelscope://Qwen/")
        assert option.licence is not None


def test_a_variant_without_an_allowed_checkpoint_is_rejected_for_that() -> None:
    official = tuple(row for row in CATALOG.checkpoints if row.variant != "Qwen3-8B")
    catalog = replace(CATALOG, checkpoints=official)
    wish = replace(BASE, policy=Policy(licences=frozenset({"apache-2.0"})))
    found = recommend(wish, parse_hardware("1xL40S-48GB", CATALOG), catalog, CHOOSING)
    (one,) = [one for one in found.rejected if one.variant == "Qwen3-8B"]
    assert one.rule == "CheckpointNotAllowed"


def test_more_users_get_replicas_where_one_is_too_slow() -> None:
    found = ranked("8xL40S-48GB", users=256, input_tokens=1000, output_tokens=200, tpot_ms=30.0)
    assert any(option.plan.replicas > 1 for option in found.options)


def test_a_budget_without_a_price_is_told() -> None:
    wish = {"paying": Paying(), "usd_per_hour": 5.0}
    found = ranked("Apple-M2-Pro-32GB", **wish)
    assert not found.options
    assert "PriceUnknown" in {one.rule for one in found.rejected}


def test_what_is_given_up_is_named() -> None:
    found = ranked("1xH100-SXM-80GB")
    best = found.options[0]
    assert any("16-bit" in text for text in best.gives_up)
    assert any("points of" in text for text in best.gives_up)
    full = next(option for option in found.options if option.variant == "Qwen3-4B")
    assert full.gives_up == ()
