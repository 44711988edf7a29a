"""Slots for LoRA adapters: allocated while the model loads, whatever adapters come later."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.sizing.kv_cache import kv_heads_per_rank

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

BF16_BYTES = 2


@lru_cache(maxsize=1024)
def lora_slots(model: ModelArchitecture, tensor: int, layers: int, adapters: int, rank: int) -> int:
    """Return the bytes of the adapter slots of one rank's layers; 0 without adapters.

    Of each linear layer a matrix of rank x inputs and one of outputs x rank, per adapter; the side
    that tensor parallelism cuts is cut. The parts of a merged layer (q, k, v; gate, up) have an
    input matrix each. Experts have slots of their own. Source: vLLM 0.11.0
    ``lora/layers/column_parallel_linear.py``, ``row_parallel_linear.py`` create_lora_weights and
    0.13.0 ``lora/layers/fused_moe.py``.

    Args:
        model: the architecture.
        tensor: ranks that share each layer.
        layers: of the rank.
        adapters: held at once.
        rank: largest rank of an adapter.
    """
    if not adapters:
        return 0
    hidden, width = model.hidden_size, model.attention_heads * model.head_dim
    kv_width = kv_heads_per_rank(model.kv_heads, tensor) * model.head_dim
    attention = 3 * hidden + width // tensor + 2 * kv_width  # q, k, v
    attention += width // tensor + hidden  # o
    inner = model.moe_intermediate_size if model.is_moe else model.intermediate_size
    mlp = 2 * hidden + 2 * (inner // tensor)  # gate, up
    mlp += inner // tensor + hidden  # down
    elements = attention + mlp * max(1, model.experts)
    return layers * adapters * rank * elements * BF16_BYTES
