"""Activation peak, buffers that stay, graphs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.sizing.activation import (
    Batch,
    forward_peak,
    logits_peak,
    matmul_workspace,
    moe_workspaces,
    sampler_peak,
    sampler_state,
)
from qwen3_planner.sizing.graphs import graph_sizes
from qwen3_planner.units import GIB
from support.planner_builders import a_model

LARGE = Batch(8192, 1024)


@pytest.mark.parametrize(("name", "logged_gib"), [("Qwen3-0.6B", 5.56), ("Qwen3-32B", 5.64)])
def test_the_v1_sampler_peaks_as_logged(name: str, logged_gib: float) -> None:
    computed = sampler_peak(a_model(name), LARGE) + matmul_workspace(9)
    assert computed / GIB == pytest.approx(logged_gib, abs=0.01)


@pytest.mark.parametrize(
    ("vocabulary", "hidden", "logged_gib"),
    [(128256, 4096, 4.76), (128256, 8192, 4.84), (201088, 2880, 7.38)],
    ids=["Llama-3.1-8B", "Llama-3.3-70B", "gpt-oss-20b"],
)
def test_the_v1_sampler_peaks_as_logged_for_other_vocabularies(
    vocabulary: int, hidden: int, logged_gib: float
) -> None:
    model = replace(a_model("Qwen3-8B"), vocab_size=vocabulary, hidden_size=hidden)
    computed = sampler_peak(model, LARGE) + matmul_workspace(9)
    assert computed / GIB == pytest.approx(logged_gib, abs=0.01)


def test_a_forward_pass_is_divided_by_tensor_parallelism() -> None:
    model = a_model("Qwen3-32B")
    assert forward_peak(model, 1, LARGE) / GIB == pytest.approx(1.33, abs=0.01)
    assert forward_peak(model, 2, LARGE) / GIB == pytest.approx(0.74, abs=0.01)


def test_logits_are_gathered_from_the_ranks() -> None:
    model = a_model("Qwen3-32B")
    assert logits_peak(model, 1, LARGE) == 1024 * 151936 * 2
    assert logits_peak(model, 4, LARGE) == 1024 * 151936 * 2 * 5 // 4


def test_a_step_has_no_more_logit_rows_than_tokens() -> None:
    assert Batch(64, 256).logit_rows == 64


def test_expert_buffers_hold_each_token_once_per_expert_it_visits() -> None:
    assert moe_workspaces(a_model("Qwen3-32B"), 1, LARGE) == 0
    model = a_model("Qwen3-235B-A22B")
    assert moe_workspaces(model, 4, LARGE) == 2 * 8192 * 8 * 4096 * 2


def test_penalties_keep_a_count_and_a_bit_for_each_vocabulary_entry() -> None:
    expected = 1024 * (151936 * 4 + 151936 // 8)
    assert sampler_state(a_model("Qwen3-8B"), LARGE) == expected


def test_graphs_are_captured_up_to_twice_the_sequences() -> None:
    assert graph_sizes(16, 2048, (8, 16), (8, 9)) == (1, 2, 4, 8, 16, 24, 32)
    assert graph_sizes(1024, 8192, (8, 16), (9, 0))[-1] == 512
    assert graph_sizes(1024, 8192, (8, 16), (10, 0))[-1] == 1024
    assert len(graph_sizes(1024, 8192, (8, 16), (10, 0))) == 83
    assert graph_sizes(1024, 100, (8, 16), (9, 0))[-1] == 100
