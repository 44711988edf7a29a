"""What vLLM's start-up profiling takes out of the budget, by version.

Source: ``vllm/v1/worker/gpu_worker.py`` determine_available_memory, ``vllm/utils/mem_utils.py``
memory_profiling, and the dummy runs of ``v1/worker/gpu_model_runner.py`` (first runner) and
``v1/worker/gpu/model_runner.py`` (second), read in each release.
"""

from __future__ import annotations

from typing import Final

from qwen3_planner.engines.versions import Ruling, Version
from qwen3_planner.engines.vllm.runners import Runner

UTILIZATION: Final = (
    Ruling(0.9, Version(0, 0), "PyPI vllm 0.8.5 vllm/config.py", "A"),
    Ruling(0.92, Version(0, 20), "PyPI vllm 0.20.0 vllm/config/cache.py", "A"),
)
"""Default of ``--gpu-memory-utilization``."""

GRAPHS_IN_BUDGET: Final = {
    Runner.V1: (
        Ruling(
            value=False,
            since=Version(0, 0),
            source="PyPI vllm 0.18.0 vllm/envs.py VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS 0",
            confidence="A",
        ),
        Ruling(
            value=True,
            since=Version(0, 20),
            source="PyPI vllm 0.20.0 vllm/envs.py VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS 1"
            " (its texts say 0.21.0)",
            confidence="A",
        ),
    ),
    Runner.V2: (
        Ruling(
            value=False,
            since=Version(0, 0),
            source="PyPI vllm 0.28.0 vllm/v1/worker/gpu/model_runner.py"
            " profile_cudagraph_memory returns 0",
            confidence="A",
        ),
        Ruling(
            value=True,
            since=Version(0, 29),
            source="PyPI vllm 0.29.0 vllm/v1/worker/gpu/cudagraph_utils.py"
            " profile_cudagraph_memory",
            confidence="A",
        ),
    ),
}
"""Whether an estimate of CUDA graphs is taken out of the budget before the KV pool, by runner."""

EXPERT_BUFFERS_STAY: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.13.0 vllm/model_executor/layers/fused_moe/fused_moe.py: caches of a"
        " pass are freed after it",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 14),
        source="PyPI vllm 0.14.0 vllm/v1/worker/workspace.py under fused_moe/modular_kernel.py",
        confidence="A",
    ),
)
"""Whether the fused experts' buffers stay allocated after the profile run."""

EXPERT_CHUNK_TOKENS: Final[tuple[Ruling[int | None], ...]] = (
    Ruling(
        32768,
        Version(0, 0),
        "PyPI vllm 0.8.5 vllm/envs.py VLLM_FUSED_MOE_CHUNK_SIZE (its default is 32768)",
        "A",
    ),
    Ruling(16384, Version(0, 12), "PyPI vllm 0.12.0 vllm/envs.py VLLM_FUSED_MOE_CHUNK_SIZE", "A"),
    Ruling(None, Version(0, 18), "PyPI vllm 0.18.0 vllm/envs.py: the variable is gone", "A"),
)
"""Tokens that the fused experts take at once; None: all of a step."""

SAMPLER_BYTES_PER_LOGIT: Final = {
    Runner.V1: (
        Ruling(
            38,
            Version(0, 0),
            "PyPI vllm 0.11.0 vllm/v1/sample/ops/topk_topp_sampler.py apply_top_k_top_p sorts;"
            " eight start-up logs of seven models agree to 0.01 GiB (0.11, H100;"
            " llm-d/llm-d-benchmark@2593348 config_explorer/empirical-vllm-memory-results.md)",
            "A",
        ),
        Ruling(
            14,
            Version(0, 17),
            "PyPI vllm 0.17.0 vllm/v1/sample/ops/topk_topp_sampler.py: a Triton kernel instead of"
            " the sort; bf16 logits, their fp32 copy, probabilities and noise",
            "A",
        ),
    ),
    Runner.V2: (
        Ruling(
            2,
            Version(0, 0),
            "PyPI vllm 0.32.0 vllm/v1/worker/gpu/model_runner.py _dummy_sampler_run: plain"
            " sampling, no fp32 copy",
            "A",
        ),
        Ruling(
            14,
            Version(0, 33),
            "PyPI vllm 0.33.0 vllm/v1/worker/gpu/model_runner.py _dummy_sampler_run: a second"
            " pass with every sampling parameter set",
            "B",
        ),
    ),
}
"""Peak of the dummy sampling step per row and vocabulary entry, by runner."""

PINNED_SEGMENTS_COUNT: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.26.0 vllm/utils/mem_utils.py: weights + torch peak + non-torch",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 27),
        source="PyPI vllm 0.27.0 vllm/utils/mem_utils.py total_consumed: free memory before less"
        " free memory after",
        confidence="A",
    ),
    Ruling(
        value=False,
        since=Version(0, 31),
        source="PyPI vllm 0.31.0 vllm/v1/worker/gpu_worker.py _scoped_allocator_max_split around"
        " the profile run",
        confidence="A",
    ),
)
"""Whether what the allocator cannot give back after the profile run is taken from the KV pool."""

CONSUMPTION_COUNTS: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI vllm 0.26.0 vllm/utils/mem_utils.py: the increase of torch's peak over what"
        " is allocated when profiling begins, so that nothing allocated between the weights and"
        " that is seen",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=Version(0, 27),
        source="PyPI vllm 0.27.0 vllm/utils/mem_utils.py total_consumed",
        confidence="A",
    ),
)
"""Whether what the runner allocates after the weights and before profiling takes from the KV
pool: the second runner's state of the sampler. A log of 0.27.1 states 0.27 GiB beside the weights,
one of 0.25.0 leaves room for none."""

FLASHINFER_SAMPLER_BYTES: Final[tuple[Ruling[int | None], ...]] = (
    Ruling(None, Version(0, 0), "PyPI vllm 0.8.5 vllm/v1/sample/ops/topk_topp_sampler.py", "A"),
    Ruling(
        14,
        Version(0, 9),
        "PyPI vllm 0.9.0 vllm/v1/sample/ops/topk_topp_sampler.py: FlashInfer where it is"
        " installed; a start-up log of the image of 0.10.2 states 0.54 GiB at 256 sequences",
        "A",
    ),
    Ruling(
        None,
        Version(0, 11, 1),
        "PyPI vllm 0.11.1 vllm/v1/sample/ops/topk_topp_sampler.py: only where it is asked for",
        "A",
    ),
)
"""Peak of the first runner's dummy sampling step where FlashInfer samples; None: it does not. The
image has it, an environment of one's own often not: the sort is planned, this is possible."""

ENCODER_PROFILED: Final = {
    Runner.V1: (
        Ruling(
            value=True,
            since=Version(0, 0),
            source="PyPI vllm 0.8.5 vllm/v1/worker/gpu_model_runner.py profile_run",
            confidence="A",
        ),
    ),
    Runner.V2: (
        Ruling(
            value=False,
            since=Version(0, 0),
            source="PyPI vllm 0.26.0 vllm/v1/worker/gpu/model_runner.py profile_run",
            confidence="A",
        ),
        Ruling(
            value=True,
            since=Version(0, 27),
            source="PyPI vllm 0.27.0 vllm/v1/worker/gpu/model_runner.py profile_run",
            confidence="A",
        ),
    ),
}
"""Whether the profile run encodes images as well, by runner."""

ENCODED_TOKENS: Final = (
    Ruling(
        204800,
        Version(0, 0),
        "PyPI vllm 0.12.0 vllm/model_executor/models/qwen3_vl.py get_max_video_tokens: 12.5 times"
        " the largest item, and the encoder's outputs are widened to that",
        "B",
    ),
    Ruling(
        16384,
        Version(0, 13),
        "PyPI vllm 0.13.0 vllm/model_executor/models/qwen3_vl.py get_max_video_tokens; logs of 0.26"
        " to 0.28 say a budget of 16384 tokens",
        "A",
    ),
)
"""Tokens of encoded images that the profile run keeps while the language model runs."""

OFFLOADS: Final = {
    Runner.V1: (
        Ruling(
            value=True,
            since=Version(0, 0),
            source="PyPI vllm 0.8.5 vllm/v1/worker/gpu_model_runner.py cpu_offload_gb",
            confidence="A",
        ),
    ),
    Runner.V2: (
        Ruling(
            value=False,
            since=Version(0, 0),
            source="PyPI vllm 0.27.1 vllm/v1/worker/gpu/model_runner.py sets no offloader: the"
            " flag is taken and nothing happens",
            confidence="A",
        ),
        Ruling(
            value=True,
            since=Version(0, 28),
            source="PyPI vllm 0.28.0 vllm/v1/worker/gpu/model_runner.py set_offloader",
            confidence="A",
        ),
    ),
}
"""Whether ``--cpu-offload-gb`` moves weights to host memory, by runner."""
