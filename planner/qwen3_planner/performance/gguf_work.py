"""What llama.cpp reads and computes in a step, from the tensors of a GGUF file.

Embedding rows are looked up one by one, so ``token_embd`` costs nothing unless it is the output
head too. Layers are spread over devices in one piece each, as ``--split-mode layer`` does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.performance.work import (
    BF16_BYTES,
    FLOPS_PER_SCORE,
    FLOPS_PER_WEIGHT,
    StageWork,
)
from qwen3_planner.sizing.gguf import OUTSIDE, StoredTensor, stored_tensors
from qwen3_planner.sizing.kv_cache import token_bytes
from qwen3_planner.sizing.linear_attention import layer_state_bytes
from qwen3_planner.sizing.weights import stage_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import ModelArchitecture

EXPERTS = "_exps"
"""How the roles of routed experts' tensors end."""


@lru_cache(maxsize=512)
def gguf_stage_works(
    model: ModelArchitecture, file_type: str, devices: int, kv_bytes_per_32: int
) -> tuple[StageWork, ...]:
    """List the work of each device.

    Args:
        model: the architecture.
        file_type: ``Q4_K_M``.
        devices: over which the layers are spread.
        kv_bytes_per_32: of 32 elements of the KV cache.
    """
    stored = stored_tensors(model, file_type)
    return tuple(
        _work(model, stored, stage_range(model.layers, devices, stage), kv_bytes_per_32)
        for stage in range(devices)
    )


def _work(
    model: ModelArchitecture,
    stored: tuple[StoredTensor, ...],
    layers: tuple[int, int],
    kv_bytes_per_32: int,
) -> StageWork:
    first, end = layers
    inside = [each for each in stored if first <= each.tensor.layer < end]
    dense = _sums(each for each in inside if not each.tensor.role.endswith(EXPERTS))
    experts = _sums(each for each in inside if each.tensor.role.endswith(EXPERTS))
    has_head = end == model.layers
    head = _sums(_head(stored)) if has_head and not model.is_pooling else (0, 0)
    full = model.full_attention_layers(first, end)
    share = model.experts_per_token / model.experts if model.is_moe else 0.0
    return StageWork(
        layers=end - first,
        dense_bytes=dense[0],
        head_bytes=head[0],
        expert_bytes=experts[0] // model.experts if model.is_moe else 0,
        local_experts=model.experts,
        expert_share=share,
        dense_flops=FLOPS_PER_WEIGHT * dense[1],
        expert_flops=FLOPS_PER_WEIGHT * share * experts[1],
        head_flops=FLOPS_PER_WEIGHT * head[1],
        kv_bytes=token_bytes(model, 1, full, kv_bytes_per_32),
        score_flops=FLOPS_PER_SCORE * full * model.attention_heads * model.head_dim,
        state_bytes=(end - first - full) * layer_state_bytes(model, 1),
        hidden_bytes=model.hidden_size * BF16_BYTES,
    )


def _head(stored: tuple[StoredTensor, ...]) -> list[StoredTensor]:
    """Return the output head; the embedding where there is none."""
    outside = [each for each in stored if each.tensor.layer == OUTSIDE]
    heads = [each for each in outside if each.tensor.role == "output"]
    return heads or [each for each in outside if each.tensor.role == "token_embd"]


def _sums(tensors: Iterable[StoredTensor]) -> tuple[int, int]:
    """Add up bytes, and elements of matrices."""
    chosen = list(tensors)
    elements = sum(each.tensor.elements for each in chosen if len(each.tensor.shape) > 1)
    return sum(each.n_bytes for each in chosen), elements
