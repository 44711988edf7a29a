"""Every storage of weights that the planner knows for vLLM, as the tools that write it do."""

from __future__ import annotations

from qwen3_planner.request import Quantization
from qwen3_planner.sizing.formats import BF16, HEAD, VISION, FileLayout, WeightFormat, WeightKind


def _fmt(quantization: Quantization, kind: WeightKind, **fields: object) -> WeightFormat:
    plain = ((HEAD, BF16), (VISION, BF16))
    return WeightFormat(quantization, kind, exceptions=plain, **fields)  # type: ignore[arg-type]  # by name


FORMATS = {
    "fp8-block": _fmt(
        Quantization.FP8,
        WeightKind.FP8_BLOCK,
        block_rows=128,
        block_columns=128,
        layout=FileLayout.FP8,
    ),
    "fp8-channel": _fmt(Quantization.FP8, WeightKind.FP8_CHANNEL),
    "fp8-tensor": _fmt(
        Quantization.FP8_STATIC,
        WeightKind.FP8_TENSOR,
        layout=FileLayout.MODELOPT,
        static_activations=True,
    ),
    "int8-channel": _fmt(Quantization.INT8, WeightKind.INT8_CHANNEL),
    "awq-int4": _fmt(
        Quantization.AWQ_INT4,
        WeightKind.INT4_GROUP,
        group_size=128,
        has_zero_points=True,
        layout=FileLayout.AWQ,
    ),
    "gptq-int4": _fmt(
        Quantization.GPTQ_INT4, WeightKind.INT4_GROUP, group_size=128, layout=FileLayout.GPTQ
    ),
    "gptq-int8": _fmt(
        Quantization.GPTQ_INT8, WeightKind.INT8_GROUP, group_size=128, layout=FileLayout.GPTQ
    ),
    "w4a16": _fmt(Quantization.GPTQ_INT4, WeightKind.INT4_GROUP, group_size=128),
    "nvfp4-modelopt": _fmt(
        Quantization.NVFP4,
        WeightKind.NVFP4_GROUP,
        group_size=16,
        layout=FileLayout.MODELOPT,
        static_activations=True,
    ),
    "nvfp4": _fmt(Quantization.NVFP4, WeightKind.NVFP4_GROUP, group_size=16),
    "mxfp4": _fmt(Quantization.MXFP4, WeightKind.MXFP4_GROUP, group_size=32),
}
"""Every storage that the planner knows, as the tools that write it do."""
