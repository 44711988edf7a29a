"""Weights: bytes per rank as the engine logs them, and bytes of the files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.sizing.formats import BF16, WeightFormat, WeightKind
from qwen3_planner.sizing.tensors import (
    BF16_BITS,
    FP32_BITS,
    INT4_BITS,
    Sharding,
    Tensor,
    held_bytes,
    layer_bytes,
    layer_tensors,
    rope_cache,
    vocabulary_tensor,
)

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout


def stage_layers(layers: int, pipeline: int) -> tuple[int, ...]:
    """Partition the layers over pipeline stages as vLLM does.

    The remainder goes to the second last stage, then the third last and so on: the last stage
    (which holds the output head) gets none. Source: vLLM 0.32.0 ``distributed/utils.py``
    ``get_pp_indices``.

    >>> stage_layers(94, 4), stage_layers(64, 1), stage_layers(28, 3)
    ((23, 24, 24, 23), (64,), (9, 10, 9))
    """
    share, rest = divmod(layers, pipeline)
    counts = [share] * pipeline
    for offset in range(rest):
        counts[-(offset + 2)] += 1
    return tuple(counts)


def local_experts(experts: int, group: int, rank: int) -> int:
    """Return the experts on one rank of an expert-parallel group.

    >>> [local_experts(128, 3, rank) for rank in range(3)]
    [43, 43, 42]
    """
    share, rest = divmod(experts, group)
    return share + (1 if rank < rest else 0)


def sharding_of(
    model: ModelArchitecture, layout: Layout, expert_rank: int, *, expanded_scales: bool
) -> Sharding:
    """Say how one rank shares a layer under this layout.

    Without expert parallelism tensor parallelism is flattened over the data-parallel ranks for
    the experts; attention is copied per data-parallel rank.
    """
    if not model.is_moe:
        return Sharding(layout.tensor, expanded_scales=expanded_scales)
    if layout.expert > 1:
        local = local_experts(model.experts, layout.expert, expert_rank)
        return Sharding(layout.tensor, 1, local, expanded_scales)
    inner = layout.tensor * layout.data
    return Sharding(layout.tensor, inner, model.experts, expanded_scales)


@lru_cache(maxsize=8192)
def rank_weights(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    *,
    stage: int,
    expert_rank: int,
    positions: int,
    expanded_scales: bool = False,
) -> int:
    """Return the bytes one rank holds after loading ("Model loading took").

    Args:
        model: the architecture.
        fmt: how linear weights are held.
        layout: the replica's layout.
        stage: pipeline stage of the rank.
        expert_rank: its place in the expert-parallel group, over tensor and data ranks.
        positions: length of the rotary table.
        expanded_scales: see :class:`qwen3_planner.sizing.tensors.Sharding`.
    """
    sharding = sharding_of(model, layout, expert_rank, expanded_scales=expanded_scales)
    layers = stage_layers(model.layers, layout.pipeline)[stage]
    outside = stage_tensors(model, layout, stage, positions)
    return layers * layer_bytes(model, fmt, sharding) + held_bytes(outside)


def stage_tensors(
    model: ModelArchitecture, layout: Layout, stage: int, positions: int
) -> tuple[Tensor, ...]:
    """List the tensors of one stage that are outside its decoder layers.

    A tied model that is cut into stages holds the vocabulary matrix twice: on the first rank as
    the embedding, on the last as the head.
    """
    is_first, is_last = stage == 0, stage == layout.pipeline - 1
    tensors = [rope_cache(model, positions)]
    if is_first:
        tensors.append(vocabulary_tensor(model, "embed_tokens.weight", layout.tensor))
    if is_last:
        tensors.append(Tensor("norm.weight", (model.hidden_size,), BF16_BITS))
        if not (model.tied_embeddings and is_first):
            tensors.append(vocabulary_tensor(model, "lm_head.weight", layout.tensor))
    return tuple(tensors)


@lru_cache(maxsize=256)
def checkpoint_bytes(model: ModelArchitecture, fmt: WeightFormat) -> int:
    """Return the tensor bytes of the checkpoint's files.

    Headers and tokenizer add about 16 MB to what this says. A tied head counts where the files
    store it. An online format is loaded from the bf16 files.
    """
    held = BF16 if fmt.online else fmt
    whole = Sharding(tensor=1, local_experts=model.experts)
    layer = sum(t.n_bytes * t.count for t in layer_tensors(model, held, whole))
    heads = 1 if model.tied_embeddings and not model.stores_lm_head else 2
    vocabulary = heads * vocabulary_tensor(model, "vocabulary", 1).n_bytes
    norm = Tensor("norm.weight", (model.hidden_size,), BF16_BITS).n_bytes
    return model.layers * (layer + _gptq_extras(model, held)) + vocabulary + norm


def _gptq_extras(model: ModelArchitecture, fmt: WeightFormat) -> int:
    """Bytes per layer that GPTQ files carry and the kernels drop: zero points and group index."""
    if fmt.kind is not WeightKind.INT4_GROUP or fmt.has_zero_points:
        return 0
    hidden, heads_width = model.hidden_size, model.attention_heads * model.head_dim
    kv_width = model.kv_heads * model.head_dim
    shapes = [(heads_width, hidden), (kv_width, hidden), (kv_width, hidden), (hidden, heads_width)]
    inner = model.moe_intermediate_size if model.is_moe else model.intermediate_size
    mlp = [(inner, hidden), (inner, hidden), (hidden, inner)]
    shapes += mlp * max(1, model.experts)
    zero_points = sum(rows * (columns // fmt.group_size) for rows, columns in shapes)
    group_index = sum(columns for _, columns in shapes)
    return zero_points * INT4_BITS // 8 + group_index * FP32_BITS // 8
