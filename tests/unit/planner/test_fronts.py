"""Laws of the Pareto front: nothing on it is beaten, and everything else is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.fronts import FrontPoint, dominates, front, front_of, points
from qwen3_planner.grid import evaluate
from qwen3_planner.plan import Layout
from qwen3_planner.question import understand
from qwen3_planner.report.front import SHOWN, front_document, front_text
from qwen3_planner.request import Targets
from qwen3_planner.serving.verdicts import Fit
from support.depth import examples
from support.planner_builders import a_request, hardware

figures = st.sampled_from((1.0, 2.0, 3.0, 5.0, 8.0))

some_points = st.lists(
    st.builds(
        FrontPoint,
        accelerator=st.sampled_from(("L4-24GB", "H100-SXM-80GB")),
        layout=st.sampled_from((Layout(), Layout(tensor=2), Layout(tensor=4))),
        quantization=st.sampled_from(("bf16", "fp8")),
        concurrency=st.sampled_from((1, 4)),
        ttft_ms=figures,
        tpot_ms=figures,
        output_tokens_per_second=figures,
        usd_per_million_output_tokens=st.none() | figures,
    ),
    max_size=12,
)


@given(some_points)
def test_no_point_of_a_front_is_dominated_and_every_other_point_is(
    found: list[FrontPoint],
) -> None:
    best = front_of(found)
    assert not any(dominates(one, other) for one in best for other in best)
    for point in found:
        assert point in best or any(dominates(one, point) for one in best)


@given(some_points)
def test_a_front_does_not_depend_on_the_order_of_its_candidates(found: list[FrontPoint]) -> None:
    assert set(front_of(found)) == set(front_of(reversed(found)))


QUESTIONS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("Qwen3-32B", "8xH100-SXM-80GB", {}),
    ("Qwen3-30B-A3B", "4xL40S-48GB", {"max_model_len": 8192}),
    ("Qwen3-8B", "2xL4-24GB,1xA100-SXM-80GB", {"concurrency": 3}),
    ("Qwen3-0.6B", "1xRaspberryPi5-8GB", {}),
)


@pytest.mark.parametrize(("model", "on", "fields"), QUESTIONS)
def test_each_candidate_is_on_the_front_dominated_or_refused(
    model: str, on: str, fields: dict[str, object]
) -> None:
    request, here, catalog = a_request(model, **fields), hardware(on), load_catalog()
    found, best = list(points(request, here, catalog)), front(request, here, catalog)
    assert best
    assert not any(dominates(one, other) for one in best for other in best)
    for point in found:
        assert point in best or any(dominates(one, point) for one in best)
    loads = sorted({point.concurrency for point in found})
    cells = evaluate(understand(request, here, catalog), here, loads, catalog.efficiencies)
    assert len(found) == sum(isinstance(cell.verdict, Fit) for cell in cells)


@settings(max_examples=examples(12))
@given(tpot=st.floats(4.0, 60.0), ttft=st.floats(60.0, 2000.0))
def test_a_limit_keeps_what_meets_it_and_nothing_else(tpot: float, ttft: float) -> None:
    here, catalog = hardware("4xH100-SXM-80GB"), load_catalog()
    free = a_request("Qwen3-32B")
    limited = replace(free, targets=Targets(ttft_ms=ttft, tpot_ms=tpot))
    within = [
        point
        for point in points(free, here, catalog)
        if point.tpot_ms <= tpot and point.ttft_ms <= ttft
    ]
    assert set(front(limited, here, catalog)) == set(front_of(within))


def test_a_front_is_quickest_first_and_what_is_slower_brings_something() -> None:
    best = front(a_request("Qwen3-32B"), hardware("8xH100-SXM-80GB"), load_catalog())
    assert [one.tpot_ms for one in best] == sorted(one.tpot_ms for one in best)
    assert {one.concurrency for one in best} > {1, 64}
    assert {one.layout.tensor for one in best} > {1, 8}
    assert all(one.usd_per_million_output_tokens for one in best)


def test_prices_of_the_inventory_come_before_those_of_the_catalog() -> None:
    here, catalog = hardware("1xL4-24GB"), load_catalog()
    (group,) = here.groups
    dear = replace(here, groups=(replace(group, usd_per_hour=3600.0),))
    best = front(a_request("Qwen3-4B"), dear, catalog)
    for one in best:
        usd, tokens = one.usd_per_million_output_tokens, one.output_tokens_per_second
        assert usd == pytest.approx(1e6 / tokens, rel=1e-3)


def test_the_documents_fields_are_those_that_are_promised() -> None:
    best = front(a_request("Qwen3-32B"), hardware("2xH100-SXM-80GB"), load_catalog())
    listed = json.loads(json.dumps(front_document(best)))
    assert len(listed) == len(best)
    assert set(listed[0]) - {"fitsNarrowly"} == {
        "accelerator",
        "layout",
        "quantization",
        "concurrency",
        "ttftMs",
        "tpotMs",
        "outputTokensPerSecond",
        "usdPerMillionOutputTokens",
    }


def test_a_table_keeps_to_eighty_columns_and_shows_both_ends() -> None:
    on = "8xH100-SXM-80GB,8xRTX-PRO-6000-96GB"
    best = front(a_request("Qwen3-32B"), hardware(on), load_catalog())
    text = front_text(best, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert len(best) > SHOWN
    assert f"{SHOWN} of {len(best)} points: -o json lists all" in text
    rows = text.splitlines()
    assert f"{best[0].tpot_ms:.1f}" in rows[2]
    assert f"{best[-1].tpot_ms:.1f}" in rows[1 + SHOWN]


def test_a_front_of_nothing_says_so() -> None:
    assert "nothing fits" in front_text((), 80)


def test_costs_that_are_counted_differently_are_not_compared() -> None:
    priced = FrontPoint("L4-24GB", Layout(), "bf16", 1, 10.0, 10.0, 100.0, 0.1)
    unpriced = replace(priced, accelerator="T4-16GB", usd_per_million_output_tokens=None)
    slower = replace(priced, tpot_ms=11.0, usd_per_million_output_tokens=0.2)

    assert not dominates(priced, replace(unpriced, tpot_ms=99.0))
    assert dominates(priced, slower)
    assert set(front_of([priced, unpriced, slower])) == {priced, unpriced}
