"""The exact tensors of a Qwen3 model, as the engine holds them on one rank.

Layers of one kind are alike, so a layer's list is made once and used for all of them. Shapes are
those of vLLM's fused modules (``qkv_proj``, ``gate_up_proj``, ``w13_weight``, ``w2_weight``);
source: vLLM 0.33.0 ``model_executor/models/{qwen2,qwen3,qwen3_moe,qwen3_next,qwen3_vl}.py``,
``model_executor/layers/{linear,vocab_parallel_embedding,fused_moe,mamba/gdn}``,
``distributed/utils.py``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.sizing.allocator import LARGE_ALLOCATION_BYTES, LARGE_ROUNDING_BYTES
from qwen3_planner.sizing.formats import BF16, HEAD, WeightFormat
from qwen3_planner.sizing.linear import (
    BF16_BITS,
    FP32_BITS,
    Sharding,
    Tensor,
    fused,
    linear,
)
from qwen3_planner.sizing.modules import active_parameters, layer_name, parameters
from qwen3_planner.units import round_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import LinearAttention, ModelArchitecture

__all__ = [
    "Sharding",
    "Tensor",
    "active_parameters",
    "head_tensors",
    "layer_signature",
    "layer_tensors",
    "parameters",
    "rope_cache",
    "rope_leftovers",
    "vocabulary_tensor",
]

KV_SCALES = 7
"""Scalars of one attention layer: scales of queries, keys, values and probabilities, and three
ranges (vLLM 0.10.2 ``attention/layer.py``)."""

VOCABULARY_ROUNDING = 64
"""Rows of the vocabulary matrices are a multiple of this (vLLM 0.33.0
``layers/vocab_parallel_embedding.py``); 151936 is one."""


@lru_cache(maxsize=1024)
def layer_tensors(
    model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding, layer: int = 0
) -> tuple[Tensor, ...]:
    """List the tensors of one decoder layer on one rank, in the order of their allocation.

    KV heads are replicated once there are more ranks than heads; norms and the router are held
    whole by every rank, and the router is never quantized.
    """
    name = layer_name(model, layer)
    hidden = model.hidden_size
    if model.linear_attention is None or model.has_full_attention(layer):
        tensors = [*_attention(model, fmt, sharding, f"{name}.self_attn")]
    else:
        attention = model.linear_attention
        tensors = [*_delta_net(model, attention, fmt, sharding, f"{name}.linear_attn")]
    mlp = f"{name}.mlp"
    if model.is_moe:
        tensors += _experts(model, fmt, sharding, mlp)
    else:
        inner = model.intermediate_size // sharding.tensor
        tensors += _mlp((inner, hidden), fmt, sharding, mlp)
    tensors.append(Tensor("input_layernorm.weight", (hidden,), BF16_BITS))
    tensors.append(Tensor("post_attention_layernorm.weight", (hidden,), BF16_BITS))
    return tuple(tensors)


def layer_signature(model: ModelArchitecture, fmt: WeightFormat, layer: int) -> int:
    """Return the number of a layer that is stored like this one: its own, or one for all others.

    Only an exception that names a layer tells layers of one attention kind apart. Those that none
    names share a number that no layer has: -1 with full attention, -2 without.
    """
    if _names_layer(fmt, layer_name(model, layer)):
        return layer
    return -1 if model.has_full_attention(layer) else -2


def _names_layer(fmt: WeightFormat, name: str) -> bool:
    """Whether an exception may tell this layer from others."""
    return any(
        pattern == name or pattern.startswith(f"{name}.") or _has_digit_pattern(pattern)
        for pattern, _ in fmt.exceptions
    )


@lru_cache(maxsize=4096)
def _has_digit_pattern(pattern: str) -> bool:
    """Whether a wildcard stands for some numbers only, as ``layers.1*`` does."""
    parts = pattern.split(".")
    return any("*" in part and part != "*" and any(c.isdigit() for c in part) for part in parts)


def _attention(
    model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding, name: str
) -> Iterator[Tensor]:
    hidden, width = model.hidden_size, model.head_dim
    heads = model.attention_heads // sharding.tensor
    kv_heads = max(1, model.kv_heads // sharding.tensor)
    queries = heads * width * (2 if model.attention_output_gate else 1)
    parts = (
        (queries, fmt.of(f"{name}.q_proj")),
        (kv_heads * width, fmt.of(f"{name}.k_proj")),
        (kv_heads * width, fmt.of(f"{name}.v_proj")),
    )
    yield from fused("qkv_proj", parts, hidden, sharding)
    yield from linear("o_proj", (hidden, heads * width), fmt.of(f"{name}.o_proj"), sharding)
    yield Tensor("attn.scale", (1,), FP32_BITS, KV_SCALES)
    yield Tensor("q_norm.weight", (width,), BF16_BITS)
    yield Tensor("k_norm.weight", (width,), BF16_BITS)


def _delta_net(
    model: ModelArchitecture,
    attention: LinearAttention,
    fmt: WeightFormat,
    sharding: Sharding,
    name: str,
) -> Iterator[Tensor]:
    """Yield a Gated DeltaNet layer: queries, keys, values and gate in one projection."""
    hidden, ranks = model.hidden_size, sharding.tensor
    value_heads = attention.value_heads // ranks
    values = value_heads * attention.value_head_dim
    mixed = attention.conv_width // ranks
    gates = f"{name}.in_proj_ba"
    yield Tensor("conv1d.weight", (mixed, attention.conv_kernel), BF16_BITS)
    projection = fmt.of(f"{name}.in_proj_qkvz")
    yield from linear("in_proj_qkvz", (mixed + values, hidden), projection, sharding)
    gate_format = fmt.of(gates) if fmt.is_exception(gates) else BF16
    yield from linear("in_proj_ba", (2 * value_heads, hidden), gate_format, sharding)
    yield Tensor("dt_bias", (value_heads,), BF16_BITS)
    yield Tensor("A_log", (value_heads,), FP32_BITS)
    yield Tensor("norm.weight", (attention.value_head_dim,), BF16_BITS)
    yield from linear("out_proj", (hidden, values), fmt.of(f"{name}.out_proj"), sharding)


def _experts(
    model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding, name: str
) -> Iterator[Tensor]:
    hidden, local = model.hidden_size, sharding.local_experts
    inner = model.moe_intermediate_size // sharding.experts_inner
    yield Tensor("gate.weight", (model.experts, hidden), BF16_BITS)
    shared = model.shared_expert_intermediate_size // sharding.tensor
    if shared:
        yield Tensor("shared_expert_gate.weight", (1, hidden), BF16_BITS)
        visited = f"{name}.shared_expert"
        yield from _mlp((shared, hidden), fmt, sharding, visited, "shared_expert.")
    one = f"{name}.experts.0"
    parts = ((inner, fmt.of(f"{one}.gate_proj")), (inner, fmt.of(f"{one}.up_proj")))
    yield from fused("experts.w13", parts, hidden, sharding, local)
    down = fmt.of(f"{one}.down_proj")
    yield from linear("experts.w2", (hidden, inner), down, sharding, local)


def _mlp(
    shape: tuple[int, int], fmt: WeightFormat, sharding: Sharding, name: str, prefix: str = ""
) -> Iterator[Tensor]:
    inner, hidden = shape
    parts = ((inner, fmt.of(f"{name}.gate_proj")), (inner, fmt.of(f"{name}.up_proj")))
    yield from fused(f"{prefix}gate_up_proj", parts, hidden, sharding)
    down = fmt.of(f"{name}.down_proj")
    yield from linear(f"{prefix}down_proj", (hidden, inner), down, sharding)


def vocabulary_tensor(model: ModelArchitecture, name: str, tensor: int) -> Tensor:
    """Return one vocabulary-parallel matrix (embedding or head) of one rank.

    Rows are padded to a multiple of 64, and so that the ranks share them evenly.
    """
    rows = round_up(round_up(model.vocab_size, VOCABULARY_ROUNDING), tensor) // tensor
    return Tensor(name, (rows, model.hidden_size), BF16_BITS)


def head_tensors(
    model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding
) -> tuple[Tensor, ...]:
    """List the tensors of the output head on one rank."""
    rows, hidden = vocabulary_tensor(model, HEAD, sharding.tensor).shape
    return tuple(linear(HEAD, (rows, hidden), fmt.of(HEAD), sharding))


def rope_cache(model: ModelArchitecture, positions: int) -> Tensor:
    """Return the rotary embedding's table of so many rows: one per rank, shared by its layers."""
    width = round(model.head_dim * model.rotary_share)
    return Tensor("rotary_emb.cos_sin_cache", (positions, width), BF16_BITS)


def rope_leftovers(model: ModelArchitecture, positions: int) -> tuple[int, ...]:
    """Return the blocks that computing the rotary table in float32 leaves free for the layers.

    Angles, cosines and sines, and both joined; the table itself takes one of the first. A tensor
    from such a block is not rounded up: Qwen3-4B-Instruct-2507 logs 7.6065 GiB where tensors in
    segments of their own would take 7.6079 (vLLM 0.33.0 ``layers/rotary_embedding/common.py``).
    """
    table = rope_cache(model, positions).n_bytes
    if table < LARGE_ALLOCATION_BYTES:
        return ()
    return tuple(round_up(size, LARGE_ROUNDING_BYTES) for size in (table, table, 2 * table))
