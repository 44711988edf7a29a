"""Room for LoRA adapters: slots on the device, and the adapters themselves, which the host keeps.

Slots are made while the model loads, whatever adapters come later.
Of each linear layer an adapter has a matrix of rank x inputs and one of outputs x rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.sizing.kv_cache import kv_heads_per_rank
from qwen3_planner.sizing.modules import Linear, layer_modules
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout

BF16_BYTES = 2

_BY_INPUTS = frozenset({"o_proj", "down_proj", "out_proj"})
"""Layers whose inputs the tensor ranks share out; of others it is their outputs."""

_WHOLE = frozenset({"gate", "shared_expert_gate"})
"""Layers that each rank holds whole: routers."""


@dataclass(frozen=True, slots=True)
class Slots:
    """What an engine makes room for.

    Attributes:
        count: adapters held at once; 0: LoRA is off.
        rank: largest rank of an adapter.
        has_experts: whether routed experts have slots.
        joins_experts: whether gate and up of an expert share one input matrix.
        has_router: whether routers have slots.
        has_vocabulary: whether input embedding and output head have slots, which no rank shares.
        wraps_tied_head: whether a head that is the embedding has an embedding's slots once more.
        is_fully_sharded: whether the matrix that tensor parallelism leaves whole is shared out too.
        spans_stages: whether each stage makes slots for the layers of all.
    """

    count: int = 0
    rank: int = 0
    has_experts: bool = False
    joins_experts: bool = False
    has_router: bool = False
    has_vocabulary: bool = False
    wraps_tied_head: bool = False
    is_fully_sharded: bool = False
    spans_stages: bool = False


NO_SLOTS = Slots()


@lru_cache(maxsize=1024)
def slot_bytes(
    model: ModelArchitecture, layout: Layout, stage: int, layers: range, slots: Slots
) -> int:
    """Return the bytes of the slots of one rank; 0 without adapters.

    The side that tensor parallelism cuts is cut. The parts of a merged layer (q, k, v; gate, up)
    have an input matrix each. Sources: PyPI vllm 0.8.5 to 0.33.0 ``lora/layers.py`` and
    ``lora/layers/{base_linear,column_parallel_linear,fused_moe,vocab_parallel_embedding,
    logits_processor}.py`` create_lora_weights; PyPI sglang 0.5.1 to 0.5.23 ``lora/mem_pool.py``.

    Args:
        model: the architecture.
        layout: of one replica.
        stage: of the rank.
        layers: of the stage.
        slots: that the engine makes.
    """
    if not slots.count:
        return 0
    counted = range(model.layers) if slots.spans_stages else layers
    per_rank = sum(
        _module_elements(model, layout, module, slots)
        for layer in counted
        for module in layer_modules(model, layer)
        if isinstance(module, Linear)
    )
    per_rank += _vocabulary_elements(model, layout, stage, slots)
    return slots.count * slots.rank * per_rank * BF16_BYTES


def _module_elements(model: ModelArchitecture, layout: Layout, module: Linear, slots: Slots) -> int:
    """Return what a slot of rank 1 holds of one linear layer, on one rank."""
    kind = module.name.rpartition(".")[2]
    is_expert = module.copies > 1
    if kind in _WHOLE:
        return module.columns + module.rows if slots.has_router else 0
    if is_expert and not slots.has_experts:
        return 0
    ranks = _ranks_of(layout, is_expert=is_expert)
    inputs, outputs = module.columns, module.rows
    shared = ranks if slots.is_fully_sharded else 1
    if kind in _BY_INPUTS:
        inputs, outputs = inputs // ranks, outputs // shared
    else:
        inputs, outputs = ceil_div(inputs, shared), _outputs(model, layout, module, kind, ranks)
    if is_expert and slots.joins_experts and kind == "up_proj":
        inputs = 0  # gate_proj's is theirs together
    return ceil_div(module.copies, layout.expert) * (inputs + outputs)


def _ranks_of(layout: Layout, *, is_expert: bool) -> int:
    """Return how many ranks share a layer; experts are shared by data-parallel ranks, too."""
    if not is_expert:
        return layout.tensor
    return 1 if layout.expert > 1 else layout.tensor * layout.data


def _outputs(
    model: ModelArchitecture, layout: Layout, module: Linear, kind: str, ranks: int
) -> int:
    if kind in ("k_proj", "v_proj"):
        return kv_heads_per_rank(model.kv_heads, layout.tensor) * model.head_dim
    return module.rows // ranks


def _vocabulary_elements(model: ModelArchitecture, layout: Layout, stage: int, slots: Slots) -> int:
    """Return the same of input embedding and output head; a tied one is on the last stage, too."""
    if not slots.has_vocabulary:
        return 0
    is_first, is_last = stage == 0, stage == layout.pipeline - 1
    has_head = is_last and not model.is_pooling
    is_tied = has_head and model.tied_embeddings
    copies = int(is_first or is_tied) + int(has_head) + int(is_tied and slots.wraps_tied_head)
    return copies * (model.vocab_size + model.hidden_size)


@lru_cache(maxsize=256)
def adapter_bytes(model: ModelArchitecture, rank: int, *, has_experts: bool) -> int:
    """Return the bytes of one whole adapter of every linear layer: the most that one holds."""
    layers = (layer_adapter_bytes(model, layer, rank) for layer in range(model.layers))
    return sum(whole if has_experts else whole - experts for whole, experts in layers)


@lru_cache(maxsize=4096)
def layer_adapter_bytes(model: ModelArchitecture, layer: int, rank: int) -> tuple[int, int]:
    """Return the same of one decoder layer: (all of it, what is its routed experts')."""
    sizes = [
        (module.copies * (module.columns + module.rows), module.copies > 1)
        for module in layer_modules(model, layer)
        if isinstance(module, Linear) and module.name.rpartition(".")[2] not in _WHOLE
    ]
    whole, experts = (sum(n for n, mine in sizes if mine or all_) for all_ in (True, False))
    return rank * whole * BF16_BYTES, rank * experts * BF16_BYTES
