"""Which GPUs vLLM has kernels for, by weight format and version: data, each row with its source.

A row holds from its ``since`` until the next row's; the first also for anything older. Read in
every release from 0.8.5 to 0.33.0 (0.15 has no source on PyPI: what 0.16.0 is the first to show
may be 0.15's).
"""

from __future__ import annotations

from typing import Final, TypeAlias

from qwen3_planner.engines.versions import Ruling, Version

Capability: TypeAlias = tuple[int, int]
"""CUDA compute capability, (major, minor)."""

_FIRST: Final = Version(0, 0)
_LAYERS: Final = "vllm/model_executor/layers"

BF16_UNITS: Final[Capability] = (8, 0)
"""bf16 matrix units from here on. Source: PyPI vllm 0.8.5 vllm/v1/worker/gpu_worker.py; 0.33.0
vllm/platforms/cuda.py check_if_supports_dtype."""

FP8_UNITS: Final[Capability] = (8, 9)
"""FP8 matrix units from here on. Source: PyPI vllm 0.8.5 vllm/platforms/cuda.py supports_fp8."""

FP8_BLOCKS: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (8, 9),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/fp8.py: Marlin takes no blocks, Triton needs"
        " fp8e4nv",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 9),
        f"PyPI vllm 0.9.0 {_LAYERS}/quantization/utils/marlin_utils_fp8.py",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 14),
        f"PyPI vllm 0.14.0 {_LAYERS}/quantization/fp8.py get_min_capability",
        "A",
    ),
)
"""FP8 with one scale per block, dense layers and experts: weight-only below the FP8 units."""

FP8_EXPERTS: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (8, 9),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/fp8.py: experts have no Marlin kernel",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 9),
        f"PyPI vllm 0.9.0 {_LAYERS}/quantization/utils/marlin_utils_fp8.py"
        " prepare_moe_fp8_layer_for_marlin",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 14),
        f"PyPI vllm 0.14.0 {_LAYERS}/quantization/fp8.py get_min_capability",
        "A",
    ),
)
"""FP8 experts with one scale per channel or tensor."""

FP8_ONLINE: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (8, 0),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/fp8.py get_min_capability",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 14),
        f"PyPI vllm 0.14.0 {_LAYERS}/quantization/fp8.py get_min_capability",
        "A",
    ),
)
"""Dense layers made fp8 while loading, or fp8 by the method ``fp8`` without blocks."""

FP8_COMPRESSED: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (8, 0),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w8a16_fp8.py",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 16),
        f"PyPI vllm 0.16.0 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w8a16_fp8.py",
        "A",
    ),
)
"""Dense fp8 layers of compressed-tensors checkpoints: W8A8 from 8.9, weight-only below."""

FP8_MODELOPT: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (8, 9),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/modelopt.py ModelOptFp8Config",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 27),
        f"PyPI vllm 0.27.0 {_LAYERS}/quantization/modelopt.py ModelOptFp8Config",
        "A",
    ),
)
"""Fp8 with one scale per tensor, of ModelOpt checkpoints."""

INT8: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (7, 5),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w8a8_int8.py",
        "A",
    ),
)
"""INT8 weights and activations, dense layers."""

INT8_EXPERTS: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        None,
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/compressed_tensors/compressed_tensors_moe.py",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 9),
        "PyPI vllm 0.9.0 compressed_tensors_moe.py CompressedTensorsW8A8Int8MoEMethod",
        "A",
    ),
)
"""INT8 weights and activations, experts."""

INT8_BELOW: Final[Capability] = (10, 0)
"""INT8 weights and activations have no kernel from here on.

Source: docs.vllm.ai latest features/quantization/int8 (read 2026-11-23).
"""

INT4_AWQ: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (7, 5),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/awq.py; 0.33.0 auto_awq.py",
        "A",
    ),
)
"""AWQ: Marlin from 8.0 (7.5 since 0.14.0), plain kernels below."""

GPTQ: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (6, 0),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/gptq.py; 0.33.0 auto_gptq.py",
        "A",
    ),
)
"""GPTQ, 4 and 8 bit, dense: Marlin from 8.0 (7.5 since 0.14.0), exllama below."""

GPTQ_EXPERTS: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (7, 0),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/moe_wna16.py get_min_capability",
        "A",
    ),
)
"""GPTQ experts: Marlin, or the kernels of moe_wna16."""

WNA16_COMPRESSED: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (8, 0),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_wNa16.py",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 12),
        f"PyPI vllm 0.12.0 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_wNa16.py",
        "A",
    ),
)
"""Integer weights of compressed-tensors checkpoints with 16 bit activations."""

NVFP4_MODELOPT: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (10, 0),
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/modelopt.py ModelOptNvFp4Config",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 9),
        f"PyPI vllm 0.9.0 {_LAYERS}/quantization/utils/marlin_utils_fp4.py, dense and experts",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 14),
        f"PyPI vllm 0.14.0 {_LAYERS}/quantization/modelopt.py ModelOptNvFp4Config",
        "A",
    ),
)
"""NVFP4 of ModelOpt: native from 10.0, weight-only through Marlin below."""

NVFP4_COMPRESSED: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        None,
        _FIRST,
        f"PyPI vllm 0.8.5 {_LAYERS}/quantization/compressed_tensors/schemes: none for fp4",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 9),
        f"PyPI vllm 0.9.0 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w4a16_nvfp4.py",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 16),
        f"PyPI vllm 0.16.0 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w4a16_nvfp4.py",
        "A",
    ),
)
"""NVFP4 of compressed-tensors checkpoints, dense layers."""

NVFP4_COMPRESSED_EXPERTS: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        None,
        _FIRST,
        f"PyPI vllm 0.9.1 {_LAYERS}/quantization/compressed_tensors/compressed_tensors_moe.py",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 9, 2),
        "PyPI vllm 0.9.2 compressed_tensors_moe.py prepare_moe_fp4_layer_for_marlin",
        "A",
    ),
    Ruling(
        (7, 5),
        Version(0, 16),
        f"PyPI vllm 0.16.0 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w4a4_nvfp4.py (its attention layers)",
        "A",
    ),
)
"""NVFP4 of compressed-tensors checkpoints, experts."""

MXFP4: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        None,
        _FIRST,
        f"PyPI vllm 0.13.0 {_LAYERS}/quantization: mxfp4 is gpt-oss's alone",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 14),
        f"PyPI vllm 0.14.0 {_LAYERS}/quantization/compressed_tensors/schemes"
        "/compressed_tensors_w4a16_mxfp4.py; 0.33.0 compressed_tensors_w4a4_mxfp4.py",
        "A",
    ),
)
"""MXFP4 of compressed-tensors checkpoints, dense layers."""

MXFP4_EXPERTS: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        None,
        _FIRST,
        f"PyPI vllm 0.14.1 {_LAYERS}/quantization/compressed_tensors/compressed_tensors_moe.py",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 16),
        "PyPI vllm 0.16.0 compressed_tensors_moe.py CompressedTensorsW4A4Mxfp4MoEMethod",
        "A",
    ),
)
"""MXFP4 of compressed-tensors checkpoints, experts."""

SMALLEST_REFINED_BLOCK: Final = 32
"""Finer FP8 scales than this are not made. Source: PyPI vllm 0.29.0
vllm/model_executor/layers/fused_moe/oracle/fp8.py refine_fp8_moe_block_shape."""

WNA16_BLOCK: Final = 128
"""Block of moe_wna16's CUDA kernel, whatever the slice.

Source: PyPI vllm 0.12.0 vllm/model_executor/layers/fused_moe/fused_moe.py
get_moe_wna16_block_config.
"""

SMALLEST_WNA16_GROUP: Final = 32
"""Smallest group that moe_wna16 halves a scale group to.

Source: PyPI vllm 0.8.5 and 0.33.0 vllm/model_executor/layers/quantization/moe_wna16.py.
"""

MARLIN_ROWS: Final = 64
MARLIN_COLUMNS: Final = 128
"""Tile of the Marlin kernels: outputs, and inputs of a dense layer.

Source: PyPI vllm 0.8.5 and 0.33.0 vllm/model_executor/layers/quantization/utils/marlin_utils.py.
"""

FP8_KV: Final[tuple[Ruling[Capability | None], ...]] = (
    Ruling(
        (7, 0),
        _FIRST,
        "PyPI vllm 0.8.5 and 0.10.2 vllm/engine/arg_utils.py: the V0 engine takes it where the"
        " V1 engine's FlashAttention does not",
        "A",
    ),
    Ruling(
        (8, 9),
        Version(0, 11),
        "PyPI vllm 0.11.0 vllm/platforms/cuda.py get_attn_backend_cls: Triton, which needs fp8e4nv",
        "A",
    ),
    Ruling(
        (8, 0),
        Version(0, 11, 1),
        "PyPI vllm 0.11.1 vllm/platforms/cuda.py: FlashInfer is tried before Triton; it is broken"
        " on 7.5 (github.com/flashinfer-ai/flashinfer/issues/3620)",
        "A",
    ),
)
"""An fp8 KV cache: FlashAttention from 9.0, Triton from 8.9, FlashInfer from 8.0."""

FLASH_ATTENTION_FP8_MAJORS: Final = (9,)
"""Compute capability majors on which V1's default backend took an fp8 KV cache before 0.11.

Source: PyPI vllm 0.10.2 vllm/attention/utils/fa_utils.py flash_attn_supports_fp8.
"""
