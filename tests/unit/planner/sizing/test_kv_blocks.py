"""Blocks of the KV pool: of attention layers, and of models that keep states as well."""

from __future__ import annotations

import pytest

from qwen3_planner.engines.versions import Version
from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS, semantics_at
from qwen3_planner.sizing.kv_cache import KvShape, kv_shape, state_bytes, token_bytes
from qwen3_planner.units import GIB
from support.planner_builders import a_model

BF16, FP8 = 64, 32


def test_attention_layers_take_blocks_of_sixteen_tokens() -> None:
    assert kv_shape(a_model("Qwen3-32B"), 4, BF16, BLOCK_TOKENS) == KvShape(16)
    assert state_bytes(a_model("Qwen3-32B"), 1) == 0


def test_a_hybrid_model_takes_blocks_as_its_log_says() -> None:
    """Qwen3-Next-80B at TP2 under 0.11.0: 44.59 GiB, 7162 blocks, 14.77 requests of 262144."""
    model = a_model("Qwen3-Next-80B-A3B-Instruct")
    shape = kv_shape(model, 2, BF16, BLOCK_TOKENS)
    assert shape == KvShape(544, 3)
    block = shape.tokens * token_bytes(model, 2, model.full_attention_layers(), BF16)
    blocks = int(44.59 * GIB) // block
    assert blocks == pytest.approx(7162, abs=1)
    assert 7162 / shape.blocks(262144) == pytest.approx(14.77, abs=0.005)


def test_cached_prefixes_of_a_hybrid_model_take_a_second_state_per_group() -> None:
    model = a_model("Qwen3-Next-80B-A3B-Instruct")
    assert kv_shape(model, 2, BF16, BLOCK_TOKENS, 2) == KvShape(544, 6)
    assert [semantics_at(Version(0, minor)).states_per_group for minor in (11, 25, 26)] == [1, 1, 2]


def test_a_narrower_cache_makes_a_hybrid_model_s_blocks_longer() -> None:
    model = a_model("Qwen3-Next-80B-A3B-Instruct")
    assert kv_shape(model, 2, FP8, BLOCK_TOKENS).tokens == 2 * 536


def test_more_context_takes_more_blocks_and_never_the_states_again() -> None:
    shape = KvShape(544, 3)
    assert shape.blocks(1) == 4
    assert shape.blocks(544 * 10) == 13
