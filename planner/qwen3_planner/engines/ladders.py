"""Which weight formats an engine serves, and in which order ``auto`` tries them."""

from __future__ import annotations

from typing import Final

from qwen3_planner.request import EngineName, Quantization

_GGUF: Final = tuple(quantization for quantization in Quantization if quantization.is_gguf)

_RANK_FORMATS: Final = (
    Quantization.BF16,
    Quantization.FP16,
    Quantization.FP8,
    Quantization.FP8_STATIC,
    Quantization.INT8,
    Quantization.GPTQ_INT8,
    Quantization.NVFP4,
    Quantization.MXFP4,
    Quantization.AWQ_INT4,
    Quantization.GPTQ_INT4,
)

PRECISION: Final = (*_RANK_FORMATS, *_GGUF)
"""Every format; within those of one engine the most precise first."""

SERVED: Final = {
    EngineName.VLLM: _RANK_FORMATS,
    EngineName.SGLANG: _RANK_FORMATS,
    EngineName.LLAMACPP: _GGUF,
}
"""What each engine serves, most precise first. vLLM has no GGUF: 0.32 parses the name and then
fails with "Unknown quantization method", 0.33 lacks it."""

LADDERS: Final = {
    EngineName.VLLM: (
        Quantization.BF16,
        Quantization.FP8,
        Quantization.AWQ_INT4,
        Quantization.GPTQ_INT4,
    ),
    EngineName.SGLANG: (
        Quantization.BF16,
        Quantization.FP8,
        Quantization.AWQ_INT4,
        Quantization.GPTQ_INT4,
    ),
    EngineName.LLAMACPP: (
        Quantization.GGUF_Q8_0,
        Quantization.GGUF_Q6_K,
        Quantization.GGUF_Q5_K_M,
        Quantization.GGUF_Q4_K_M,
        Quantization.GGUF_Q3_K_M,
        Quantization.GGUF_Q2_K,
    ),
}
"""What ``auto`` tries: the formats with official checkpoints, most precise first."""


def ladder_of(engine: EngineName) -> tuple[Quantization, ...]:
    """Return what ``auto`` tries on an engine, most precise first.

    >>> [str(quantization) for quantization in ladder_of(EngineName.VLLM)]
    ['bf16', 'fp8', 'awq-int4', 'gptq-int4']
    """
    return LADDERS[engine]


def serves(engine: EngineName, quantization: Quantization) -> bool:
    """Whether an engine has any way to serve a format.

    >>> serves(EngineName.VLLM, Quantization.GGUF_Q4_K_M)
    False
    """
    return quantization in SERVED[engine]
