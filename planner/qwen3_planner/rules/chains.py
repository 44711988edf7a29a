"""The rules of each engine in the order they are asked; the first that says no is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.request import EngineName
from qwen3_planner.rules.layouts import (
    attention_heads_divide,
    every_rank_has_an_expert,
    every_stage_has_a_layer,
    expert_group_is_tensor_times_data,
    expert_parallel_needs_experts,
    inner_size_divides,
    kv_heads_divide_or_replicate,
    vocabulary_divides,
)
from qwen3_planner.rules.quantized import (
    bf16_weights_need_bf16_units,
    fp8_blocks_divide,
    fp8_kv_cache_has_a_backend,
    marlin_tiles_divide,
    quantized_kernels_exist,
)
from qwen3_planner.rules.serving import (
    context_is_within_yarn,
    engine_runs_here,
    request_is_within_context,
    scheduler_step_holds_every_sequence,
)

if TYPE_CHECKING:
    from qwen3_planner.plan import Refusal
    from qwen3_planner.rules.facts import LayoutFacts, LayoutRule, PoolFacts, PoolRule

VLLM_POOL_CHAIN: tuple[PoolRule, ...] = (
    engine_runs_here,
    context_is_within_yarn,
    request_is_within_context,
    bf16_weights_need_bf16_units,
    quantized_kernels_exist,
    fp8_kv_cache_has_a_backend,
    scheduler_step_holds_every_sequence,
)
"""What must hold for a weight format on a pool, whatever the layout."""

VLLM_CHAIN: tuple[LayoutRule, ...] = (
    attention_heads_divide,
    kv_heads_divide_or_replicate,
    vocabulary_divides,
    expert_parallel_needs_experts,
    expert_group_is_tensor_times_data,
    every_rank_has_an_expert,
    inner_size_divides,
    fp8_blocks_divide,
    marlin_tiles_divide,
    every_stage_has_a_layer,
)
"""What must hold for a layout."""


POOL_CHAINS: dict[EngineName, tuple[PoolRule, ...]] = {EngineName.VLLM: VLLM_POOL_CHAIN}

LAYOUT_CHAINS: dict[EngineName, tuple[LayoutRule, ...]] = {EngineName.VLLM: VLLM_CHAIN}


def pool_refusal(facts: PoolFacts) -> Refusal | None:
    """Return the first no of the pool's chain."""
    chain = POOL_CHAINS[facts.engine]
    return next((no for rule in chain if (no := rule(facts)) is not None), None)


def layout_refusal(facts: LayoutFacts) -> Refusal | None:
    """Return the first no of the layout's chain."""
    chain = LAYOUT_CHAINS[facts.pool.engine]
    return next((no for rule in chain if (no := rule(facts)) is not None), None)
