"""What a rank of SGLang takes beside weights and KV cache."""

from __future__ import annotations

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.sizing.sglang_memory import (
    Serving,
    activation_bytes,
    context_bytes,
    error_bytes,
    graph_bytes,
    request_table_bytes,
    running_requests,
    state_bytes_per_request,
    state_slots,
    workspace_bytes,
)
from qwen3_planner.units import GIB
from support.planner_builders import a_model


def serving(**fields: int) -> Serving:
    sizes = {"decode_sizes": 36, "prefill_sizes": 0, "chunked_prefill": 8192, **fields}
    return Serving(fraction=0.83, max_requests=None, context=40960, **sizes)


@pytest.mark.parametrize(
    ("major", "device_gib", "free_gib"),
    [(9, 79.18, 78.47), (10, 178.35, 177.57), (12, 31.37, 30.77), (8, 23.64, 23.08)],
)
def test_the_context_takes_what_start_up_logs_miss(
    major: int, device_gib: float, free_gib: float
) -> None:
    assert context_bytes(major, 1) / GIB == pytest.approx(device_gib - free_gib, abs=0.08)


def test_a_group_loses_more_before_it_loads_and_is_less_certain() -> None:
    assert context_bytes(10, 4) / GIB == pytest.approx(178.35 - 176.25, abs=0.05)
    assert error_bytes(4, 10**7) > 2 * error_bytes(1, 10**7)


def test_a_group_without_links_loses_little() -> None:
    assert context_bytes(8, 4, is_linked=False) / GIB == pytest.approx(23.64 - 23.08, abs=0.05)
    assert error_bytes(4, 0.0, is_linked=False) < error_bytes(4, 0.0)


def test_the_table_of_requests_has_a_place_for_every_token_of_every_request() -> None:
    assert request_table_bytes(2048, 40960) == 2049 * 40964 * 4


def test_requests_are_bounded_by_default_and_by_the_pool() -> None:
    assert running_requests(30_000, 40960, None, 1) == 2048
    assert running_requests(10_000_000, 40960, None, 1) == 4096
    assert running_requests(300, 40960, None, 1) == 150
    assert running_requests(10**6, 40960, 512, 8) == 64


def test_only_hopper_has_no_attention_workspace() -> None:
    assert workspace_bytes(9, is_moe=False) == 0
    assert workspace_bytes(8, is_moe=False) > workspace_bytes(8, is_moe=True) > 0
    assert workspace_bytes(10, is_moe=True) > 0


def test_graphs_cost_by_their_number_and_more_in_a_group() -> None:
    assert graph_bytes(serving(decode_sizes=36), 1) / GIB == pytest.approx(0.34, abs=0.1)
    assert graph_bytes(serving(decode_sizes=52), 1) / GIB == pytest.approx(0.60, abs=0.1)
    assert graph_bytes(serving(), 8) > 3 * graph_bytes(serving(), 1)
    assert graph_bytes(serving(decode_sizes=0), 8) == 0


def test_prefill_graphs_and_their_activations_are_of_the_size_of_two_logs() -> None:
    dense, sparse = a_model("Qwen3-8B"), a_model("Qwen3-30B-A3B")
    captured = serving(decode_sizes=0, prefill_sizes=74)
    both = graph_bytes(captured, 1) + activation_bytes(dense, Layout(), 16384)
    assert both / GIB == pytest.approx(2.31, rel=0.35)
    captured = serving(decode_sizes=0, prefill_sizes=58)
    both = graph_bytes(captured, 1) + activation_bytes(sparse, Layout(), 8192)
    assert both / GIB == pytest.approx(1.7, rel=0.35)


def test_states_take_their_share_of_a_hybrid_models_pool() -> None:
    model = a_model("Qwen3-Next-80B-A3B-Instruct")
    each = state_bytes_per_request(model, 2, range(model.layers))
    assert each == 36 * (16 * 128 * 128 * 4 + (2 * 2048 + 4096) // 2 * 3 * 2)
    assert state_slots(19 * GIB, 0.9, each) == (9 * GIB - each) // each
    assert state_bytes_per_request(a_model("Qwen3-8B"), 1, range(36)) == 0
