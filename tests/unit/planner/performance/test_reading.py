"""Models that only read: an answer is ready with its prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_planner.performance.load import Load
from qwen3_planner.performance.reading import answer_seconds, predict_reading
from qwen3_planner.plan import Layout
from support.depth import examples
from support.performance.servers import a_server

SLACK = 1 + 1e-9

EMBEDDING = "Qwen3-Embedding-8B"


def test_requests_that_are_read_together_share_the_weights() -> None:
    server = a_server(EMBEDDING, "H100-SXM-80GB", layout=Layout())
    one, eight = (answer_seconds(server, 16, requests) for requests in (1, 8))
    assert eight < 1.2 * one


def test_long_prompts_are_bound_by_arithmetic() -> None:
    server = a_server(EMBEDDING, "H100-SXM-80GB", layout=Layout())
    said = predict_reading(server, Load(2048, 1, 64))
    work, machine = server.stages[0].work, server.stages[0].machine
    most = machine.flops / work.token_flops
    assert 0.3 * most < said.input_tokens_per_s.value < most


def test_the_answer_of_a_larger_model_takes_longer() -> None:
    speeds = [
        predict_reading(a_server(model, "L4-24GB", layout=Layout()), Load(512, 1, 8)).answer_s.value
        for model in ("Qwen3-Embedding-0.6B", "Qwen3-Embedding-4B", EMBEDDING)
    ]
    assert speeds == sorted(speeds)


def test_saturation_brings_nearly_all_that_a_replica_reads() -> None:
    server = a_server(EMBEDDING, "A100-SXM-80GB", layout=Layout())
    said = predict_reading(server, Load(512, 1, 1))
    at = predict_reading(server, Load(512, 1, said.saturation_concurrency))
    assert at.input_tokens_per_s.value >= 0.95 * said.saturation_input_tokens_per_s
    assert at.saturation_concurrency == said.saturation_concurrency


def test_an_unmeasured_card_is_told_with_a_wide_interval() -> None:
    sure = predict_reading(a_server(EMBEDDING, "H100-SXM-80GB", layout=Layout()), Load(512, 1))
    wide = predict_reading(a_server(EMBEDDING, "MI300X-192GB", layout=Layout()), Load(512, 1))
    assert wide.relative_error > sure.relative_error > 0.1


loads = st.builds(
    Load,
    input_tokens=st.integers(1, 30_000),
    output_tokens=st.just(1),
    concurrency=st.integers(1, 500),
)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(("L4-24GB", "H100-SXM-80GB", "MI300X-192GB", "RTX-4090-24GB")),
    st.sampled_from((1, 2)),
    loads,
    st.integers(1, 300),
)
def test_more_or_longer_prompts_never_answer_sooner(
    card: str, tensor: int, load: Load, more: int
) -> None:
    server = a_server(EMBEDDING, card, layout=Layout(tensor))
    said = predict_reading(server, load)
    busier = predict_reading(server, replace(load, concurrency=load.concurrency + more))
    longer = predict_reading(server, replace(load, input_tokens=load.input_tokens + more))
    assert busier.answer_s.value * SLACK >= said.answer_s.value
    assert longer.answer_s.value * SLACK >= said.answer_s.value
    for interval in (said.answer_s, said.input_tokens_per_s):
        assert 0 < interval.low < interval.value < interval.high
    assert said.requests_per_s * said.answer_s.value == pytest.approx(load.concurrency)
