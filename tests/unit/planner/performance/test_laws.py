"""Laws that hold for every model, card, engine and load."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.economics.tokens import token_cost
from qwen3_planner.performance.load import Load, Server, closed_loop, room
from qwen3_planner.performance.prediction import predict, tpot_terms
from qwen3_planner.performance.saturation import open_loop, performance_at_rate, saturation
from qwen3_planner.plan import Layout
from support.depth import examples
from support.performance.servers import a_server, gpus

MODELS = ("Qwen3-0.6B", "Qwen3-4B", "Qwen3-14B", "Qwen3-32B", "Qwen3-30B-A3B", "Qwen3-235B-A22B")

RATES = ("memory_gb_per_s", "bf16_tflops", "fp8_tflops", "link_gb_per_s", "pcie_gb_per_s")
"""What a data sheet states of a card's speed."""

LOOSE = 1 + 1e-6
"""The same where the requests in flight are found by halving an interval."""

SLACK = 1 + 1e-9
"""Rounding of floating-point sums."""


@st.composite
def servers(draw: st.DrawFn) -> Server:
    model = draw(st.sampled_from(MODELS))
    tensor = draw(st.sampled_from((1, 2, 4, 8)))
    pipeline = draw(st.sampled_from((1, 1, 2)))
    data = draw(st.sampled_from((1, 1, 2)))
    expert = tensor * data if "A" in model and draw(st.booleans()) else 1
    return a_server(
        model,
        draw(st.sampled_from(gpus())),
        quantization=draw(st.sampled_from(("bf16", "fp8", "awq-int4"))),
        engine=draw(st.sampled_from(("vllm", "sglang"))),
        layout=Layout(tensor, pipeline, data, expert),
    )


loads = st.builds(
    Load,
    input_tokens=st.integers(1, 100_000),
    output_tokens=st.integers(1, 8_000),
    concurrency=st.integers(1, 500),
)

many = settings(max_examples=examples(150), deadline=None)


@many
@given(servers(), loads, st.integers(1, 400))
def test_more_requests_in_flight_never_make_one_faster(
    server: Server, load: Load, more: int
) -> None:
    few = closed_loop(server, load)
    many_of_them = closed_loop(server, replace(load, concurrency=load.concurrency + more))
    assert many_of_them.tpot_s * SLACK >= few.tpot_s
    assert many_of_them.ttft_s * SLACK >= few.ttft_s
    assert many_of_them.output_tokens_per_s * SLACK >= few.output_tokens_per_s


@many
@given(servers(), loads, st.integers(1, 100_000))
def test_time_per_token_never_falls_when_the_context_grows(
    server: Server, load: Load, more: int
) -> None:
    longer = replace(load, input_tokens=load.input_tokens + more)
    assert closed_loop(server, longer).tpot_s * SLACK >= closed_loop(server, load).tpot_s
    assert closed_loop(server, longer).ttft_s * SLACK >= closed_loop(server, load).ttft_s


@many
@given(
    servers(),
    loads,
    st.floats(1.0, 4.0),
    st.sampled_from(("memory", "flops", "attention_flops", "link", "stage_link")),
)
def test_a_faster_card_is_never_slower(
    server: Server, load: Load, factor: float, rate: str
) -> None:
    faster = replace(
        server,
        stages=tuple(
            replace(
                stage,
                machine=replace(stage.machine, **{rate: getattr(stage.machine, rate) * factor}),
            )
            for stage in server.stages
        ),
    )
    before, after = closed_loop(server, load), closed_loop(faster, load)
    assert after.tpot_s <= before.tpot_s * SLACK
    assert after.ttft_s <= before.ttft_s * SLACK
    assert after.output_tokens_per_s * SLACK >= before.output_tokens_per_s


@many
@given(servers(), loads, st.floats(1.0, 4.0), st.sampled_from(RATES))
def test_a_faster_card_of_the_catalog_is_never_slower(
    server: Server, load: Load, factor: float, rate: str
) -> None:
    """From the card's own figures: a link may be its NVLink or its bus."""
    model, name = server.subject
    card = load_catalog().accelerator(name)
    assume(getattr(card, rate))
    better = replace(card, **{rate: getattr(card, rate) * factor})
    layout = Layout(server.stages[0].machine.ranks, len(server.stages), server.data)
    before = closed_loop(a_server(model, card, layout=layout), load)
    after = closed_loop(a_server(model, better, layout=layout), load)
    assert after.tpot_s <= before.tpot_s * SLACK
    assert after.ttft_s <= before.ttft_s * SLACK


@many
@given(servers(), loads)
def test_no_token_comes_faster_than_its_bytes_and_operations_allow(
    server: Server, load: Load
) -> None:
    """The roofline, by the catalog's own rates: no efficiency may hide a rate above them."""
    found = closed_loop(server, load)
    running = max(1.0, found.running / (server.data * server.groups))
    context = load.input_tokens + 0.5 * load.output_tokens
    floor = 0.0
    for stage in server.stages:
        work, machine = stage.work, stage.machine
        routed = work.experts_hit(running) * work.expert_bytes
        cache = running * (context * work.kv_bytes + work.state_bytes)
        read = (work.dense_bytes + work.head_bytes + routed + cache) / machine.memory
        computed = running * (work.token_flops + work.head_flops) / machine.flops
        floor += max(read, computed)
    assert found.tpot_s >= floor
    life = found.running / found.requests_per_s
    assert life * SLACK >= (load.output_tokens - 1) * floor
    prompt = load.input_tokens * sum(s.work.token_flops / s.machine.flops for s in server.stages)
    assert found.ttft_s >= prompt


@settings(max_examples=examples(60), deadline=None)
@given(servers(), loads, st.floats(0.01, 0.98), st.floats(1.001, 1.9))
def test_requests_that_arrive_faster_wait_no_less_and_stream_no_faster(
    server: Server, load: Load, share: float, factor: float
) -> None:
    most = saturation(server, load).requests_per_s
    faster = min(0.99, share * factor)
    calm, busy = open_loop(server, load, share * most), open_loop(server, load, faster * most)
    assert calm is not None
    assert busy is not None
    assert busy.ttft_s * LOOSE >= calm.ttft_s
    assert busy.tpot_s * LOOSE >= calm.tpot_s
    assert busy.running * LOOSE >= calm.running


@settings(max_examples=examples(60), deadline=None)
@given(servers(), loads, st.integers(1, 100_000), st.floats(0.01, 0.9))
def test_longer_prompts_never_start_sooner_at_a_rate(
    server: Server, load: Load, more: int, share: float
) -> None:
    longer = replace(load, input_tokens=load.input_tokens + more)
    rate = share * saturation(server, longer).requests_per_s
    short, long = open_loop(server, load, rate), open_loop(server, longer, rate)
    if short is not None and long is not None:
        assert long.ttft_s * LOOSE >= short.ttft_s
        assert long.tpot_s * LOOSE >= short.tpot_s


@many
@given(servers(), loads, st.integers(1, 64))
def test_throughput_never_falls_up_to_saturation_nor_rises_beyond_the_room(
    server: Server, load: Load, places: int
) -> None:
    limited = replace(server, limits=replace(server.limits, sequences=places))
    full = saturation(limited, load)
    assert 1 <= full.concurrency <= full.room
    rates = [
        closed_loop(limited, load, clients).requests_per_s
        for clients in (1, max(1, full.concurrency // 2), full.concurrency, full.room)
    ]
    assert rates == sorted(rates)
    beyond = closed_loop(limited, load, 10 * full.room)
    assert (
        beyond.requests_per_s
        <= closed_loop(limited, load, room(limited, load)).requests_per_s * SLACK
    )


@many
@given(servers(), loads)
def test_the_terms_add_up_to_the_time_per_token(server: Server, load: Load) -> None:
    prediction = predict(server, load)
    terms = tpot_terms(server, load, prediction.service)
    assert abs(sum(term.share for term in terms) - 1) < 1e-4
    assert all(term.seconds > 0 for term in terms)


@many
@given(servers(), loads)
def test_an_interval_holds_its_figure(server: Server, load: Load) -> None:
    found = predict(server, load)
    for each in (found.ttft_s, found.tpot_s, found.output_tokens_per_s):
        assert 0 < each.low < each.value < each.high
    at = performance_at_rate(server, load, 0.5 * saturation(server, load).requests_per_s)
    assert at.prediction is not None
    for each in (at.prediction.ttft_s, at.prediction.tpot_s, at.prediction.output_tokens_per_s):
        assert 0 < each.low < each.value < each.high


@many
@given(servers(), loads)
def test_requests_in_flight_follow_littles_law(server: Server, load: Load) -> None:
    found = closed_loop(server, load)
    life = found.ttft_s + (load.output_tokens - 1) * found.tpot_s
    assert abs(found.requests_per_s * life / load.concurrency - 1) < 1e-6


@settings(max_examples=examples(60), deadline=None)
@given(servers(), loads, st.floats(0.01, 0.99))
def test_a_rate_below_saturation_is_served_and_one_above_is_not(
    server: Server, load: Load, share: float
) -> None:
    limited = replace(server, limits=replace(server.limits, sequences=64))
    full = saturation(limited, load)
    served = open_loop(limited, load, share * full.requests_per_s)
    assert served is not None
    assert served.running <= 64 * server.data
    assert open_loop(limited, load, 1.01 * full.requests_per_s) is None


@settings(max_examples=examples(60), deadline=None)
@given(servers(), loads, st.integers(1, 400))
def test_more_load_never_makes_a_token_dearer(server: Server, load: Load, more: int) -> None:
    busier = replace(load, concurrency=load.concurrency + more)
    idle_cost = token_cost(10.0, server, load, closed_loop(server, load))
    busy_cost = token_cost(10.0, server, busier, closed_loop(server, busier))
    assert busy_cost.per_million_output <= idle_cost.per_million_output * SLACK
