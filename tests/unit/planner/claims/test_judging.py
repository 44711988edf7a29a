from __future__ import annotations

import re
from dataclasses import replace

import pytest

from qwen3_planner.catalog.loading import load_catalog, load_claims
from qwen3_planner.claims.claim import (
    ArchitectureCheck,
    Claim,
    ExistsCheck,
    FitsCheck,
    FootprintCheck,
    Verdict,
)
from qwen3_planner.claims.judging import judge_check, judge_claim
from qwen3_planner.claims.reading import parse_claims
from qwen3_planner.request import PlanRequest, Quantization, Workload

CATALOG = load_catalog()
BF16, FP8 = Quantization.BF16, Quantization.FP8


def fits(model: str, hardware: str, spare_share: float = 0.0, **fields: object) -> FitsCheck:
    return FitsCheck(PlanRequest(model, **fields), hardware, spare_share)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("32b-1xa100", Verdict.ONLY_IF),
        ("235b-4xa100", Verdict.ONLY_IF),
        ("30b-a3b-16gb", Verdict.FALSE),
        ("8b-q4km-4090", Verdict.TRUE),
        ("8b-m2pro", Verdict.TRUE),
        ("0.6b-pi5", Verdict.TRUE),
        ("64-experts-36b", Verdict.FALSE),
        ("72b-exists", Verdict.FALSE),
        ("7b-exists", Verdict.FALSE),
    ],
)
def test_what_is_often_said_is_judged(name: str, verdict: Verdict) -> None:
    (claim,) = (c for c in parse_claims(load_claims(), CATALOG) if c.name == name)

    finding = judge_claim(claim, CATALOG)

    assert finding.verdict is verdict, finding
    assert finding.why.endswith(".")
    assert all(re.search(r"\d", line) for line in finding.arithmetic)
    assert finding.arithmetic


def test_a_model_that_holds_its_native_context_fits() -> None:
    finding = judge_check(fits("Qwen3-8B", "1xH100-SXM-80GB", quantization=BF16), CATALOG)

    assert finding.verdict is Verdict.TRUE
    assert "tokens of KV cache" in finding.why


def test_a_speed_that_is_missed_is_a_condition_with_both_figures() -> None:
    asked = {"quantization": BF16, "max_model_len": 8192}
    check = fits("Qwen3-8B", "1xH100-SXM-80GB", 0.0, **asked)
    speed = r"\d+(\.\d+)? ms a token will do for 1"
    slow = judge_check(replace(check, tpot_ms=1.0), CATALOG)
    rate = judge_check(replace(check, output_tokens_per_second=1e6), CATALOG)

    assert judge_check(replace(check, tpot_ms=100.0), CATALOG).verdict is Verdict.TRUE
    assert slow.verdict is Verdict.ONLY_IF
    assert re.search(speed, slow.why)
    assert rate.verdict is Verdict.ONLY_IF
    assert "tokens a second will do for 1e+06" in rate.why
    assert any("ms a token (" in line for line in slow.arithmetic)


def test_a_milder_plan_must_be_fast_enough_too() -> None:
    asked = fits("Qwen3-32B", "1xL40S-48GB", quantization=BF16, max_model_len=8192)
    finding = judge_check(replace(asked, tpot_ms=1.0), CATALOG)

    assert finding.verdict is Verdict.ONLY_IF
    assert "fp8" in finding.why
    assert "will do for 1" in finding.why


def test_shapes_are_named_by_the_first_model_that_has_them() -> None:
    finding = judge_check(ArchitectureCheck(64, 4), CATALOG)

    assert finding.arithmetic[0].startswith("Qwen3-30B-A3B:")
    assert finding.arithmetic[1].startswith("Qwen3-235B-A22B:")


def test_a_shortened_context_is_a_condition() -> None:
    finding = judge_check(fits("Qwen3-8B", "1xA10G-24GB", quantization=BF16), CATALOG)

    assert finding.verdict is Verdict.ONLY_IF
    assert "of 40,960 tokens of context are enough" in finding.why


def test_room_to_spare_is_a_condition_of_its_own() -> None:
    asked = {"quantization": BF16, "max_model_len": 8192}
    plenty = judge_check(fits("Qwen3-32B", "1xH200-SXM-141GB", 0.3, **asked), CATALOG)
    scarce = judge_check(fits("Qwen3-32B", "1xH100-SXM-80GB", 0.3, **asked), CATALOG)

    assert plenty.verdict is Verdict.TRUE
    assert scarce.verdict is Verdict.ONLY_IF
    assert "room to spare" in scarce.why


def test_what_fits_only_in_less_precise_weights_says_which() -> None:
    asked = fits("Qwen3-32B", "1xL40S-48GB", quantization=BF16, max_model_len=8192)
    finding = judge_check(asked, CATALOG)

    assert finding.verdict is Verdict.ONLY_IF
    assert "fp8" in finding.why
    assert "bf16 needs" in finding.why


def test_what_runs_in_no_way_is_false_and_says_what_would_do() -> None:
    load = Workload(concurrency=512)
    finding = judge_check(
        fits("Qwen3-235B-A22B", "1xT4-16GB", max_model_len=32768, workload=load), CATALOG
    )

    assert finding.verdict is Verdict.FALSE
    assert "What would: " in finding.why


def test_the_sum_adds_up() -> None:
    finding = judge_check(fits("Qwen3-8B", "1xH100-SXM-80GB", quantization=BF16), CATALOG)

    parts = [float(x) for x in re.findall(r"([\d.]+) GiB", finding.arithmetic[0])]
    weights, other, cache, total, budget, device = parts
    assert weights + other + cache == pytest.approx(total, abs=0.16)
    assert total < budget < device


def test_a_mixture_of_experts_does_not_have_the_memory_of_what_one_token_uses() -> None:
    finding = judge_check(FootprintCheck("Qwen3-30B-A3B", 3_000_000_000), CATALOG)

    assert finding.verdict is Verdict.FALSE
    assert "10.2 times" in finding.why
    assert "128 experts" in finding.why
    same = judge_check(FootprintCheck("Qwen3-30B-A3B", 30_000_000_000), CATALOG)
    assert same.verdict is Verdict.TRUE


@pytest.mark.parametrize(
    ("billions", "verdict"),
    [
        (0.6, True),
        (1.7, True),
        (4, True),
        (8, True),
        (14, True),
        (32, True),
        (7, False),
        (72, False),
    ],
)
def test_sizes_are_those_of_the_dense_models(billions: float, verdict: bool) -> None:  # noqa: FBT001 - a column
    finding = judge_check(ExistsCheck(int(billions * 1e9)), CATALOG)

    assert (finding.verdict is Verdict.TRUE) == verdict


def test_the_real_shapes_exist() -> None:
    real = ArchitectureCheck(128, 8, 235_000_000_000, 22_000_000_000)
    wrong_top = ArchitectureCheck(128, 4)

    assert judge_check(real, CATALOG).verdict is Verdict.TRUE
    finding = judge_check(wrong_top, CATALOG)
    assert finding.verdict is Verdict.FALSE
    assert "8 of 128" in finding.why


def test_the_worst_check_decides_and_gives_the_reason() -> None:
    exists, missing = ExistsCheck(8_000_000_000), ExistsCheck(72_000_000_000)

    finding = judge_claim(Claim("a", "both", (exists, missing)), CATALOG)

    assert finding.verdict is Verdict.FALSE
    assert finding.why == judge_check(missing, CATALOG).why
    assert len(finding.arithmetic) == 2 * len(judge_check(exists, CATALOG).arithmetic)
