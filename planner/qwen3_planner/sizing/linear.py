"""Tensors of one linear layer, as the engine's kernels hold them after loading.

Source: vLLM 0.33.0 ``model_executor/layers/quantization`` (fp8, auto_awq, auto_gptq, modelopt,
compressed_tensors), ``model_executor/kernels/linear`` and ``layers/fused_moe/oracle``: what each
``process_weights_after_loading`` leaves behind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from qwen3_planner.sizing.formats import FileLayout, WeightFormat, WeightKind
from qwen3_planner.units import ceil_div, round_up

if TYPE_CHECKING:
    from collections.abc import Iterator

BF16_BITS = 16
FP8_BITS = 8
INT8_BITS = 8
FP32_BITS = 32
INT32_BITS = 32
INT4_BITS = 4
FP4_BITS = 4

NVFP4_SCALE_TILE = (128, 4)
"""Rows and columns to which the matrix of NVFP4 and MXFP4 scales is padded."""

DEEP_GEMM_TILE = (64, 128)
"""Outputs and inputs of a dense layer that DeepGEMM takes are multiples of these; experts go to
other kernels first (vLLM 0.33.0 ``utils/deep_gemm.py`` should_use_deepgemm_for_fp8_linear,
``layers/fused_moe/oracle/fp8.py``)."""

PACKED_SCALE_COLUMNS = 512
"""Inputs whose four power-of-two scales of 128 each share one int32 (DeepGEMM on Blackwell)."""


MACHETE_TILE = (128, 64)
"""Outputs and inputs of which a layer must have whole multiples for Machete. Source: vLLM 0.32.0
``quantization/utils/machete_utils.py`` check_machete_supports_shape."""


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
        packed_scales: whether FP8 block scales become powers of two, four packed into an int32
            for each output row (DeepGEMM on compute capability 10.x; dense layers only).
        expanded_blocks: whether dense layers expand FP8 block scales although there are FP8 units.
        machete: files whose dense integer weights the Machete kernels hold (compute capability
            9.0): their zero points are 16 bit, and those that GPTQ files need not have stay.
    """

    tensor: int
    experts_inner: int = 1
    local_experts: int = 0
    expanded_scales: bool = False
    packed_scales: bool = False
    expanded_blocks: bool = False
    machete: tuple[FileLayout, ...] = ()


def linear(
    name: str, shape: tuple[int, int], fmt: WeightFormat, sharding: Sharding, experts: int = 0
) -> Iterator[Tensor]:
    """Yield the tensors of one linear layer.

    Args:
        name: of the module.
        shape: (outputs, inputs) on this rank.
        fmt: how its weight is held.
        sharding: says which kernels hold the scales.
        experts: experts stacked in the same tensor; 0 for a plain layer.

    Raises:
        ValueError: the format is one of files that the engine does not load (GGUF).
    """
    lead = (experts,) if experts else ()
    if fmt.kind is WeightKind.GGUF:
        raise ValueError(f"{fmt.quantization} is no format of tensors that ranks share")
    yield Tensor(f"{name}.weight", (*lead, *shape), fmt.bits)
    fits = all(side % tile == 0 for side, tile in zip(shape, DEEP_GEMM_TILE, strict=True))
    packs = sharding.packed_scales and fits and not experts
    expands = sharding.expanded_scales or (
        sharding.expanded_blocks and fmt.kind is WeightKind.FP8_BLOCK and not experts
    )
    kernels = replace(sharding, packed_scales=packs, expanded_scales=expands)
    for suffix, scale_shape, bits in _scales(shape, fmt, kernels):
        yield Tensor(f"{name}.{suffix}", (*lead, *scale_shape), bits)
    is_integer = fmt.kind in (WeightKind.INT4_GROUP, WeightKind.INT8_GROUP)
    if is_integer and fmt.act_order:
        yield Tensor(f"{name}.g_idx", (*lead, shape[1]), INT32_BITS)
        yield Tensor(f"{name}.g_idx_sort_indices", (*lead, shape[1]), INT32_BITS)
    takes = all(side % tile == 0 for side, tile in zip(shape, MACHETE_TILE, strict=True))
    is_machete = fmt.layout in sharding.machete and takes and not experts
    is_kept = (experts > 0 or is_machete) and fmt.layout is FileLayout.GPTQ
    if is_integer and (fmt.has_zero_points or is_kept):
        bits = BF16_BITS if is_machete and fmt.has_zero_points else fmt.bits
        yield Tensor(f"{name}.qzeros", (*lead, _groups(shape[1], fmt), shape[0]), bits)


_Scale = tuple[str, tuple[int, ...], int]


def _scales(shape: tuple[int, int], fmt: WeightFormat, sharding: Sharding) -> Iterator[_Scale]:
    """Yield name, shape and width of a layer's scales."""
    rows, columns = shape
    match fmt.kind:
        case WeightKind.PLAIN | WeightKind.GGUF:
            return
        case WeightKind.FP8_BLOCK:
            yield _block_scales(shape, fmt, sharding)
        case WeightKind.FP8_CHANNEL:
            yield "weight_scale", (rows,), BF16_BITS if sharding.expanded_scales else FP32_BITS
        case WeightKind.FP8_TENSOR:
            if sharding.expanded_scales:  # one for each output row, beside 16-bit activations
                yield "weight_scale", (rows,), BF16_BITS
            else:
                yield "weight_scale", (1,), FP32_BITS
                yield "input_scale", (1,), FP32_BITS
        case WeightKind.INT8_CHANNEL:
            yield "weight_scale", (rows,), FP32_BITS
        case WeightKind.INT4_GROUP | WeightKind.INT8_GROUP:
            yield "scales", (_groups(columns, fmt), rows), BF16_BITS
        case WeightKind.NVFP4_GROUP | WeightKind.MXFP4_GROUP:
            tile_rows, tile_columns = NVFP4_SCALE_TILE
            groups = round_up(_groups(columns, fmt), tile_columns)
            yield "weight_scale", (round_up(rows, tile_rows), groups), FP8_BITS
            if fmt.kind is WeightKind.NVFP4_GROUP:
                yield "weight_global_scale", (1,), FP32_BITS
                yield "input_global_scale", (1,), FP32_BITS


def _groups(columns: int, fmt: WeightFormat) -> int:
    """Count the groups of one output's inputs; without groups there is one scale for all."""
    return ceil_div(columns, fmt.group_size) if fmt.group_size else 1


def _block_scales(shape: tuple[int, int], fmt: WeightFormat, sharding: Sharding) -> _Scale:
    rows, columns = shape
    name = "weight_scale_inv"
    if sharding.packed_scales:
        return name, (ceil_div(columns, PACKED_SCALE_COLUMNS), rows), INT32_BITS
    blocks = ceil_div(columns, fmt.block_columns)
    if sharding.expanded_scales:
        return name, (blocks, rows), BF16_BITS
    return name, (ceil_div(rows, fmt.block_rows), blocks), FP32_BITS


def fused(
    name: str,
    parts: tuple[tuple[int, WeightFormat], ...],
    columns: int,
    sharding: Sharding,
    experts: int = 0,
) -> Iterator[Tensor]:
    """Yield the tensors of layers that the engine joins into one, as far as their formats agree.

    Args:
        name: of the joined module.
        parts: (outputs on this rank, format) of each layer, in order.
        columns: inputs, the same for all.
        sharding: says which kernels hold the scales.
        experts: experts stacked in the same tensor.
    """
    start = 0
    while start < len(parts):
        fmt, rows, end = parts[start][1], 0, start
        while end < len(parts) and _alike(parts[end][1], fmt):
            rows += parts[end][0]
            end += 1
        yield from linear(name, (rows, columns), fmt, sharding, experts)
        start = end


def _alike(left: WeightFormat, right: WeightFormat) -> bool:
    return left is right or left == replace(right, quantization=left.quantization)
