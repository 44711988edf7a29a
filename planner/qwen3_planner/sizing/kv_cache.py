"""The KV cache: bytes of a block, blocks that a load needs, tokens that a pool holds.

Source of the block rules: vLLM 0.32.0 ``v1/core/kv_cache_utils.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.request import KvCacheDtype
from qwen3_planner.units import ceil_div, round_up

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture


def kv_heads_per_rank(kv_heads: int, tensor: int) -> int:
    """Return the KV heads one rank stores; beyond one rank per head they are replicated.

    >>> [kv_heads_per_rank(4, tensor) for tensor in (1, 4, 8)]
    [4, 1, 1]
    """
    return max(1, kv_heads // tensor)


KV_BYTES_PER_32 = {
    KvCacheDtype.BF16: 64,
    KvCacheDtype.FP16: 64,
    KvCacheDtype.FP8: 32,
    KvCacheDtype.FP8_E5M2: 32,
    KvCacheDtype.Q8_0: 34,
    KvCacheDtype.Q5_1: 24,
    KvCacheDtype.Q5_0: 22,
    KvCacheDtype.Q4_1: 20,
    KvCacheDtype.Q4_0: 18,
    KvCacheDtype.IQ4_NL: 18,
}
"""Bytes of 32 elements of the cache. Source of the block formats: ggml-org/llama.cpp
ggml/src/ggml-common.h."""

ELEMENTS = 32
"""Elements whose width is stated; every head_dim of the family is a multiple of it."""


def kv_bytes_per_32(dtype: KvCacheDtype) -> int:
    """Return the bytes of 32 elements of the KV cache.

    >>> kv_bytes_per_32(KvCacheDtype.FP8)
    32
    """
    return KV_BYTES_PER_32[dtype]


def token_bytes(model: ModelArchitecture, tensor: int, layers: int, bytes_per_32: int) -> int:
    """Return the KV bytes of one token on one rank: keys and values of each of its layers.

    Args:
        model: the architecture.
        tensor: ranks that share the heads.
        layers: of the rank that keep keys and values.
        bytes_per_32: bytes of 32 elements.
    """
    heads = kv_heads_per_rank(model.kv_heads, tensor)
    return 2 * layers * heads * model.head_dim * bytes_per_32 // ELEMENTS


@dataclass(frozen=True, slots=True)
class KvShape:
    """How one sequence takes blocks of the pool.

    Attributes:
        tokens: of a block.
        state_blocks: that a sequence takes besides, whatever its length: one or two per group of
            layers that keep a state of fixed size.
    """

    tokens: int
    state_blocks: int = 0

    def blocks(self, tokens: int) -> int:
        """Return the blocks of one sequence.

        >>> KvShape(16).blocks(40961), KvShape(544, 3).blocks(262144)
        (2561, 485)
        """
        return ceil_div(tokens, self.tokens) + self.state_blocks

    def logged_tokens(self, blocks: int, max_model_len: int) -> int:
        """Return what the engine logs as "GPU KV cache size".

        It is the number of longest requests that fit times their length, so it is less than
        ``blocks * tokens`` when the length is no multiple of the block.

        >>> KvShape(16).logged_tokens(8505, 40960)
        136080
        """
        return int(blocks / self.blocks(max_model_len) * max_model_len)


@lru_cache(maxsize=1024)
def state_bytes(model: ModelArchitecture, tensor: int, element_bytes: int = 2) -> int:
    """Return what one linear-attention layer keeps per sequence on one rank; 0 without one.

    The last taps of the convolution and one matrix per value head. Source: vLLM 0.11.0
    ``model_executor/layers/mamba/mamba_utils.py`` gated_delta_net_state_shape.
    """
    linear = model.linear_attention
    if linear is None:
        return 0
    taps = linear.conv_width // tensor * (linear.conv_kernel - 1) * element_bytes
    heads = linear.value_heads // tensor
    return taps + heads * linear.value_head_dim * linear.key_head_dim * element_bytes


@lru_cache(maxsize=1024)
def kv_shape(
    model: ModelArchitecture,
    tensor: int,
    bytes_per_32: int,
    block_tokens: int,
    states_per_group: int = 1,
) -> KvShape:
    """Return how vLLM cuts the pool for a model.

    A hybrid model's blocks are long enough that keys and values of one fill the page that a state
    needs; its linear layers form groups as large as its full-attention layers do. Source: vLLM
    0.11.0 ``model_executor/models/config.py`` HybridAttentionMambaModelConfig and
    ``v1/core/kv_cache_utils.py`` group_and_unify_kv_cache_specs; a log of Qwen3-Next-80B at TP2
    (0.11.0: 7162 blocks of 544 tokens, 14.77 requests of 262144) agrees.

    Args:
        model: the architecture.
        tensor: ranks that share the heads.
        bytes_per_32: bytes of 32 elements of the cache.
        block_tokens: of a block of a model without states.
        states_per_group: blocks that a sequence takes for each group of linear layers.
    """
    state = state_bytes(model, tensor)
    if not state:
        return KvShape(block_tokens)
    each = token_bytes(model, tensor, 1, bytes_per_32)
    groups = ceil_div(model.layers, model.full_attention_layers()) - 1
    tokens = round_up(ceil_div(state, each), block_tokens)
    return KvShape(tokens, groups * states_per_group)


def blocks_for(tokens: int, block_tokens: int) -> int:
    """Return the blocks one sequence of that many tokens takes.

    >>> blocks_for(40960, 16), blocks_for(40961, 16)
    (2560, 2561)
    """
    return ceil_div(tokens, block_tokens)
