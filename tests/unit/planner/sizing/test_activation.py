"""Activation peak, buffers that stay, graphs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.sizing.activation import (
    Batch,
    compiler_copy,
    compiling_peak,
    eager_forward_peak,
    expert_caches,
    forward_peak,
    logits_peak,
    matmul_workspace,
    moe_workspaces,
    sampler_peak,
    sampler_state,
    stage_inputs,
)
from qwen3_planner.units import GIB
from support.planner_builders import a_model, planned

LARGE = Batch(8192, 1024)
SORTING = 38
"""Bytes per logit of the versions that sort."""


@pytest.mark.parametrize(("name", "logged_gib"), [("Qwen3-0.6B", 5.56), ("Qwen3-32B", 5.64)])
def test_the_v1_sampler_peaks_as_logged(name: str, logged_gib: float) -> None:
    computed = sampler_peak(a_model(name), LARGE, SORTING) + matmul_workspace(9)
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
    computed = sampler_peak(model, LARGE, SORTING) + matmul_workspace(9)
    assert computed / GIB == pytest.approx(logged_gib, abs=0.01)


def test_a_forward_pass_is_divided_by_tensor_parallelism() -> None:
    model = a_model("Qwen3-32B")
    assert forward_peak(model, 1, LARGE) / GIB == pytest.approx(1.41, abs=0.01)
    assert forward_peak(model, 2, LARGE) / GIB == pytest.approx(0.82, abs=0.01)


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


def test_a_forward_pass_peaks_as_logged() -> None:
    """0.26, second runner, compiled before: 1.06 GiB for 32768 tokens of a 0.5B model."""
    model = replace(a_model("Qwen3-0.6B"), hidden_size=896, intermediate_size=4864)
    assert forward_peak(model, 1, Batch(32768, 256)) / GIB == pytest.approx(1.06, abs=0.01)


def test_compiling_holds_a_second_embedding_as_logged() -> None:
    """0.27.1, second runner, first start: 0.25 GiB; its pass alone would take 0.07."""
    model = replace(a_model("Qwen3-0.6B"), hidden_size=896, intermediate_size=4864)
    assert compiler_copy(model, 1) / GIB == pytest.approx(0.25, abs=0.005)
    assert forward_peak(model, 1, Batch(2048, 256)) / GIB < 0.08


@pytest.mark.parametrize(("name", "logged_gib"), [("Qwen3-8B", 1.18), ("Qwen3-4B", 0.74)])
def test_the_compiler_holds_the_embedding_and_a_step_of_its_output(
    name: str, logged_gib: float
) -> None:
    """K11, K14 and K20: first starts at 2048 tokens."""
    computed = compiling_peak(a_model(name), 1, Batch(2048, 256))
    assert computed / GIB == pytest.approx(logged_gib, abs=0.01)


def test_a_pass_that_nothing_compiled_holds_one_hidden_state_more() -> None:
    """K08: 0.82 GiB at 8192 tokens of Qwen3-8B, enforce_eager, where 0.80 are no sampling."""
    model, batch = a_model("Qwen3-8B"), Batch(8192, 128)
    more = eager_forward_peak(model, 1, batch) - forward_peak(model, 1, batch)
    assert more == 8192 * 4096 * 2


def test_an_embedding_is_shared_before_it_is_copied() -> None:
    model = a_model("Qwen3-32B")
    assert compiler_copy(model, 2) * 2 == compiler_copy(model, 1)


def test_freed_expert_caches_come_in_chunks() -> None:
    model, batch = a_model("Qwen3-30B-A3B"), Batch(65536, 1024)
    whole, chunked = (expert_caches(model, 1, batch, chunk) for chunk in (None, 16384))
    assert whole == 4 * chunked
    assert expert_caches(model, 1, Batch(8192, 1024), 16384) == chunked // 2


def test_a_later_stage_keeps_hidden_states_and_residual_of_a_whole_step() -> None:
    assert stage_inputs(a_model("Qwen3-32B"), LARGE) == 2 * 8192 * 5120 * 2


def test_only_later_stages_keep_what_the_one_before_sends() -> None:
    split = planned("Qwen3-32B", "2xH100-SXM-80GB", tensor=1, pipeline=2)
    first, last = split.memory.per_gpu
    state = sampler_state(a_model("Qwen3-32B"), LARGE)
    kept = stage_inputs(a_model("Qwen3-32B"), LARGE)
    assert last.overhead_bytes - first.overhead_bytes == state + kept
