"""What takes a step's time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.performance.load import Server, alone_seconds
from qwen3_planner.performance.steps import StepTime, all_reduce_seconds, decode_step
from qwen3_planner.plan import Layout
from support.performance.servers import a_server


def step(server: Server, sequences: float = 1, context: float = 1000) -> StepTime:
    first = server.stages[0]
    return decode_step(
        first.work,
        first.machine,
        first.efficiency,
        sequences=sequences,
        context_tokens=context,
    )


def test_one_sequence_is_bound_by_reading_weights() -> None:
    server = a_server(layout=Layout(1))
    one = step(server)
    ideal = 2 * 31.98e9 / 3.35e12
    assert one.weights == pytest.approx(ideal / server.efficiency.memory, rel=0.01)
    assert one.arithmetic == 0
    assert one.weights > 0.7 * one.total


def test_many_sequences_are_bound_by_arithmetic() -> None:
    assert step(a_server(), 2000, 10).arithmetic > 0


def test_a_card_with_little_arithmetic_pays_for_the_height_of_tiles() -> None:
    scarce = step(a_server("Qwen3-14B", "H20-96GB", engine="sglang", layout=Layout(1)))
    plenty = step(a_server("Qwen3-14B", "H100-SXM-80GB", engine="sglang", layout=Layout(1)))
    assert scarce.arithmetic > scarce.weights
    assert plenty.arithmetic == 0


def test_reading_the_cache_grows_with_sequences_and_context() -> None:
    server = a_server()
    assert step(server, 8, 4000).attention == pytest.approx(32 * step(server, 1, 1000).attention)


def test_an_eight_bit_cache_is_read_in_half_the_time() -> None:
    assert step(a_server(kv_bytes_per_32=32)).attention == pytest.approx(
        0.5 * step(a_server()).attention
    )


def test_one_rank_does_not_communicate_and_eight_do() -> None:
    assert step(a_server(layout=Layout(1))).communication == 0
    assert step(a_server(layout=Layout(8))).communication > step(a_server()).communication > 0


def test_pcie_costs_more_than_nvlink() -> None:
    server = a_server(layout=Layout(4))
    machine = server.stages[0].machine
    slow = replace(machine, link=32e9, has_fast_link=False)
    assert all_reduce_seconds(1e6, 4, slow, server.efficiency) > 2 * all_reduce_seconds(
        1e6, 4, machine, server.efficiency
    )


def test_copies_of_a_dense_model_do_not_talk_but_share_experts_where_there_are_any() -> None:
    dense = a_server("Qwen3-14B", layout=Layout(1, data=4))
    sparse = a_server("Qwen3-30B-A3B", layout=Layout(1, data=4))
    assert step(dense).communication == 0
    assert step(sparse).communication > 0


def test_a_batch_reads_more_experts_but_not_in_proportion() -> None:
    server = a_server("Qwen3-30B-A3B", engine="sglang", layout=Layout(1))
    one, sixteen = step(server, 1), step(server, 16)
    assert one.experts < sixteen.experts < 16 * one.experts


def test_a_long_prompt_takes_more_than_its_share() -> None:
    server = a_server()
    assert alone_seconds(server, 64_000) > 9 * alone_seconds(server, 8_000)


def test_a_prompt_beyond_the_step_limit_is_computed_in_several_steps() -> None:
    whole, cut = a_server(step_tokens=8192), a_server(step_tokens=512)
    assert alone_seconds(cut, 8000) > alone_seconds(whole, 8000)
    assert alone_seconds(cut, 500) == alone_seconds(whole, 500)


def test_a_short_prompt_still_reads_all_weights() -> None:
    server = a_server(layout=Layout(1))
    assert alone_seconds(server, 1) > 2 * 31.98e9 / 3.35e12
