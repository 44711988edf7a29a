"""What SGLang asks, in the order it is judged here: a rule a line, with its versions and source.

"PyPI sglang A.B.C path" is the release that was read last before a change, or first after it; every
release from 0.4.6.post1 to 0.5.23 was searched for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.sglang.kernels import (
    ALL_KERNELS,
    CHANNEL_EXPERTS_FIT_SINCE,
    INT4_NEEDS_VLLM_UNTIL,
)
from qwen3_planner.engines.versions import Version
from qwen3_planner.rules import layouts, serving, sglang_formats, sglang_layouts
from qwen3_planner.rules.rule import Rule, on_pool

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts

_MODELS: Final = "sglang/srt/models"
_LAYERS: Final = "sglang/srt/layers"

SGLANG_POOL_CHAIN: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "EngineUnsupportedHere",
        sglang_formats.engine_runs_here,
        source="hub.docker.com/r/lmsysorg/sglang; docs.sglang.io get-started/install",
        said="has images for NVIDIA and AMD GPUs",
    ),
    Rule(
        "ModelNeedsNewerEngine",
        sglang_formats.model_is_known,
        source=f"PyPI sglang 0.5.3 {_MODELS}/qwen3_vl.py; 0.5.3.post3 {_MODELS}/qwen3_next.py;"
        " 0.5.8 sglang/srt/entrypoints/openai/serving_rerank.py",
        said="Model architectures ['Qwen3VLForConditionalGeneration'] are not supported for now.",
        until=Version(0, 5, 8),
    ),
    Rule(
        "SettingUnsupported",
        sglang_formats.weights_are_no_gguf,
        source=f"PyPI sglang 0.5.23 {_LAYERS}/quantization/gguf.py",
        said="gguf quantization requires some operators from vllm.",
    ),
    Rule(
        "SettingUnsupported",
        sglang_formats.tuning_is_planned,
        source="PyPI sglang 0.5.23 sglang/srt/speculative",
        said="serves them; what they take is not known here",
    ),
    Rule(
        "LoraNeedsNewerEngine",
        sglang_formats.adapters_go_with_the_prefix_cache,
        source="PyPI sglang 0.4.10.post2 and 0.5.1 sglang/srt/server_args.py"
        " check_lora_server_args",
        said="compatibility of lora and radix attention is in progress",
        until=Version(0, 5, 1),
    ),
    Rule(
        "SettingUnsupported",
        sglang_formats.adapters_are_planned,
        source="PyPI sglang 0.5.23 sglang/srt/lora/mem_pool.py",
        said="serves some of them; what they take is not known here",
    ),
    Rule(
        "SettingUnsupported",
        sglang_formats.ranks_find_each_other,
        source="PyPI sglang 0.5.23 sglang/srt/server_args.py --nnodes, --dist-init-addr",
        said="starts its ranks itself",
    ),
    Rule(
        "ContextTooLong",
        serving.context_is_within_yarn,
        source="QwenLM/Qwen3@7a2f61f docs/source/deployment/sglang.md",
        said="starts, and answers badly beyond what Qwen validated",
    ),
    Rule(
        "RequestExceedsContext",
        serving.request_is_within_context,
        source="PyPI sglang 0.5.23 sglang/srt/managers/tokenizer_manager.py",
        said="The input (41000 tokens) is longer than the model's context length (40960 tokens).",
    ),
    Rule(
        "ComputeCapability",
        sglang_formats.gpu_is_new_enough,
        source="PyPI sglang 0.4.6.post1 sglang/srt/model_executor/model_runner.py; 0.5.23"
        " sglang/srt/model_executor/model_runner_components/load_model_utils.py",
        said="SGLang only supports sm75 and above.",
    ),
    Rule(
        "QuantizationNeedsNewerEngine",
        sglang_formats.version_has_kernels,
        source="github.com/sgl-project/sglang/issues/6000, /7583; each table of"
        " planner/qwen3_planner/engines/sglang/kernels.py names the file",
        said="Tensor model parallel group is not initialized",
        bounds=ALL_KERNELS,
    ),
    Rule(
        "ComputeCapability",
        sglang_formats.gpu_has_kernels,
        source="github.com/sgl-project/sglang/issues/5871; each table of"
        " planner/qwen3_planner/engines/sglang/kernels.py names the file",
        said="type fp8e4nv not supported in this architecture. The supported fp8 dtypes are"
        " ('fp8e4b15', 'fp8e5')",
        bounds=ALL_KERNELS,
    ),
    Rule(
        "SharedMemory",
        sglang_formats.channel_experts_fit_shared_memory,
        source="github.com/sgl-project/sglang/issues/5995",
        said="out of resource: shared memory, Required: 163840, Hardware limit: 101376",
        until=CHANNEL_EXPERTS_FIT_SINCE,
    ),
    Rule(
        "KvCacheDtypeUnsupported",
        sglang_formats.kv_cache_type_is_known,
        source="PyPI sglang 0.5.23 sglang/srt/arg_groups/fields/model.py kv_cache_dtype",
        said="argument --kv-cache-dtype: invalid choice: 'q8_0'",
    ),
    Rule(
        "Fp8KvCacheCapability",
        sglang_formats.fp8_cache_has_a_backend,
        source="PyPI sglang 0.5.23 sglang/srt/layers/attention/flashinfer_backend.py",
        said="type fp8e4nv not supported in this architecture",
    ),
    Rule(
        "ChunkedPrefillPages",
        sglang_formats.prefill_is_whole_pages,
        source="PyPI sglang 0.5.23 sglang/srt/arg_groups/validation_hook.py",
        said="chunked_prefill_size must be divisible by page_size",
    ),
)
"""What must hold for a weight format on a pool, whatever the layout."""

_DIVISIONS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "AttentionHeadDivisibility",
        layouts.attention_heads_divide,
        source=f"PyPI sglang 0.4.6.post1 and 0.5.23 {_MODELS}/qwen3.py, qwen3_moe.py",
        said="a bare AssertionError of the attention layer",
    ),
    Rule(
        "KvHeadDivisibility",
        layouts.kv_heads_divide_or_replicate,
        source=f"PyPI sglang 0.4.6.post1 and 0.5.23 {_MODELS}/qwen3.py, qwen3_moe.py",
        said="a bare AssertionError of the attention layer",
    ),
    Rule(
        "LinearHeadDivisibility",
        layouts.linear_heads_divide,
        source=f"PyPI sglang 0.5.23 {_MODELS}/qwen3_next.py",
        said="a bare AssertionError of the attention layer",
    ),
    Rule(
        "ImageEncoderDivisibility",
        layouts.image_encoder_divides,
        source=f"PyPI sglang 0.5.23 {_MODELS}/qwen3_vl.py, {_LAYERS}/attention/vision.py",
        said="16 is not divisible by 3",
    ),
    Rule(
        "VocabularyDivisibility",
        sglang_layouts.vocabulary_divides,
        source=f"PyPI sglang 0.5.23 {_LAYERS}/vocab_parallel_embedding.py",
        said="151936 is not divisible by 3",
    ),
)

_GROUPS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "ExpertParallelNeedsExperts",
        layouts.expert_parallel_needs_experts,
        source="PyPI sglang 0.5.23 sglang/srt/arg_groups/parallel_hook.py",
        said="starts, and spreads nothing",
    ),
    Rule(
        "LayoutNeedsNewerEngine",
        sglang_layouts.experts_are_not_spread,
        source=f"PyPI sglang 0.4.6.post2 {_MODELS}/qwen3_moe.py EPMoE",
        said="ignores --enable-ep-moe",
        until=Version(0, 4, 6, 2),
    ),
    Rule(
        "ExpertParallelGroup",
        sglang_layouts.expert_group_is_all_ranks,
        source=f"PyPI sglang 0.4.10.post2 and 0.5.1 {_LAYERS}/moe/ep_moe/layer.py",
        said="--enable-ep-moe takes no size",
        until=Version(0, 5, 1),
    ),
    Rule(
        "ExpertParallelGroup",
        sglang_layouts.expert_group_divides,
        source=f"PyPI sglang 0.5.23 {_LAYERS}/moe/fused_moe_triton/layer.py,"
        " sglang/srt/arg_groups/parallel_hook.py",
        said="ep_size * moe_dp_size must be less than or equal to tp_size",
    ),
    Rule(
        "LayoutNeedsNewerEngine",
        sglang_layouts.stages_are_not_made,
        source=f"PyPI sglang 0.4.6.post5 {_MODELS}/qwen3.py, qwen3_moe.py pp_group",
        said="runs every layer on every stage",
        until=Version(0, 4, 6, 5),
    ),
    Rule(
        "PipelineUnsupported",
        sglang_layouts.hybrid_models_have_one_stage,
        source=f"PyPI sglang 0.5.3.post3 and 0.5.23 {_MODELS}/qwen3_next.py",
        said="a bare AssertionError: is_first_rank and is_last_rank",
    ),
    Rule(
        "PipelineExceedsLayers",
        layouts.every_stage_has_a_layer,
        source="PyPI sglang 0.5.23 sglang/srt/distributed/utils.py get_pp_indices",
        said="starts, and fails where a stage without a layer is asked",
    ),
    Rule(
        "LayoutNeedsNewerEngine",
        sglang_layouts.dense_attention_is_not_copied,
        source=f"PyPI sglang 0.4.9 {_MODELS}/qwen3.py LayerCommunicator",
        said="ignores --enable-dp-attention in the model, and answers wrongly",
        until=Version(0, 4, 9),
    ),
    Rule(
        "LayoutNeedsNewerEngine",
        sglang_layouts.sparse_attention_is_not_copied,
        source=f"PyPI sglang 0.4.6.post5 {_MODELS}/qwen3_moe.py",
        said="ignores --enable-dp-attention in the model, and answers wrongly",
        until=Version(0, 4, 6, 5),
    ),
    Rule(
        "NodesDivideStages",
        sglang_layouts.nodes_hold_whole_stages,
        source="PyPI sglang 0.5.23 sglang/srt/entrypoints/engine.py pp_size_per_node",
        said="starts other ranks than there are",
    ),
)

_SLICES: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "InnerSizeDivisibility",
        sglang_layouts.inner_sizes_divide,
        source="PyPI sglang 0.5.23 sglang/srt/distributed/utils.py divide",
        said="17408 is not divisible by 40",
    ),
    Rule(
        "FP8BlockAlignment",
        sglang_layouts.fp8_blocks_divide,
        source=f"PyPI sglang 0.4.6.post5 and 0.5.23 {_LAYERS}/quantization/fp8.py;"
        " github.com/QwenLM/Qwen3/issues/1485",
        said="The output_size of gate's and up's weight = 192 is not divisible by weight"
        " quantization block_n = 128.",
    ),
    Rule(
        "MarlinTileAlignment",
        sglang_layouts.int_groups_divide,
        source=f"PyPI sglang 0.5.23 {_LAYERS}/quantization/marlin_utils.py",
        said="Weight input_size_per_partition = 192 is not divisible by group_size = 128.",
    ),
)

SGLANG_CHAIN: Final = (layouts.ONE_SLICE, *_DIVISIONS, *_GROUPS, *_SLICES)
"""What must hold for a layout."""

SGLANG_CAUTIONS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "IntegerWeightsNeedVllm",
        on_pool(sglang_formats.int_weights_need_vllm),
        source=f"PyPI sglang 0.4.10.post2 {_LAYERS}/quantization/__init__.py",
        said="awq quantization requires some operators from vllm.",
        until=INT4_NEEDS_VLLM_UNTIL,
    ),
    Rule(
        "DataMeansAttention",
        sglang_layouts.data_means_attention,
        source="PyPI sglang 0.5.23 sglang/srt/arg_groups/parallel_hook.py",
        said="--attn-dp-size splits the tensor-parallel ranks",
    ),
)
"""What should be known of a layout that is legal."""
