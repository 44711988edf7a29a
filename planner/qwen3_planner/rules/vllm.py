"""What vLLM asks, in the order it is judged here: a rule a line, with its versions and source.

"PyPI vllm A.B.C path" is the first release in which the text was read, or the last one; every
release from 0.8.4 to 0.33.0 was searched for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.rules import layouts, quantized, serving
from qwen3_planner.rules.rule import Rule

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts

VLLM_POOL_CHAIN: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "EngineUnsupportedHere",
        serving.engine_runs_here,
        source="PyPI vllm 0.33.0 vllm/platforms",
        said="its images are for NVIDIA and AMD GPUs",
    ),
    Rule(
        "ContextTooLong",
        serving.context_is_within_yarn,
        source="QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md",
        said="starts, and answers badly beyond what Qwen validated",
    ),
    Rule(
        "RequestExceedsContext",
        serving.request_is_within_context,
        source="PyPI vllm 0.33.0 vllm/renderers",
        said="This model's maximum context length is {n} tokens.",
    ),
    Rule(
        "Bfloat16Unsupported",
        quantized.bf16_weights_need_bf16_units,
        source="PyPI vllm 0.8.5 vllm/v1/worker/gpu_worker.py; 0.33.0 vllm/platforms/cuda.py",
        said="Bfloat16 is only supported on GPUs with compute capability of at least 8.0.",
    ),
    Rule(
        "ComputeCapability",
        quantized.quantized_kernels_exist,
        source="PyPI vllm 0.33.0 vllm/model_executor/layers/quantization get_min_capability",
        said="The quantization method {q} is not supported for the current GPU.",
    ),
    Rule(
        "Fp8KvCacheCapability",
        quantized.fp8_kv_cache_has_a_backend,
        source="PyPI vllm 0.33.0 vllm/v1/attention/backends",
        said="FP8 KV cache is not supported by the Triton attention backend on {gpu}",
    ),
    Rule(
        "SchedulerTokenBudget",
        serving.scheduler_step_holds_every_sequence,
        source="PyPI vllm 0.8.5 vllm/config.py; 0.33.0 vllm/config/scheduler.py",
        said="max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (256).",
    ),
)
"""What must hold for a weight format on a pool, whatever the layout."""

VLLM_CHAIN: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "AttentionHeadDivisibility",
        layouts.attention_heads_divide,
        source="PyPI vllm 0.8.5 vllm/config.py; 0.33.0 vllm/config/model.py",
        said="Total number of attention heads (64) must be divisible by tensor parallel size (3).",
    ),
    Rule(
        "KvHeadDivisibility",
        layouts.kv_heads_divide_or_replicate,
        source="PyPI vllm 0.8.5 vllm/model_executor/models/qwen3.py; 0.33.0 the same",
        said="a bare AssertionError of the attention layer",
    ),
    Rule(
        "VocabularyDivisibility",
        layouts.vocabulary_divides,
        source="PyPI vllm 0.33.0 vllm/distributed/utils.py ensure_divisibility",
        said="151936 is not divisible by 3",
    ),
    Rule(
        "ExpertParallelNeedsExperts",
        layouts.expert_parallel_needs_experts,
        source="PyPI vllm 0.8.5 vllm/config.py; 0.33.0 vllm/config/model.py",
        said="Number of experts in the model must be greater than 0 when expert parallelism is"
        " enabled.",
    ),
    Rule(
        "ExpertParallelGroup",
        layouts.expert_group_is_tensor_times_data,
        source="PyPI vllm 0.33.0 vllm/model_executor/layers/fused_moe/config.py"
        " FusedMoEParallelConfig.make",
        said="--enable-expert-parallel takes no size",
    ),
    Rule(
        "TensorParallelExceedsExperts",
        layouts.every_rank_has_an_expert,
        source="PyPI vllm 0.8.4 vllm/model_executor/models/qwen3_moe.py; 0.33.0 the same",
        said="Tensor parallel size 256 is greater than the number of experts 128.",
    ),
    Rule(
        "InnerSizeDivisibility",
        layouts.inner_size_divides,
        source="PyPI vllm 0.33.0 vllm/distributed/utils.py divide",
        said="17408 is not divisible by 40",
    ),
    Rule(
        "FP8BlockAlignment",
        quantized.fp8_blocks_divide,
        source="PyPI vllm 0.8.5 vllm/model_executor/layers/quantization/fp8.py; 0.33.0"
        " layers/quantization/utils/fp8_utils.py",
        said="The output_size of gate's and up's weight = 192 is not divisible by weight"
        " quantization block_n = 128.",
    ),
    Rule(
        "MarlinTileAlignment",
        quantized.marlin_tiles_divide,
        source="PyPI vllm 0.33.0 vllm/model_executor/layers/quantization/utils/marlin_utils.py",
        said="Weight input_size_per_partition = 192 is not divisible by group_size = 128.",
    ),
    Rule(
        "PipelineExceedsLayers",
        layouts.every_stage_has_a_layer,
        source="PyPI vllm 0.33.0 vllm/distributed/utils.py get_pp_indices",
        said="starts, and fails where a stage without a layer is asked",
    ),
)
"""What must hold for a layout."""

VLLM_CAUTIONS: Final[tuple[Rule[LayoutFacts], ...]] = ()
"""What should be known of a layout that is legal."""
