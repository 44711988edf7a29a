"""The KV cache: bytes of a block, blocks that a load needs, tokens that a pool holds.

Source of the block rules: vLLM 0.32.0 ``v1/core/kv_cache_utils.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture


def kv_heads_per_rank(kv_heads: int, tensor: int) -> int:
    """Return the KV heads one rank stores; beyond one rank per head they are replicated.

    >>> [kv_heads_per_rank(4, tensor) for tensor in (1, 4, 8)]
    [4, 1, 1]
    """
    return max(1, kv_heads // tensor)


def token_bytes(model: ModelArchitecture, tensor: int, layers: int, element_bytes: int) -> int:
    """Return the KV bytes of one token on one rank: keys and values of each of its layers."""
    heads = kv_heads_per_rank(model.kv_heads, tensor)
    return 2 * layers * heads * model.head_dim * element_bytes


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
