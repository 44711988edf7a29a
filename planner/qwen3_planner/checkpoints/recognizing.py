"""From a header to the format of each module, so that mixed checkpoints are planned exactly.

The tensors of a module tell how it is stored: their names, element types and shapes. Names as in
:mod:`qwen3_planner.sizing.files`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import Storage
from qwen3_planner.request import Quantization
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.checkpoints.header import HeaderTensor
    from qwen3_planner.sizing.modules import Linear

PLAIN_DTYPES = frozenset({"BF16", "F16", "F32"})
_FP8 = "F8_E4M3"
_WORD_BITS = 32
_USUAL_BLOCK = 128
_BLOCKS = (_USUAL_BLOCK, 64, 256, 32, 512)


@dataclass(frozen=True, slots=True)
class Found:
    """How a module is stored.

    Attributes:
        storage: its format.
        method: of the tool that wrote it; empty for 16 bit.
        is_static: whether the activations' scale is stored.
    """

    storage: Storage
    method: str = ""
    is_static: bool = False


def storage_of(module: Linear, parts: Mapping[str, HeaderTensor]) -> Found | None:
    """Recognize a module's format.

    Args:
        module: with its whole shape.
        parts: its tensors by the last part of their names.

    Returns:
        The format; None where the tensors are none that is planned, or of another shape.
    """
    shape = (module.rows, module.columns)
    is_static = "input_scale" in parts or "input_global_scale" in parts
    if "qweight" in parts:
        return _words(shape, parts)
    if "weight_packed" in parts:
        return _packed(shape, parts, is_static=is_static)
    weight = parts.get("weight")
    if weight is not None and weight.dtype == "U8":
        return _fp4(shape, weight, parts, "modelopt", is_static=is_static)
    if weight is None or weight.shape != shape:
        return None
    return _bytes(shape, weight, parts, is_static=is_static)


def _bytes(
    shape: tuple[int, int],
    weight: HeaderTensor,
    parts: Mapping[str, HeaderTensor],
    *,
    is_static: bool,
) -> Found | None:
    """Recognize weights that are stored one by one: plain, INT8, FP8."""
    if weight.dtype in PLAIN_DTYPES:
        return Found(Storage(Quantization.BF16))
    if weight.dtype == "I8":
        return Found(Storage(Quantization.INT8), "compressed-tensors", is_static)
    return _fp8(shape, parts, is_static=is_static) if weight.dtype == _FP8 else None


def _fp8(
    shape: tuple[int, int], parts: Mapping[str, HeaderTensor], *, is_static: bool
) -> Found | None:
    rows, columns = shape
    inverse, plain = parts.get("weight_scale_inv"), parts.get("weight_scale")
    scale = inverse or plain
    if scale is None:
        return None
    tensor_method = "modelopt" if is_static else "compressed-tensors"
    whole = Found(Storage(Quantization.FP8_STATIC), tensor_method, is_static)
    if scale.shape in ((), (1,)):
        return whole
    if inverse is None and scale.shape in ((rows,), (rows, 1)):
        return Found(Storage(Quantization.FP8), "compressed-tensors", is_static)
    if len(scale.shape) != len(shape):
        return None
    block = (_block(rows, scale.shape[0]), _block(columns, scale.shape[1]))
    if all(block):
        method = "fp8" if inverse else "compressed-tensors"
        return Found(Storage(Quantization.FP8, block), method, is_static)
    return whole if scale.shape == (1, 1) else None


def _block(side: int, blocks: int) -> int:
    """Return the side of a block that cuts a side into so many; 0 where none does."""
    return next((size for size in _BLOCKS if ceil_div(side, size) == blocks), 0)


def _words(shape: tuple[int, int], parts: Mapping[str, HeaderTensor]) -> Found | None:
    """Recognize AWQ, which packs outputs, and GPTQ, which packs inputs, into 32-bit words."""
    rows, columns = shape
    weight, scales = parts["qweight"], parts.get("scales")
    if scales is None or len(weight.shape) != len(shape) or len(scales.shape) != len(shape):
        return None
    group = _group(columns, scales.shape[0])
    if weight.shape[0] == columns and "g_idx" not in parts:
        is_int4 = weight.shape[1] * (_WORD_BITS // 4) == rows
        storage = Storage(Quantization.AWQ_INT4, group_size=group, has_zero_points=True)
        return Found(storage, "awq") if is_int4 else None
    if weight.shape[1] != rows:
        return None
    kind = _integer(weight.shape[0], columns)
    return Found(Storage(kind, group_size=group), "gptq") if kind else None


def _integer(words: int, columns: int) -> Quantization | None:
    """Name an integer format by how many words hold the inputs of one output."""
    if words == ceil_div(columns, _WORD_BITS // 4):
        return Quantization.GPTQ_INT4
    return Quantization.GPTQ_INT8 if words == ceil_div(columns, _WORD_BITS // 8) else None


def _packed(
    shape: tuple[int, int], parts: Mapping[str, HeaderTensor], *, is_static: bool
) -> Found | None:
    rows, columns = shape
    weight, scale = parts["weight_packed"], parts.get("weight_scale")
    if weight.dtype == "U8":
        return _fp4(shape, weight, parts, "compressed-tensors", is_static=is_static)
    if scale is None or len(weight.shape) != len(shape) or weight.shape[0] != rows:
        return None
    groups = scale.shape[1] if len(scale.shape) == len(shape) else 1
    kind = _integer(weight.shape[1], columns)
    if kind is None:
        return None
    has_zeros = "weight_zero_point" in parts
    if has_zeros and kind is Quantization.GPTQ_INT4:
        kind = Quantization.AWQ_INT4
    storage = Storage(kind, group_size=_group(columns, groups), has_zero_points=has_zeros)
    return Found(storage, "compressed-tensors")


def _fp4(
    shape: tuple[int, int],
    weight: HeaderTensor,
    parts: Mapping[str, HeaderTensor],
    method: str,
    *,
    is_static: bool,
) -> Found | None:
    rows, columns = shape
    scale = parts.get("weight_scale")
    if weight.shape != (rows, columns // 2) or scale is None or len(scale.shape) != len(shape):
        return None
    group = _group(columns, scale.shape[1])
    kind = Quantization.NVFP4 if scale.dtype == _FP8 else Quantization.MXFP4
    return Found(Storage(kind, group_size=group), method, is_static)


def _group(columns: int, groups: int) -> int:
    return ceil_div(columns, groups) if groups else 0
