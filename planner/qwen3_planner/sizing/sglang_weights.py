"""Weights of one rank under SGLang.

The tensors are vLLM's (SGLang's models descend from it); what differs is where they lie. Experts
are cut into groups of any size, the MLP spans all ranks under attention data parallelism while the
attention is copied, the rotary table is kept in float32, and layers that do not divide go to the
last stages. Source: PyPI sglang 0.4.6.post1 to 0.5.23 ``models/{qwen2,qwen2_moe,qwen3,qwen3_moe,
qwen3_next,qwen3_vl}.py``, ``layers/{linear,vocab_parallel_embedding,rotary_embedding}``,
``distributed/utils.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from qwen3_planner.sizing.allocator import (
    SMALL_BYTES,
    SMALL_SEGMENT_BYTES,
    SMALLEST_BLOCK_BYTES,
    replay,
)
from qwen3_planner.sizing.linear import BF16_BITS, FP32_BITS, Sharding, Tensor
from qwen3_planner.sizing.tensors import (
    head_tensors,
    layer_signature,
    layer_tensors,
    vocabulary_tensor,
)
from qwen3_planner.sizing.vision import vision_tensors
from qwen3_planner.units import round_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.formats import WeightFormat

_MLP_MODULES = ("gate_up_proj", "down_proj", "gate.weight", "experts.", "shared_expert")


@dataclass(frozen=True, slots=True)
class Placing:
    """What of a version and a device decides where tensors lie.

    Attributes:
        last_stage_takes_rest: whether layers that do not divide all go to the last stage, instead
            of one each to the last stages.
        embedding_is_whole: whether attention data parallelism copies the embedding.
        expanded_scales: whether FP8 scales are kept once per output row (weight-only kernels).
        head_is_wide: whether the output head is held in float32.
    """

    last_stage_takes_rest: bool = False
    embedding_is_whole: bool = False
    expanded_scales: bool = False
    head_is_wide: bool = False


def stage_layers(layers: int, pipeline: int, *, last_takes_rest: bool) -> tuple[int, ...]:
    """Partition the layers over pipeline stages as SGLang does.

    >>> stage_layers(94, 4, last_takes_rest=False), stage_layers(94, 4, last_takes_rest=True)
    ((23, 23, 24, 24), (23, 23, 23, 25))
    """
    share, rest = divmod(layers, pipeline)
    counts = [share] * pipeline
    if last_takes_rest:
        counts[-1] += rest
    else:
        for place in range(pipeline - rest, pipeline):
            counts[place] += 1
    return tuple(counts)


@lru_cache(maxsize=8192)
def rank_weights(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    placing: Placing,
    *,
    stage: int,
    positions: int,
) -> int:
    """Return the bytes that one rank's tensors take of the device after loading.

    SGLang asks the device what is left, before and after ("mem usage"), so whole segments count:
    Qwen3-0.6B-FP8 logs 0.74 GiB, its tensors are 0.72 and their segments 0.74
    (https://github.com/sgl-project/sglang/issues/7495).

    Args:
        model: the architecture.
        fmt: how linear weights are held.
        layout: of the replica; ``tensor`` ranks share the attention of each data-parallel rank.
        placing: of the version and device.
        stage: pipeline stage of the rank.
        positions: length of the rotary table.
    """
    before, after = _outside(model, fmt, layout, placing, stage=stage, positions=positions)
    shardings = _shardings(model, layout, placing)
    kinds = [layer_signature(model, fmt, layer) for layer in _layers(model, layout, placing, stage)]
    inside = [_layer_sizes(model, fmt, shardings, kind) for kind in kinds]
    sizes = [_sizes(before), *inside, _sizes(after)]
    small = round_up(sum(part for part, _ in sizes), SMALL_SEGMENT_BYTES)
    return small + replay(chain.from_iterable(large for _, large in sizes)).reserved


def rank_tensors(  # noqa: PLR0913 - likewise
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    placing: Placing,
    *,
    stage: int,
    positions: int,
) -> tuple[Tensor, ...]:
    """List every tensor of one rank in the order of its allocation."""
    before, after = _outside(model, fmt, layout, placing, stage=stage, positions=positions)
    shardings = _shardings(model, layout, placing)
    layers = _layers(model, layout, placing, stage)
    inside = (_layer(model, fmt, shardings, layer) for layer in layers)
    return (*before, *chain.from_iterable(inside), *after)


def _layers(model: ModelArchitecture, layout: Layout, placing: Placing, stage: int) -> range:
    takes_rest = placing.last_stage_takes_rest
    counts = stage_layers(model.layers, layout.pipeline, last_takes_rest=takes_rest)
    first = sum(counts[:stage])
    return range(first, first + counts[stage])


def _sizes(tensors: Iterable[Tensor]) -> tuple[int, tuple[int, ...]]:
    """Return the bytes of all small tensors, and of each large one in order."""
    small, large = 0, []
    for tensor in tensors:
        block = round_up(tensor.n_bytes, SMALLEST_BLOCK_BYTES)
        if block <= SMALL_BYTES:
            small += block * tensor.count
        else:
            large += [block] * tensor.count
    return small, tuple(large)


@lru_cache(maxsize=4096)
def _layer_sizes(
    model: ModelArchitecture,
    fmt: WeightFormat,
    shardings: tuple[Sharding, Sharding],
    layer: int,
) -> tuple[int, tuple[int, ...]]:
    return _sizes(_layer(model, fmt, shardings, layer))


def _shardings(
    model: ModelArchitecture, layout: Layout, placing: Placing
) -> tuple[Sharding, Sharding]:
    """Say how a rank shares the attention, and how the MLP or the experts."""
    ranks = layout.tensor * layout.data
    expanded = placing.expanded_scales
    attention = Sharding(layout.tensor, expanded_scales=expanded)
    inner = ranks // layout.expert if model.is_moe else 1
    local = model.experts // layout.expert if model.is_moe else 0
    return attention, Sharding(ranks, inner, local, expanded)


@lru_cache(maxsize=4096)
def _layer(
    model: ModelArchitecture,
    fmt: WeightFormat,
    shardings: tuple[Sharding, Sharding],
    layer: int,
) -> tuple[Tensor, ...]:
    attention, mlp = shardings
    if attention.tensor == mlp.tensor:
        return layer_tensors(model, fmt, mlp, layer)
    copied = (t for t in layer_tensors(model, fmt, attention, layer) if not _is_mlp(t))
    spread = (t for t in layer_tensors(model, fmt, mlp, layer) if _is_mlp(t))
    return (*copied, *spread)


def _is_mlp(tensor: Tensor) -> bool:
    return tensor.name.startswith(_MLP_MODULES)


def _outside(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    placing: Placing,
    *,
    stage: int,
    positions: int,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """List the tensors of one stage before and after its decoder layers.

    A pooling model keeps its output head here: SGLang makes one and does not ask for it. Sparse
    text models hold the head on every stage (``models/qwen3_moe.py``, built without asking).
    """
    is_first, is_last = stage == 0, stage == layout.pipeline - 1
    has_head = is_last or (model.is_moe and model.vision is None)
    ranks = layout.tensor * layout.data
    before: list[Tensor] = []
    if model.vision is not None:
        before += vision_tensors(model.vision, fmt, Sharding(layout.tensor))
    if is_first:
        is_whole = layout.data > 1 and placing.embedding_is_whole
        shares = 1 if is_whole else layout.tensor
        before.append(vocabulary_tensor(model, "embed_tokens.weight", shares))
    before.append(_rope_table(model, positions))
    after: list[Tensor] = []
    if is_last:
        after.append(Tensor("norm.weight", (model.hidden_size,), BF16_BITS))
    if has_head and not (model.tied_embeddings and is_first):
        head = head_tensors(model, fmt, Sharding(ranks))
        after += (replace(t, element_bits=FP32_BITS) if placing.head_is_wide else t for t in head)
    return tuple(before), tuple(after)


def _rope_table(model: ModelArchitecture, positions: int) -> Tensor:
    """Return the rotary table, in float32 "for numerical stability"."""
    width = round(model.head_dim * model.rotary_share)
    return Tensor("rotary_emb.cos_sin_cache", (positions, width), FP32_BITS)
