"""The tensors of a checkpoint's files, by format: names, element types, shapes and bytes.

Source of the names: the tools that write them (AutoAWQ, GPTQModel, llm-compressor through
compressed-tensors, TensorRT Model Optimizer) as vLLM 0.33.0
``model_executor/layers/quantization`` reads them. A scale of an FP8 block is bf16 in the official
files (their tensor types are "BF16, F8_E4M3" on their pages) and fp32 once loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

from qwen3_planner.sizing.formats import FileLayout, WeightFormat, WeightKind
from qwen3_planner.sizing.gguf import file_type_of, tensor_bytes
from qwen3_planner.sizing.modules import (
    Linear,
    Vector,
    layer_modules,
    outside_modules,
    prediction_modules,
)
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture

DTYPE_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
"""Element types of safetensors; source: https://github.com/huggingface/safetensors
safetensors/src/tensor.rs."""

INT32_BITS = 32


@dataclass(frozen=True, slots=True)
class FileTensor:
    """Identical tensors of the files.

    Attributes:
        name: in full; ``*`` stands for the number of an expert.
        dtype: as safetensors names it.
        shape: of one.
        copies: how many there are.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    copies: int = 1

    @property
    def n_bytes(self) -> int:
        """Bytes of all copies."""
        return self.copies * prod(self.shape) * DTYPE_BITS[self.dtype] // 8


@lru_cache(maxsize=256)
def checkpoint_bytes(model: ModelArchitecture, fmt: WeightFormat) -> int:
    """Return the tensor bytes of the checkpoint's files.

    Headers and tokenizer add about 16 MB to what this says. A tied head counts where the files
    store it, prediction layers where the model has them. An online format is loaded from the bf16
    files.
    """
    if fmt.gguf is not None:
        return fmt.gguf.file_bytes
    if fmt.kind is WeightKind.GGUF:
        return tensor_bytes(model, file_type_of(fmt.quantization))
    return fmt.file_bytes or sum(tensor.n_bytes for tensor in checkpoint_tensors(model, fmt))


def checkpoint_tensors(model: ModelArchitecture, fmt: WeightFormat) -> Iterator[FileTensor]:
    """Yield the tensors of the files of a checkpoint of this format."""
    with_head = model.stores_lm_head or not (model.tied_embeddings or model.is_pooling)
    yield from _stored(outside_modules(model, with_head=with_head), fmt, model)
    for layer in range(model.layers):
        yield from _stored(layer_modules(model, layer), fmt, model)
    yield from _stored(prediction_modules(model), fmt, model)


def _stored(
    modules: Iterator[Linear | Vector], fmt: WeightFormat, model: ModelArchitecture
) -> Iterator[FileTensor]:
    for module in modules:
        if isinstance(module, Vector):
            yield FileTensor(module.name, _dtype(model), module.shape)
        else:
            yield from linear_tensors(module, fmt, _dtype(model))


def _dtype(model: ModelArchitecture) -> str:
    return "F16" if model.torch_dtype == "float16" else "BF16"


def linear_tensors(module: Linear, fmt: WeightFormat, dtype: str) -> Iterator[FileTensor]:
    """Yield the tensors of one linear layer.

    Args:
        module: the layer.
        fmt: of the checkpoint; its exceptions decide for this module.
        dtype: of what stays 16 bit.
    """
    name, copies = module.name, module.copies
    held = fmt.of(name.replace("*", "0"))
    shape = (module.rows, module.columns)
    if fmt.online or not held.is_quantized or _keeps_precision(module, fmt):
        yield FileTensor(f"{name}.weight", dtype, shape, copies)
    else:
        for suffix, kind, sides in _quantized(shape, held):
            yield FileTensor(f"{name}.{suffix}", kind, sides, copies)
        if fmt.kv_scales and name.endswith(("self_attn.k_proj", "self_attn.v_proj")):
            suffix = "k_scale" if name.endswith("k_proj") else "v_scale"
            yield FileTensor(f"{name}.{suffix}", "F32", ())
    if module.has_bias:
        yield FileTensor(f"{name}.bias", dtype, (module.rows,), copies)


def _keeps_precision(module: Linear, fmt: WeightFormat) -> bool:
    return module.keeps_precision and not fmt.is_exception(module.name)


_Stored = tuple[str, str, tuple[int, ...]]


def _quantized(shape: tuple[int, int], fmt: WeightFormat) -> Iterator[_Stored]:
    """Yield suffix, element type and shape of what the files hold of a quantized layer."""
    rows, columns = shape
    match fmt.kind:
        case WeightKind.FP8_BLOCK:
            yield "weight", "F8_E4M3", shape
            grid = (ceil_div(rows, fmt.block_rows), ceil_div(columns, fmt.block_columns))
            yield "weight_scale_inv", "BF16", grid
        case WeightKind.FP8_CHANNEL:
            yield "weight", "F8_E4M3", shape
            yield "weight_scale", "BF16", (rows, 1)
        case WeightKind.FP8_TENSOR:
            yield "weight", "F8_E4M3", shape
            yield "weight_scale", "F32", ()
            if fmt.static_activations:
                yield "input_scale", "F32", ()
        case WeightKind.INT8_CHANNEL:
            yield "weight", "I8", shape
            yield "weight_scale", "BF16", (rows, 1)
        case WeightKind.INT4_GROUP | WeightKind.INT8_GROUP:
            yield from _integer_groups(shape, fmt)
        case WeightKind.NVFP4_GROUP:
            yield from _nvfp4(shape, fmt)
        case WeightKind.MXFP4_GROUP:
            yield "weight_packed", "U8", (rows, columns // 2)
            yield "weight_scale", "U8", (rows, ceil_div(columns, fmt.group_size))
        case WeightKind.PLAIN | WeightKind.GGUF:
            raise ValueError(fmt.kind)


def _integer_groups(shape: tuple[int, int], fmt: WeightFormat) -> Iterator[_Stored]:
    rows, columns = shape
    groups = ceil_div(columns, fmt.group_size) if fmt.group_size else 1
    per_word = INT32_BITS // fmt.bits
    if fmt.layout is FileLayout.COMPRESSED_TENSORS:
        yield "weight_packed", "I32", (rows, ceil_div(columns, per_word))
        yield "weight_scale", "BF16", (rows, groups)
        yield "weight_shape", "I64", (2,)
        if fmt.has_zero_points:
            yield "weight_zero_point", "I32", (ceil_div(rows, per_word), groups)
        if fmt.act_order:
            yield "weight_g_idx", "I32", (columns,)
        return
    if fmt.layout is FileLayout.AWQ:
        yield "qweight", "I32", (columns, rows // per_word)
    else:
        yield "qweight", "I32", (columns // per_word, rows)
        yield "g_idx", "I32", (columns,)
    yield "qzeros", "I32", (groups, rows // per_word)
    yield "scales", "F16", (groups, rows)


def _nvfp4(shape: tuple[int, int], fmt: WeightFormat) -> Iterator[_Stored]:
    rows, columns = shape
    packed, scales = (rows, columns // 2), (rows, ceil_div(columns, fmt.group_size))
    if fmt.layout is FileLayout.MODELOPT:
        yield "weight", "U8", packed
        yield "weight_scale", "F8_E4M3", scales
        yield "weight_scale_2", "F32", ()
        yield "input_scale", "F32", ()
        return
    yield "weight_packed", "U8", packed
    yield "weight_scale", "F8_E4M3", scales
    yield "weight_global_scale", "F32", (1,)
    if fmt.static_activations:
        yield "input_global_scale", "F32", (1,)
