"""Speed and price of a plan in every form that it is told in."""

from __future__ import annotations

from dataclasses import replace

from qwen3_planner.plan import Cost, Performance, ReadingPerformance
from qwen3_planner.report.plan_json import to_document
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.report.text import to_text
from support.plan_builders import make_plan

SPEED = Performance(
    input_tokens=1024,
    output_tokens=256,
    concurrency=16,
    ttft_ms=233.14,
    ttft_ms_low=188.0,
    ttft_ms_high=289.0,
    tpot_ms=17.654,
    tpot_ms_low=16.52,
    tpot_ms_high=18.86,
    output_tokens_per_second=862.31,
    output_tokens_per_second_low=807.0,
    output_tokens_per_second_high=921.0,
    requests_per_second=3.368,
    relative_error=0.04,
    saturation_concurrency=153,
    saturation_output_tokens_per_second=3011.0,
)
COST = Cost(
    usd_per_hour=7.05,
    usd_per_million_output_tokens=2.2716,
    usd_per_million_input_tokens=0.081,
    usd_per_million_output_tokens_alone=1.95,
    kwh_per_million_output_tokens=0.54,
    price_as_of="2026-11-09",
)
PLAN = replace(make_plan(), performance=SPEED, cost=COST)


def test_the_document_says_each_figure_with_both_ends_of_its_interval() -> None:
    said = to_document(PLAN)["performance"]
    for figure in ("ttftMs", "tpotMs", "outputTokensPerSecond"):
        assert said[f"{figure}Low"] < said[figure] < said[f"{figure}High"]
    assert said["requestsPerSecond"] == 3.368
    assert said["relativeError"] == 0.04
    assert said["saturationConcurrency"] == 153


def test_the_document_leaves_out_what_is_not_known() -> None:
    bare = replace(PLAN, performance=None, cost=Cost(7.05))
    document = to_document(bare)
    assert "performance" not in document
    assert document["cost"] == {"usdPerHour": 7.05}


def test_the_price_of_tokens_is_told_with_the_date_of_the_price() -> None:
    said = to_document(PLAN)["cost"]
    assert said["usdPerMillionOutputTokens"] == 2.2716
    assert said["priceAsOf"] == "2026-11-09"


def test_the_status_keeps_three_digits() -> None:
    said = status_document(PLAN)
    assert said["performance"]["tpotMs"] == 17.7
    assert said["performance"]["saturationConcurrency"] == 153
    assert said["cost"]["usdPerMillionOutputTokens"] == 2.27


def test_people_read_speed_load_and_price() -> None:
    text = " ".join(to_text(PLAN).split())
    assert "17.7 ms a token (16.5 ms to 18.9 ms)" in text
    assert "first after 233 ms" in text
    assert "at 16 requests in flight of 1,024 + 256 tokens" in text
    assert "862 output tokens/s a replica; at most 3,011, nearly so from 153 in flight" in text
    assert "$7.05 an hour, $2.27 a million output tokens (going rate of 2026-11-09)" in text


def test_a_plan_without_either_says_neither() -> None:
    text = to_text(make_plan())
    assert "Speed" not in text
    assert "Price" not in text


READS = replace(
    make_plan(),
    reading=ReadingPerformance(
        512, 8, 939.0, 380.4, 2318.0, 4363.0, 1767.0, 10769.0, 8.52, 0.549, 8, 4589.0
    ),
    cost=Cost(0.8, usd_per_million_input_tokens=0.0509, price_as_of="2026-11-09"),
)


def test_a_model_that_only_reads_has_no_figures_of_generation() -> None:
    said = to_document(READS)["performance"]
    assert said["inputTokensPerSecondLow"] == 1767.0
    assert said["ttftMs"] == 939.0
    assert not {"tpotMs", "outputTokens", "outputTokensPerSecond"} & set(said)
    assert status_document(READS)["performance"]["inputTokensPerSecond"] == 4360.0


def test_people_read_how_fast_it_reads_and_what_that_costs() -> None:
    text = " ".join(to_text(READS).split())
    assert "939 ms a request (380 ms to 2.3 s), at 8 requests in flight of 512 tokens" in text
    assert "4,363 tokens/s read, 8.5 requests/s a replica; at most 4,589 tokens/s" in text
    assert "$0.80 an hour, $0.051 a million tokens read (going rate of 2026-11-09)" in text
