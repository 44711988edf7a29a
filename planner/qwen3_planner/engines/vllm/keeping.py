"""What vLLM's kernels keep of the weights, by GPU and version: data, each row with its source."""

from __future__ import annotations

from typing import Final

from qwen3_planner.engines.versions import Ruling, Version

ADA: Final = (8, 9)
"""Compute capability of the cards with FP8 units for whose blocks neither DeepGEMM nor CUTLASS has
a kernel. Source: PyPI vllm 0.33.0 vllm/utils/deep_gemm.py; vllm-project/vllm csrc/quantization/w8a8
/cutlass/scaled_mm_entry.cu cutlass_scaled_mm_supports_block_fp8."""

MARLIN_TAKES_FP8_BLOCKS: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.28.0 vllm/model_executor/kernels/linear/scaled_mm/marlin.py: refused"
        " from 8.9 on, Triton takes them",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 29),
        source="PyPI vllm 0.29.0 vllm/model_executor/kernels/linear/scaled_mm/marlin.py, before"
        " Triton in _POSSIBLE_FP8_BLOCK_KERNELS; seen in 0.32.0 (tests/engine)",
        confidence="A",
    ),
)
"""Whether Marlin holds the FP8 blocks of dense layers on capability 8.9, scales once per row."""

MACHETE_CAPABILITY: Final = (9, 0)
"""The one compute capability that Machete runs on. Source: PyPI vllm 0.33.0
vllm/model_executor/kernels/linear/mixed_precision/machete.py."""

MACHETE_TAKES_AWQ: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.18.0 vllm/model_executor/layers/quantization/awq_marlin.py",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 19),
        source="PyPI vllm 0.19.0 vllm/model_executor/layers/quantization/awq_marlin.py"
        " choose_mp_linear_kernel; seen in 0.32.0 (tests/engine)",
        confidence="A",
    ),
)
"""Whether Machete holds AWQ weights on capability 9.0, as it does GPTQ's: zero points in 16 bit."""

VISION_POSITIONS: Final = (
    Ruling(
        4,
        Version(0, 0),
        "PyPI vllm 0.11.0 vllm/model_executor/layers/rotary_embedding/mrope.py",
        "A",
    ),
    Ruling(
        1,
        Version(0, 32),
        "PyPI vllm 0.32.0 vllm/model_executor/models/qwen3_vl.py mrope_positions_factor; seen in"
        " 0.32.0 (tests/engine)",
        "A",
    ),
)
"""Rows of the rotary table for each position where positions have three axes (video pruning aside,
which keeps 4)."""

STATES_PER_GROUP: Final = (
    Ruling(
        1,
        Version(0, 0),
        "PyPI vllm 0.25.0 vllm/config/model.py is_prefix_caching_supported: no hybrid model; 0.9.2"
        " vllm/v1/kv_cache_interface.py MambaSpec",
        "A",
    ),
    Ruling(
        2,
        Version(0, 26),
        "PyPI vllm 0.26.0 vllm/config/model.py is_prefix_caching_supported; vllm/v1"
        "/kv_cache_interface.py MambaSpec max_memory_usage_bytes, mode align; seen in 0.32.0"
        " (tests/engine)",
        "A",
    ),
)
"""Blocks that a sequence takes for each group of layers with a state of fixed size: one, and where
prefixes of hybrid models are cached by default one to go on from."""

CACHE_FOLLOWS_FILES: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.13.0 vllm/utils/torch_utils.py: auto is the model's own type",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 14),
        source="PyPI vllm 0.14.0 vllm/utils/torch_utils.py resolve_kv_cache_dtype_string; seen in"
        " 0.32.0 (tests/engine)",
        confidence="A",
    ),
)
"""Whether the KV cache is fp8 by itself where the files of the weights hold scales for it."""
