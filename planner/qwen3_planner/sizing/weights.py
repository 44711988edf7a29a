"""Weights: bytes per rank as the engine logs them after loading."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from qwen3_planner.sizing.allocator import SMALL_BYTES, SMALLEST_BLOCK_BYTES, replayed_bytes
from qwen3_planner.sizing.files import checkpoint_bytes
from qwen3_planner.sizing.formats import BF16, WeightFormat
from qwen3_planner.sizing.linear import BF16_BITS, Sharding, Tensor
from qwen3_planner.sizing.tensors import (
    head_tensors,
    layer_signature,
    layer_tensors,
    rope_cache,
    rope_leftovers,
    vocabulary_tensor,
)
from qwen3_planner.sizing.vision import deepstack_buffers, vision_tensors
from qwen3_planner.units import round_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.formats import FileLayout

__all__ = [
    "checkpoint_bytes",
    "least_held_bytes",
    "local_experts",
    "rank_tensors",
    "rank_weights",
    "sharding_of",
    "stage_layers",
    "stage_range",
    "stage_tensors",
]


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


def stage_range(layers: int, pipeline: int, stage: int) -> tuple[int, int]:
    """Return the first layer of a stage and the one after its last.

    >>> stage_range(94, 4, 1)
    (23, 47)
    """
    counts = stage_layers(layers, pipeline)
    first = sum(counts[:stage])
    return first, first + counts[stage]


def local_experts(experts: int, group: int, rank: int) -> int:
    """Return the experts on one rank of an expert-parallel group.

    >>> [local_experts(128, 3, rank) for rank in range(3)]
    [43, 43, 42]
    """
    share, rest = divmod(experts, group)
    return share + (1 if rank < rest else 0)


def sharding_of(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    layout: Layout,
    expert_rank: int,
    *,
    expanded_scales: bool,
    packed_scales: bool = False,
    expanded_blocks: bool = False,
    machete: tuple[FileLayout, ...] = (),
) -> Sharding:
    """Say how one rank shares a layer under this layout.

    Without expert parallelism tensor parallelism is flattened over the data-parallel ranks for
    the experts; attention is copied per data-parallel rank.
    """
    inner, local = 1, 0
    if model.is_moe and layout.expert > 1:
        local = local_experts(model.experts, layout.expert, expert_rank)
    elif model.is_moe:
        inner, local = layout.tensor * layout.data, model.experts
    return Sharding(
        layout.tensor, inner, local, expanded_scales, packed_scales, expanded_blocks, machete
    )


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
    packed_scales: bool = False,
    expanded_blocks: bool = False,
    machete: tuple[FileLayout, ...] = (),
    batch_tokens: int = 0,
) -> int:
    """Return the bytes one rank holds after loading ("Model loading took").

    Args:
        model: the architecture.
        fmt: how linear weights are held.
        layout: the replica's layout.
        stage: pipeline stage of the rank.
        expert_rank: its place in the expert-parallel group, over tensor and data ranks.
        positions: length of the rotary table.
        expanded_scales: see :class:`qwen3_planner.sizing.linear.Sharding`.
        packed_scales: see there.
        expanded_blocks: see there.
        machete: see there.
        batch_tokens: of one scheduler step: VL models allocate buffers of that length.
    """
    sharding = sharding_of(
        model,
        layout,
        expert_rank,
        expanded_scales=expanded_scales,
        packed_scales=packed_scales,
        expanded_blocks=expanded_blocks,
        machete=machete,
    )
    before, after = _outside(model, fmt, sharding, layout, stage=stage, positions=positions)
    before += (deepstack_buffers(model, batch_tokens),)
    layers = range(*stage_range(model.layers, layout.pipeline, stage))
    kinds = (layer_signature(model, fmt, layer) for layer in layers)
    inside = (_layer_sizes(model, fmt, sharding, kind) for kind in kinds)
    sizes = (_sizes(before), *inside, _sizes(after))
    small = sum(part for part, _ in sizes)
    tensors = chain.from_iterable(large for _, large in sizes)
    return small + replayed_bytes(tensors, rope_leftovers(model, positions))


SURELY_HELD_SHARE = 0.93
"""Of a checkpoint's files, a head that is not loaded left out, so much is surely held by its ranks
together: what predicts tokens ahead is not loaded (2 % of Qwen3-Next-80B), nor are some scales and
indices."""

SURELY_HELD_ONLINE = 0.45
"""The same where 16-bit files become fp8 weights while they are loaded."""


@lru_cache(maxsize=1024)
def least_held_bytes(model: ModelArchitecture, fmt: WeightFormat) -> int:
    """Return a bound below what all ranks of one replica hold together, however they share.

    A matrix that is shared is held once, one that is copied more often: so what the files have is
    what is held at least, but for what is left out while loading.
    """
    files = checkpoint_bytes(model, fmt)
    if model.stores_lm_head and (model.tied_embeddings or model.is_pooling):
        files -= model.vocab_size * model.hidden_size * BF16_BITS // 8
    return int(files * (SURELY_HELD_ONLINE if fmt.online else SURELY_HELD_SHARE))


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
    model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding, layer: int
) -> tuple[int, tuple[int, ...]]:
    return _sizes(layer_tensors(model, fmt, sharding, layer))


def rank_tensors(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    sharding: Sharding,
    *,
    stage: int,
    positions: int,
) -> tuple[Tensor, ...]:
    """List every tensor of one rank in the order of its allocation."""
    before, after = _outside(model, fmt, sharding, layout, stage=stage, positions=positions)
    layers = range(*stage_range(model.layers, layout.pipeline, stage))
    inside = (layer_tensors(model, fmt, sharding, layer) for layer in layers)
    return (*before, *chain.from_iterable(inside), *after)


def stage_tensors(
    model: ModelArchitecture, layout: Layout, stage: int, positions: int
) -> tuple[Tensor, ...]:
    """List the 16-bit tensors of one stage that are outside its decoder layers.

    A tied model that is cut into stages holds the vocabulary matrix twice: on the first rank as
    the embedding, on the last as the head.
    """
    sharding = Sharding(layout.tensor)
    before, after = _outside(model, BF16, sharding, layout, stage=stage, positions=positions)
    return (*before, *after)


def _outside(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    fmt: WeightFormat,
    sharding: Sharding,
    layout: Layout,
    *,
    stage: int,
    positions: int,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """List the tensors of one stage before and after its decoder layers.

    Every stage holds the image encoder; a pooling model holds no output head of its own, but a
    tied one keeps the embedding on the last stage like any other. Sparse models hold
    the embedding and the head on every stage, whether it needs them or not, and all but the
    hybrid ones the last norm too (vLLM 0.8.5 to 0.33.0 ``models/qwen3_moe.py``,
    ``models/qwen3_next.py``: built without asking for the stage; seen in 0.32.0 by the tests of
    tests/engine).
    """
    is_first, is_last = stage == 0, stage == layout.pipeline - 1
    has_embedding, has_head = is_first or model.is_moe, is_last or model.is_moe
    before: list[Tensor] = []
    if model.vision is not None:
        before += vision_tensors(model.vision, fmt, sharding)
    if has_embedding:
        before.append(vocabulary_tensor(model, "embed_tokens.weight", layout.tensor))
    before.append(rope_cache(model, positions))
    after: list[Tensor] = []
    if is_last or (model.is_moe and not model.is_hybrid):
        after.append(Tensor("norm.weight", (model.hidden_size,), BF16_BITS))
    shares_embedding = model.tied_embeddings and has_embedding
    drops_head = model.is_pooling and not model.tied_embeddings
    if has_head and not shares_embedding and not drops_head:
        after += head_tensors(model, fmt, sharding)
    return tuple(before), tuple(after)
