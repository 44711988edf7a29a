"""Queueing: who waits for what, and how many run at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.performance.load import Load, closed_loop, room
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.saturation import (
    Bound,
    open_loop,
    performance_at_rate,
    predict_rate,
    saturation,
)
from qwen3_planner.plan import Layout
from support.performance.servers import a_server

CHAT = Load(1024, 256, 16)


def test_a_full_cache_makes_the_rest_wait_and_throughput_stops_growing() -> None:
    server = a_server(kv_tokens=8 * (1024 + 128))
    eight = closed_loop(server, replace(CHAT, concurrency=8))
    thirty_two = closed_loop(server, replace(CHAT, concurrency=32))
    assert room(server, CHAT) == pytest.approx(8)
    assert eight.waiting_s == pytest.approx(0)
    assert thirty_two.waiting_s > 0
    assert thirty_two.output_tokens_per_s == pytest.approx(eight.output_tokens_per_s)
    assert thirty_two.tpot_s == pytest.approx(eight.tpot_s)


def test_the_scheduler_bounds_running_requests_too() -> None:
    assert closed_loop(a_server(sequences=4), CHAT).running == 4


def test_one_request_always_runs() -> None:
    assert closed_loop(a_server(kv_tokens=1), replace(CHAT, concurrency=1)).running == 1


def test_data_parallel_ranks_share_the_requests() -> None:
    one = closed_loop(a_server(layout=Layout(2)), CHAT)
    two = closed_loop(a_server(layout=Layout(2, data=2)), replace(CHAT, concurrency=32))
    assert two.output_tokens_per_s > 1.7 * one.output_tokens_per_s


def test_an_engine_that_computes_prompts_first_has_longer_waits_and_smoother_streams() -> None:
    load = replace(CHAT, concurrency=64)
    mixing = closed_loop(a_server(engine="vllm"), load)
    first = closed_loop(a_server(engine="sglang"), load)
    assert first.ttft_s > 2 * mixing.ttft_s
    assert first.prompts_s < mixing.prompts_s


def test_long_answers_dilute_the_prompts_of_others() -> None:
    short = closed_loop(a_server(), replace(CHAT, output_tokens=64))
    long = closed_loop(a_server(), replace(CHAT, output_tokens=2048))
    assert short.prompts_s > 20 * long.prompts_s


def test_stages_do_not_shorten_a_token_but_raise_throughput() -> None:
    whole, staged = a_server(layout=Layout(1)), a_server(layout=Layout(1, 2))
    one = Load(128, 128, 1)
    assert closed_loop(staged, one).tpot_s > 0.95 * closed_loop(whole, one).tpot_s
    busy = Load(4096, 128, 64)
    assert (
        closed_loop(staged, busy).output_tokens_per_s
        > 1.2 * closed_loop(whole, busy).output_tokens_per_s
    )


def test_requests_at_a_low_rate_hardly_meet() -> None:
    server = a_server()
    alone = closed_loop(server, replace(CHAT, concurrency=1))
    rare = open_loop(server, CHAT, 0.01)
    assert rare is not None
    assert rare.running == pytest.approx(0.01 * (alone.ttft_s + 255 * alone.tpot_s), rel=0.1)
    assert rare.tpot_s == pytest.approx(alone.tpot_s, rel=0.05)


def test_a_rate_beyond_the_replica_is_no_prediction() -> None:
    server = a_server(kv_tokens=20_000)
    most = saturation(server, CHAT).requests_per_s
    assert predict_rate(server, CHAT, most * 1.1) is None
    served = predict_rate(server, CHAT, most * 0.9)
    assert served is not None
    assert served.requests_per_s == most * 0.9


def test_saturation_needs_fewer_requests_than_there_is_room_for() -> None:
    server = a_server(kv_tokens=400_000)
    found = saturation(server, CHAT)
    assert 1 < found.concurrency < room(server, CHAT)
    at_that_point = closed_loop(server, replace(CHAT, concurrency=found.concurrency))
    assert at_that_point.requests_per_s >= 0.95 * found.requests_per_s


def test_intervals_widen_where_a_rate_is_assumed_or_requests_wait() -> None:
    sure = predict(a_server(layout=Layout(8)), CHAT)
    spread = predict(a_server(layout=Layout(16, nodes_per_replica=2)), CHAT)
    crowded = predict(a_server(layout=Layout(8), kv_tokens=2000), CHAT)
    assert spread.relative_error > sure.relative_error
    assert crowded.relative_error > sure.relative_error


def test_intervals_widen_for_a_model_that_was_not_measured() -> None:
    measured = predict(a_server("Qwen3-32B"), CHAT)
    another = predict(a_server("Qwen3-14B"), CHAT)
    assert another.relative_error > measured.relative_error


def test_the_nearer_a_rate_comes_to_saturation_the_longer_a_request_waits() -> None:
    server = a_server(kv_tokens=20_000)
    most = saturation(server, CHAT).requests_per_s
    waits = []
    for share in (0.3, 0.6, 0.9, 0.99, 0.999):
        service = open_loop(server, CHAT, share * most)
        assert service is not None
        waits.append(service.waiting_s)
    assert waits == sorted(waits)
    assert waits[0] < 0.01
    assert waits[-1] > 10 * waits[2] > 0


def test_arrivals_at_random_need_as_many_in_flight_as_clients_do_at_the_same_rate() -> None:
    server = a_server(kv_tokens=40_000)
    closed = closed_loop(server, replace(CHAT, concurrency=16))
    opened = open_loop(server, CHAT, closed.requests_per_s)
    assert opened is not None
    assert opened.output_tokens_per_s == pytest.approx(closed.output_tokens_per_s)
    assert opened.running == pytest.approx(16, rel=0.05)


def test_a_rate_is_told_with_what_is_left_and_with_what_ends_it() -> None:
    server = a_server(kv_tokens=20_000)
    half = 0.5 * saturation(server, CHAT).requests_per_s
    found = performance_at_rate(server, CHAT, half)
    assert found.utilization == pytest.approx(0.5)
    assert found.prediction is not None
    assert found.prediction.requests_per_s == half
    assert performance_at_rate(server, CHAT, 3 * half).prediction is None
    with pytest.raises(ValueError, match="no load"):
        performance_at_rate(server, CHAT, 0.0)


@pytest.mark.parametrize(
    ("limits", "bound"),
    [
        pytest.param({"kv_tokens": 20_000}, Bound.KV_CACHE, id="the cache holds 17"),
        pytest.param({"sequences": 8}, Bound.SCHEDULER, id="the scheduler runs 8"),
        pytest.param({}, Bound.HARDWARE, id="room for more than it can compute"),
    ],
)
def test_what_ends_the_throughput_is_said(limits: dict[str, int], bound: Bound) -> None:
    assert saturation(a_server(**limits), CHAT).bound is bound  # type: ignore[arg-type]


def test_a_little_waiting_is_no_overload() -> None:
    server = a_server()
    most = saturation(server, CHAT).requests_per_s
    calm, full = predict_rate(server, CHAT, 0.2 * most), predict_rate(server, CHAT, 0.9999 * most)
    assert calm is not None
    assert full is not None
    assert calm.relative_error < 0.1
    assert full.relative_error > 0.3
