"""The KV cache: bytes of a block, blocks that a load needs, tokens that a pool holds.

Source of the block rules: vLLM 0.32.0 ``v1/core/kv_cache_utils.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.request import KvCacheDtype
from qwen3_planner.units import ceil_div

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


def blocks_for(tokens: int, block_tokens: int) -> int:
    """Return the blocks one sequence of that many tokens takes.

    >>> blocks_for(40960, 16), blocks_for(40961, 16)
    (2560, 2561)
    """
    return ceil_div(tokens, block_tokens)


def logged_tokens(blocks: int, max_model_len: int, block_tokens: int) -> int:
    """Return what the engine logs as "GPU KV cache size".

    It is the number of longest requests that fit times their length, so it is less than
    ``blocks * block_tokens`` when the length is no multiple of the block.

    >>> logged_tokens(8505, 40960, 16)
    136080
    """
    concurrency = blocks / blocks_for(max_model_len, block_tokens)
    return int(concurrency * max_model_len)
