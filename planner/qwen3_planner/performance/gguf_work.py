"""What llama.cpp reads and computes in a step, from the tensors of a GGUF file.

Embedding rows are looked up one by one, so ``token_embd`` costs nothing unless it is the output
head too. Layers are spread over devices in one piece each, as ``--split-mode layer`` does; those
that stay on the host, or whose experts do, are computed there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

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
    from qwen3_planner.plan import Layout

EXPERTS = "_exps"
"""How the roles of routed experts' tensors end."""


class GgufWork(NamedTuple):
    """The work of a replica.

    Attributes:
        host: what the host's processor does in each step; None where nothing.
        devices: what each device does.
    """

    host: StageWork | None
    devices: tuple[StageWork, ...]


@lru_cache(maxsize=4096)
def gguf_work(
    model: ModelArchitecture, file_type: str, layout: Layout, kv_bytes_per_32: int
) -> GgufWork:
    """List the work of the host and of each device.

    Args:
        model: the architecture.
        file_type: ``Q4_K_M``.
        layout: of one replica; its stages are devices.
        kv_bytes_per_32: of 32 elements of the KV cache.
    """
    stored = stored_tensors(model, file_type)
    on_host = layout.host_layers
    host = None
    if on_host:
        host = _work(model, stored, (0, on_host), kv_bytes_per_32)
    elif layout.host_expert_layers:
        host = _experts_only(model, stored, layout.host_expert_layers)
    devices = []
    for stage in range(layout.pipeline):
        first, end = stage_range(model.layers - on_host, layout.pipeline, stage)
        layers = (first + on_host, end + on_host)
        devices.append(
            _work(model, stored, layers, kv_bytes_per_32, without=layout.host_expert_layers)
        )
    return GgufWork(host, tuple(devices))


def _work(
    model: ModelArchitecture,
    stored: tuple[StoredTensor, ...],
    layers: tuple[int, int],
    kv_bytes_per_32: int,
    without: int = 0,
) -> StageWork:
    """Return the work of some layers; experts of the first ``without`` are computed elsewhere."""
    first, end = layers
    inside = [each for each in stored if first <= each.tensor.layer < end]
    dense = _sums(each for each in inside if not each.tensor.role.endswith(EXPERTS))
    experts = _sums(
        each
        for each in inside
        if each.tensor.role.endswith(EXPERTS) and each.tensor.layer >= without
    )
    head = _sums(_head(stored)) if end == model.layers and not model.is_pooling else (0, 0)
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


def _experts_only(
    model: ModelArchitecture, stored: tuple[StoredTensor, ...], layers: int
) -> StageWork:
    experts = _sums(
        each
        for each in stored
        if 0 <= each.tensor.layer < layers and each.tensor.role.endswith(EXPERTS)
    )
    share = model.experts_per_token / model.experts
    return StageWork(
        layers=layers,
        dense_bytes=0,
        head_bytes=0,
        expert_bytes=experts[0] // model.experts,
        local_experts=model.experts,
        expert_share=share,
        dense_flops=0,
        expert_flops=FLOPS_PER_WEIGHT * share * experts[1],
        head_flops=0,
        kv_bytes=0,
        score_flops=0,
        state_bytes=0,
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
