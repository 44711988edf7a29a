"""Queueing: who waits for what, and how many run at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.performance.load import Load, closed_loop, room
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.saturation import open_loop, predict_rate, saturation
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
