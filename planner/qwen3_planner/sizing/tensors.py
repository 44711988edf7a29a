"""The exact tensors of a Qwen3 model, as the engine holds them on one rank.

Layers of one kind are alike, so a tensor is written once with the number of its copies instead of
materialising 94 layers of 128 experts. Shapes are those of vLLM's fused modules
(``qkv_proj``, ``gate_up_proj``, ``w13_weight``, ``w2_weight``); source: vLLM 0.32.0
``model_executor/models/{qwen2,qwen3,qwen3_moe}.py``,
``model_executor/layers/{linear,vocab_parallel_embedding,fused_moe}``, ``distributed/utils.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

from qwen3_planner.sizing.allocator import device_bytes
from qwen3_planner.sizing.formats import WeightFormat, WeightKind
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture

BF16_BITS = 16
FP8_BITS = 8
FP32_BITS = 32
INT4_BITS = 4


@dataclass(frozen=True, slots=True)
class Tensor:
    """Identical tensors on one rank.

    Attributes:
        name: as the engine's module calls it.
        shape: of one of them, in elements, on this rank.
        element_bits: width of one element; packed formats count their logical elements.
        count: how many of them the rank holds.
    """

    name: str
    shape: tuple[int, ...]
    element_bits: int
    count: int = 1

    @property
    def elements(self) -> int:
        """Elements of all copies together."""
        return prod(self.shape) * self.count

    @property
    def n_bytes(self) -> int:
        """Bytes of one copy."""
        return prod(self.shape) * self.element_bits // 8


@dataclass(frozen=True, slots=True)
class Sharding:
    """How the engine divides one layer over ranks.

    Attributes:
        tensor: ranks that share the attention and the dense MLP.
        experts_inner: ranks that share one expert's inner size (1 under expert parallelism,
            tensor x data without it).
        local_experts: experts on this rank; 0 for dense models.
        expanded_scales: whether FP8 block scales are stored once per output row (the weight-only
            Marlin kernels of GPUs without FP8 units) instead of once per block.
    """

    tensor: int
    experts_inner: int = 1
    local_experts: int = 0
    expanded_scales: bool = False


def linear(
    name: str, shape: tuple[int, int], fmt: WeightFormat, sharding: Sharding, experts: int = 0
) -> Iterator[Tensor]:
    """Yield the tensors of one linear layer.

    Args:
        name: of the module.
        shape: (outputs, inputs) on this rank.
        fmt: how its weight is held.
        sharding: says whether FP8 scales are expanded.
        experts: experts stacked in the same tensor; 0 for a plain layer.
    """
    rows, columns = shape
    lead = (experts,) if experts else ()
    match fmt.kind:
        case WeightKind.PLAIN:
            yield Tensor(f"{name}.weight", (*lead, rows, columns), BF16_BITS)
        case WeightKind.FP8_BLOCK:
            yield Tensor(f"{name}.weight", (*lead, rows, columns), FP8_BITS)
            blocks = ceil_div(columns, fmt.block_columns)
            if sharding.expanded_scales:
                yield Tensor(f"{name}.weight_scale_inv", (*lead, blocks, rows), BF16_BITS)
            else:
                grid = (*lead, ceil_div(rows, fmt.block_rows), blocks)
                yield Tensor(f"{name}.weight_scale_inv", grid, FP32_BITS)
        case WeightKind.FP8_CHANNEL:
            yield Tensor(f"{name}.weight", (*lead, rows, columns), FP8_BITS)
            yield Tensor(f"{name}.weight_scale", (*lead, rows), FP32_BITS)
        case WeightKind.INT4_GROUP:
            groups = ceil_div(columns, fmt.group_size)
            yield Tensor(f"{name}.qweight", (*lead, rows, columns), INT4_BITS)
            yield Tensor(f"{name}.scales", (*lead, groups, rows), BF16_BITS)
            if fmt.has_zero_points:
                yield Tensor(f"{name}.qzeros", (*lead, groups, rows), INT4_BITS)


def layer_tensors(
    model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding
) -> tuple[Tensor, ...]:
    """List the tensors of one decoder layer on one rank.

    KV heads are replicated once there are more ranks than heads; norms and the router are held
    whole by every rank, and the router is never quantized.
    """
    hidden, head_dim = model.hidden_size, model.head_dim
    heads = model.attention_heads // sharding.tensor
    kv_heads = max(1, model.kv_heads // sharding.tensor)
    tensors = [
        *linear("qkv_proj", ((heads + 2 * kv_heads) * head_dim, hidden), fmt, sharding),
        *linear("o_proj", (hidden, heads * head_dim), fmt, sharding),
        Tensor("q_norm.weight", (head_dim,), BF16_BITS),
        Tensor("k_norm.weight", (head_dim,), BF16_BITS),
        Tensor("input_layernorm.weight", (hidden,), BF16_BITS),
        Tensor("post_attention_layernorm.weight", (hidden,), BF16_BITS),
    ]
    if model.is_moe:
        inner = model.moe_intermediate_size // sharding.experts_inner
        local = sharding.local_experts
        tensors.append(Tensor("gate.weight", (model.experts, hidden), BF16_BITS))
        tensors += linear("experts.w13", (2 * inner, hidden), fmt, sharding, local)
        tensors += linear("experts.w2", (hidden, inner), fmt, sharding, local)
    else:
        inner = model.intermediate_size // sharding.tensor
        tensors += linear("gate_up_proj", (2 * inner, hidden), fmt, sharding)
        tensors += linear("down_proj", (hidden, inner), fmt, sharding)
    return tuple(tensors)


def vocabulary_tensor(model: ModelArchitecture, name: str, tensor: int) -> Tensor:
    """Return one vocabulary-parallel matrix (embedding or head) of one rank."""
    return Tensor(name, (model.vocab_size // tensor, model.hidden_size), BF16_BITS)


def rope_cache(model: ModelArchitecture, positions: int) -> Tensor:
    """Return the rotary embedding's table: one per rank, shared by its layers."""
    return Tensor("rotary_emb.cos_sin_cache", (positions, model.head_dim), BF16_BITS)


def held_bytes(tensors: Iterable[Tensor]) -> int:
    """Sum what the device's allocator counts for these tensors."""
    return sum(device_bytes(tensor.n_bytes) * tensor.count for tensor in tensors)


@lru_cache(maxsize=4096)
def layer_bytes(model: ModelArchitecture, fmt: WeightFormat, sharding: Sharding) -> int:
    """Return what one decoder layer takes on one rank's device."""
    return held_bytes(layer_tensors(model, fmt, sharding))


def parameters(model: ModelArchitecture) -> int:
    """Count the model's parameters, a tied output head once.

    >>> from qwen3_planner.catalog.rows import ModelArchitecture
    >>> parameters(ModelArchitecture("Qwen3-0.6B", 1024, 28, 16, 8, 128, 3072, 0, 0, 0, 151936,
    ...     True, True, 40960, 1e6, "bfloat16", "hybrid", "config.json", "2026-11-23"))
    596049920
    """
    return _count(model, model.experts)


def active_parameters(model: ModelArchitecture) -> int:
    """Count the parameters that one token passes through; equal to all of them when dense."""
    return _count(model, model.experts_per_token)


def _count(model: ModelArchitecture, experts: int) -> int:
    hidden, head_dim = model.hidden_size, model.head_dim
    attention = hidden * head_dim * 2 * (model.attention_heads + model.kv_heads) + 2 * head_dim
    if model.is_moe:
        mlp = experts * 3 * hidden * model.moe_intermediate_size + hidden * model.experts
    else:
        mlp = 3 * hidden * model.intermediate_size
    vocabulary = model.vocab_size * hidden * (1 if model.tied_embeddings else 2)
    return vocabulary + model.layers * (attention + mlp + 2 * hidden) + hidden
