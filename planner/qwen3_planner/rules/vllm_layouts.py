"""What vLLM asks of a layout, and what should be known of one that it takes.

In the order it is asked; sources as in :mod:`qwen3_planner.rules.vllm`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import Version
from qwen3_planner.rules import (
    captured_graphs,
    fp8_blocks,
    int_groups,
    kv_caches,
    layouts,
    quantized,
    releases,
)
from qwen3_planner.rules.rule import Rule, on_pool

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts

_LAYERS: Final = "vllm/model_executor/layers"
_FP8_EXPERTS: Final = (
    "The output_size of gate's and up's weight = 192 is not divisible by weight quantization"
    " block_n = 128."
)
_MARLIN: Final = f"{_LAYERS}/quantization/utils/marlin_utils.py"

_SHAPES: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "AttentionHeadDivisibility",
        layouts.attention_heads_divide,
        source="PyPI vllm 0.8.5 vllm/config.py; 0.33.0 vllm/config/model.py",
        said="Total number of attention heads (64) must be divisible by tensor parallel size (3).",
    ),
    Rule(
        "KvHeadDivisibility",
        layouts.kv_heads_divide_or_replicate,
        source="PyPI vllm 0.8.5 and 0.33.0 vllm/model_executor/models/qwen3.py",
        said="a bare AssertionError of the attention layer",
    ),
    Rule(
        "VocabularyDivisibility",
        layouts.vocabulary_divides,
        source="PyPI vllm 0.33.0 vllm/distributed/utils.py ensure_divisibility",
        said="151936 is not divisible by 3",
    ),
    Rule(
        "LinearHeadDivisibility",
        layouts.linear_heads_divide,
        source=f"PyPI vllm 0.10.2 vllm/model_executor/models/qwen3_next.py; 0.33.0 {_LAYERS}"
        "/mamba/gdn/qwen_gdn_linear_attn.py",
        said="32 is not divisible by 3",
    ),
    Rule(
        "ImageEncoderDivisibility",
        layouts.image_encoder_divides,
        source="PyPI vllm 0.11.0 and 0.33.0 vllm/model_executor/models/qwen3_vl.py (from 0.10.2 on"
        " --mm-encoder-tp-mode data leaves the encoder whole)",
        said="16 is not divisible by 32",
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
        source=f"PyPI vllm 0.33.0 {_LAYERS}/fused_moe/config.py FusedMoEParallelConfig.make",
        said="--enable-expert-parallel takes no size",
    ),
    Rule(
        "TensorParallelExceedsExperts",
        layouts.every_rank_has_an_expert,
        source="PyPI vllm 0.8.4 and 0.33.0 vllm/model_executor/models/qwen3_moe.py",
        said="Tensor parallel size 256 is greater than the number of experts 128.",
    ),
    Rule(
        "InnerSizeDivisibility",
        layouts.inner_size_divides,
        source="PyPI vllm 0.33.0 vllm/distributed/utils.py divide",
        said="17408 is not divisible by 40",
    ),
    Rule(
        "PipelineExceedsLayers",
        layouts.every_stage_has_a_layer,
        source="PyPI vllm 0.33.0 vllm/distributed/utils.py get_pp_indices",
        said="starts, and fails where a stage without a layer is asked",
    ),
)
"""How shapes divide."""

_FORMATS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "FP8BlockAlignment",
        fp8_blocks.fp8_blocks_divide_dense_layers,
        source=f"PyPI vllm 0.8.5 {_LAYERS}/quantization/fp8.py; 0.33.0"
        f" {_LAYERS}/quantization/utils/fp8_utils.py validate_fp8_block_shape;"
        " github.com/vllm-project/vllm/pull/52915 would pad",
        said="Weight input_size_per_partition = 64 is not divisible by weight quantization"
        " block_k = 128.",
    ),
    Rule(
        "FP8BlockAlignment",
        fp8_blocks.fp8_blocks_divide_experts,
        source=f"PyPI vllm 0.8.5 and 0.28.0 {_LAYERS}/quantization/fp8.py",
        said=_FP8_EXPERTS,
        until=Version(0, 29),
    ),
    Rule(
        "FP8BlockAlignment",
        fp8_blocks.fp8_blocks_divide_or_can_be_refined,
        source=f"PyPI vllm 0.29.0 and 0.33.0 {_LAYERS}/fused_moe/oracle/fp8.py"
        " refine_fp8_moe_block_shape; Marlin's experts take 128 only",
        said="No FP8 MoE backend supports the deployment configuration.",
        since=Version(0, 29),
    ),
    Rule(
        "FP8BlockAlignment",
        fp8_blocks.online_blocks_divide_experts,
        source=f"PyPI vllm 0.24.0 and 0.25.0 {_LAYERS}/quantization/online/fp8.py;"
        " github.com/vllm-project/vllm/pull/44763",
        said="an error of the Triton experts",
        until=Version(0, 25),
    ),
    Rule(
        "ScaleGroupAlignment",
        int_groups.groups_divide_dense_layers,
        source=f"PyPI vllm 0.8.5 and 0.33.0 {_MARLIN}; 0.33.0"
        f" {_LAYERS}/quantization/auto_awq.py, modelopt.py",
        said="Weight input_size_per_partition = 1216 is not divisible by group_size = 128.",
    ),
    Rule(
        "ScaleGroupAlignment",
        int_groups.groups_divide_experts,
        source=f"PyPI vllm 0.8.5 and 0.33.0 {_LAYERS}/quantization/moe_wna16.py",
        said="AssertionError: assert group_size >= 32",
    ),
    Rule(
        "MarlinTileAlignment",
        int_groups.marlin_tiles_divide_dense_layers,
        source=f"PyPI vllm 0.23.0 and 0.24.0 {_MARLIN} check_marlin_supports_layer",
        said="Weight input_size_per_partition = 96 is not divisible by min_thread_k = 128. Consider"
        " reducing tensor_parallel_size or running with --quantization gptq.",
        until=Version(0, 24),
    ),
    Rule(
        "MarlinTileAlignment",
        int_groups.fp4_tiles_divide_experts,
        source=f"PyPI vllm 0.23.0 {_MARLIN} check_moe_marlin_supports_layer; 0.24.0 {_LAYERS}"
        "/quantization/utils/marlin_utils_fp4.py",
        said="an error of the Marlin kernel",
        until=Version(0, 24),
    ),
    Rule(
        "Wna16BlockAlignment",
        int_groups.wna16_block_divides_experts,
        source=f"PyPI vllm 0.12.0 and 0.13.0 {_LAYERS}/fused_moe/fused_moe.py"
        " get_moe_wna16_block_config; github.com/vllm-project/vllm/issues/17604",
        said="RuntimeError: size_k must divisible by BLOCK_SIZE_K",
        until=Version(0, 13),
    ),
)
"""How weight formats divide."""

_RANKS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "RerankerTensorParallel",
        releases.reranker_head_is_not_cut,
        source="PyPI vllm 0.9.2 and 0.10.0 vllm/model_executor/models/adapters.py;"
        " github.com/vllm-project/vllm/issues/20670, pull/20682",
        said="The size of tensor a (1280) must match the size of tensor b (2560) at non-singleton"
        " dimension 1",
        until=Version(0, 10),
    ),
    Rule(
        "LoraWithExpertParallel",
        releases.adapters_go_without_expert_parallel,
        source="PyPI vllm 0.11.1 and 0.21.0 vllm/lora/layers/fused_moe.py",
        said="EP support for Fused MoE LoRA is not implemented yet.",
        since=Version(0, 11, 1),
        until=Version(0, 21),
    ),
    Rule(
        "FullyShardedLora",
        releases.slots_are_shared_out,
        source="PyPI vllm 0.8.5 and 0.32.0 vllm/lora/layers/base_linear.py create_lora_weights;"
        " 0.32.0 vllm/lora/layers/fused_moe.py _verify_ep_fs",
        said="AssertionError: 8 is not divisible by 16",
    ),
    Rule(
        "MultiNodeNeedsNewerEngine",
        layouts.nodes_need_no_ray,
        source="PyPI vllm 0.11.0 and 0.11.1 vllm/engine/arg_utils.py --nnodes",
        said="unrecognized arguments: --nnodes 2",
        until=Version(0, 11, 1),
    ),
    Rule(
        "NodesDivideDataRanks",
        layouts.nodes_hold_whole_data_ranks,
        source="PyPI vllm 0.11.1 and 0.33.0 vllm/config/parallel.py nnodes_within_dp",
        said="nnodes (3) must be divisible by the number of data parallel nodes (2)",
        since=Version(0, 11, 1),
    ),
    Rule(
        "NodesDivideDataRanks",
        layouts.ray_places_whole_data_ranks,
        source="PyPI vllm 0.9.2 and 0.33.0 vllm/v1/engine/utils.py create_dp_placement_groups",
        said="Not enough resources to allocate 2 placement groups",
    ),
)
"""How ranks work together."""

VLLM_CHAIN: Final = (layouts.ONE_SLICE, *_SHAPES, *_FORMATS, *_RANKS)
"""What must hold for a layout."""

VLLM_CAUTIONS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "Fp8ScalesRefined",
        fp8_blocks.refined_scales_leave_one_backend,
        source=f"PyPI vllm 0.29.0 and 0.33.0 {_LAYERS}/fused_moe/oracle/fp8.py",
        said="FP8 MoE block scales refined from [128, 128] to [64, 64] to fit the TP-sharded"
        " intermediate size 192.",
        since=Version(0, 29),
    ),
    Rule(
        "Fp8BlocksPadded",
        fp8_blocks.padded_blocks_cost_memory,
        source=f"PyPI vllm 0.25.0 {_LAYERS}/quantization/online/fp8.py maybe_roundup_sizes",
        said="pads without a word",
        since=Version(0, 25),
    ),
    Rule(
        "Wna16Experts",
        int_groups.wna16_experts_are_slow,
        source=f"PyPI vllm 0.33.0 {_LAYERS}/quantization/auto_gptq.py, auto_awq.py",
        said="Layer '{name}' is not supported by GPTQMoeMarlin. Falling back to Moe WNA16 kernels.",
    ),
    Rule(
        "Fp4WeightOnly",
        on_pool(quantized.fp4_is_multiplied_as_16_bit),
        source="PyPI vllm 0.9.0 and 0.33.0 vllm/model_executor/kernels/linear/nvfp4/marlin.py",
        said="Your GPU does not have native support for FP4 computation but FP4 quantization is"
        " being used.",
        since=Version(0, 9),
    ),
    Rule(
        "KvHeadsCopied",
        layouts.copied_kv_heads_hold_no_more,
        source="PyPI vllm 0.8.5 and 0.33.0 vllm/model_executor/models/qwen3.py",
        said="copies without a word",
    ),
    Rule(
        "GraphsBesideBudget",
        captured_graphs.graphs_find_room_beside_the_budget,
        source="PyPI vllm 0.20.2 and 0.21.0 vllm/envs.py VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS;"
        " github.com/vllm-project/vllm/issues/18446",
        said="torch.OutOfMemoryError: CUDA out of memory.",
        until=Version(0, 21),
    ),
    Rule(
        "FirstEngineTakesOver",
        kv_caches.old_engine_takes_over,
        source="PyPI vllm 0.8.5 and 0.10.2 vllm/engine/arg_utils.py _is_v1_supported_oracle",
        said="--kv-cache-dtype is not supported by the V1 Engine. Falling back to V0.",
        until=Version(0, 11),
    ),
)
"""What should be known of a layout that is legal."""
