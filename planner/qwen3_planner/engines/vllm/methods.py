"""Names of quantization methods and KV cache types that a version's parser takes.

Source: ``vllm/model_executor/layers/quantization/__init__.py`` and the CacheDType of
``vllm/config/cache.py`` (``config.py`` before 0.10.1) of each release.
"""

from __future__ import annotations

from typing import Final

from qwen3_planner.engines.versions import Ruling, Version, ruling_at

_INIT: Final = "vllm/model_executor/layers/quantization/__init__.py"

_SINCE_0_8_5: Final = frozenset(
    [
        "aqlm",
        "awq",
        "awq_marlin",
        "bitblas",
        "bitsandbytes",
        "compressed-tensors",
        "deepspeedfp",
        "experts_int8",
        "fbgemm_fp8",
        "fp8",
        "gguf",
        "gptq",
        "gptq_bitblas",
        "gptq_marlin",
        "gptq_marlin_24",
        "hqq",
        "ipex",
        "marlin",
        "modelopt",
        "moe_wna16",
        "neuron_quant",
        "nvfp4",
        "ptpc_fp8",
        "qqq",
        "quark",
        "torchao",
        "tpu_int8",
    ]
)

_CHANGES: Final = (
    (Version(0, 9), "auto-round modelopt_fp4", "nvfp4"),
    (Version(0, 9, 2), "rtn", ""),
    (Version(0, 10), "inc", ""),
    (Version(0, 10, 1), "mxfp4", "aqlm"),
    (Version(0, 10, 2), "petit_nvfp4", "marlin neuron_quant qqq"),
    (Version(0, 11, 1), "fp_quant", ""),
    (Version(0, 12), "cpu_gptq cpu_awq", ""),
    (Version(0, 14), "", "tpu_int8 cpu_gptq"),
    (
        Version(0, 16),
        "modelopt_mxfp8",
        "auto-round bitblas deepspeedfp gptq_bitblas gptq_marlin_24 hqq ipex rtn",
    ),
    (Version(0, 17), "modelopt_mixed", ""),
    (Version(0, 19), "mxfp8", "ptpc_fp8"),
    (
        Version(0, 20),
        (
            "humming gpt_oss_mxfp4 deepseek_v4_fp8 online fp8_per_tensor fp8_per_block"
            " int8_per_channel_weight_only"
        ),
        "petit_nvfp4",
    ),
    (Version(0, 22), "auto_gptq", ""),
    (Version(0, 23), "", "cpu_awq"),
    (Version(0, 24), "auto_awq fp8_per_channel", "gguf"),
    (Version(0, 26), "nvfp4_per_token", ""),
    (Version(0, 28), "", "bitsandbytes"),
)
"""(release, what it added, what it took away)."""


def _rulings() -> tuple[Ruling[frozenset[str]], ...]:
    names = _SINCE_0_8_5
    rulings = [Ruling(names, Version(0, 0), f"PyPI vllm 0.8.5 {_INIT}", "A")]
    for since, added, gone in _CHANGES:
        names = (names | set(added.split())) - set(gone.split())
        rulings.append(Ruling(names, since, f"PyPI vllm {since} {_INIT}", "A"))
    return tuple(rulings)


QUANTIZATION_METHODS: Final = _rulings()
"""Values of ``--quantization``; the method of a checkpoint must be among them as well."""


def knows_method(method: str, version: Version) -> bool:
    """Whether a version has a quantization method of that name.

    >>> [knows_method("gguf", Version(0, minor)) for minor in (23, 24)]
    [True, False]
    """
    return method in ruling_at(QUANTIZATION_METHODS, version).value
