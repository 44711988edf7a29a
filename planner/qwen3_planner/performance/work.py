"""What one rank reads and computes in a step, from the very tensors that its memory holds.

Bytes are those of the format (scales included); arithmetic is counted on the 16-bit shapes, so it
does not depend on how a weight is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.sizing.formats import BF16
from qwen3_planner.sizing.kv_cache import token_bytes
from qwen3_planner.sizing.linear_attention import layer_state_bytes
from qwen3_planner.sizing.tensors import head_tensors, layer_tensors
from qwen3_planner.sizing.weights import sharding_of, stage_range

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.formats import WeightFormat
    from qwen3_planner.sizing.linear import Sharding, Tensor

FLOPS_PER_WEIGHT = 2
"""One multiplication and one addition for each weight that a token passes."""

FLOPS_PER_SCORE = 4
"""The same for a score and for its share of the values, per element of a head."""

BF16_BYTES = 2

EXPERTS = "experts."
"""How the names of routed experts' tensors begin."""


@dataclass(frozen=True, slots=True)
class StageWork:
    """What the tightest rank of one pipeline stage has to do.

    Attributes:
        layers: decoder layers of the stage.
        dense_bytes: weights that every step reads: all but routed experts and the output head.
        head_bytes: the output head; 0 where the stage has none.
        expert_bytes: of one routed expert, over all layers, as far as this rank holds it.
        local_experts: routed experts of one layer on this rank; 0 for dense models.
        expert_share: share of all experts that one token visits (k / E).
        dense_flops: of one token through all weights but experts and head.
        expert_flops: of one token through this rank's share of its experts.
        head_flops: of one row of logits.
        kv_bytes: of one token of context.
        score_flops: of one query against one token of context.
        state_bytes: of linear attention, that one sequence reads and writes per step.
        hidden_bytes: of one token between layers.
    """

    layers: int
    dense_bytes: int
    head_bytes: int
    expert_bytes: int
    local_experts: int
    expert_share: float
    dense_flops: int
    expert_flops: float
    head_flops: int
    kv_bytes: int
    score_flops: int
    state_bytes: int
    hidden_bytes: int

    @property
    def token_flops(self) -> float:
        """Operations of one token on this rank, the head left out."""
        return self.dense_flops + self.expert_flops

    @property
    def expert_row_flops(self) -> float:
        """Operations of one token in one of its experts, as far as this rank holds it."""
        return self.expert_flops / (self.local_experts * self.expert_share)

    def experts_hit(self, tokens: float) -> float:
        """Return the expected number of this rank's experts that so many tokens visit.

        Each token picks k of E; with even routing an expert is left out by all of them with
        probability (1 - k/E) ** tokens.
        """
        missed: float = (1.0 - self.expert_share) ** tokens
        return self.local_experts * (1.0 - missed)


@lru_cache(maxsize=4096)
def stage_works(
    model: ModelArchitecture, fmt: WeightFormat, layout: Layout, kv_bytes_per_32: int
) -> tuple[StageWork, ...]:
    """List the work of each stage's first rank, which holds most.

    Args:
        model: the architecture.
        fmt: how linear weights are held.
        layout: of one replica.
        kv_bytes_per_32: of 32 elements of the KV cache.
    """
    sums = _layer_sums(model, fmt, layout), _layer_sums(model, BF16, layout)
    return tuple(
        _stage_work(model, layout, stage, sums, kv_bytes_per_32) for stage in range(layout.pipeline)
    )


class _LayerSums(NamedTuple):
    """Sums over the tensors of one layer of each kind, with full and with linear attention.

    Attributes:
        dense: all but routed experts: (bytes, elements of matrices) of a layer with full attention.
        linear: the same of a layer with linear attention.
        experts: the same of the routed experts of any layer.
        head: the same of the output head.
        sharding: of the first rank.
    """

    dense: tuple[int, int]
    linear: tuple[int, int]
    experts: tuple[int, int]
    head: tuple[int, int]
    sharding: Sharding


def _layer_sums(model: ModelArchitecture, fmt: WeightFormat, layout: Layout) -> _LayerSums:
    sharding = sharding_of(model, layout, 0, expanded_scales=False)
    full = layer_tensors(model, fmt, sharding, model.full_attention_interval - 1)
    other = layer_tensors(model, fmt, sharding, 0)
    head = () if model.is_pooling else head_tensors(model, fmt, sharding)
    return _LayerSums(
        dense=_sums(full, experts=False),
        linear=_sums(other, experts=False),
        experts=_sums(full, experts=True),
        head=_sums(head, experts=False),
        sharding=sharding,
    )


def _stage_work(
    model: ModelArchitecture,
    layout: Layout,
    stage: int,
    sums: tuple[_LayerSums, _LayerSums],
    kv_bytes_per_32: int,
) -> StageWork:
    held, shapes = sums
    first, end = stage_range(model.layers, layout.pipeline, stage)
    layers = end - first
    full = model.full_attention_layers(first, end)
    has_head = stage == layout.pipeline - 1
    local = held.sharding.local_experts
    share = model.experts_per_token / model.experts if local else 0.0
    dense_elements = full * shapes.dense[1] + (layers - full) * shapes.linear[1]
    return StageWork(
        layers=layers,
        dense_bytes=full * held.dense[0] + (layers - full) * held.linear[0],
        head_bytes=held.head[0] if has_head else 0,
        expert_bytes=layers * held.experts[0] // local if local else 0,
        local_experts=local,
        expert_share=share,
        dense_flops=FLOPS_PER_WEIGHT * dense_elements,
        expert_flops=FLOPS_PER_WEIGHT * layers * share * shapes.experts[1],
        head_flops=FLOPS_PER_WEIGHT * shapes.head[1] if has_head else 0,
        kv_bytes=token_bytes(model, layout.tensor, full, kv_bytes_per_32),
        score_flops=FLOPS_PER_SCORE
        * full
        * (model.attention_heads // layout.tensor)
        * model.head_dim,
        state_bytes=(layers - full) * layer_state_bytes(model, layout.tensor),
        hidden_bytes=model.hidden_size * BF16_BYTES,
    )


def _sums(tensors: Iterable[Tensor], *, experts: bool) -> tuple[int, int]:
    """Add up bytes, and elements of matrices: vectors (norms, scales) do no work worth counting."""
    chosen = [t for t in tensors if t.name.startswith(EXPERTS) is experts]
    n_bytes = sum(tensor.n_bytes * tensor.count for tensor in chosen)
    elements = sum(tensor.elements for tensor in chosen if len(tensor.shape) > 1)
    return n_bytes, elements
