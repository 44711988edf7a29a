"""What vLLM asks of a model in a weight format on a GPU, whatever the layout.

In the order it is asked. "PyPI vllm A.B.C path" is the release that was read last before a change,
or first after it; every release from 0.8.0 to 0.33.0 that PyPI has the source of was searched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import Version
from qwen3_planner.engines.vllm.kernels import FP8_KV
from qwen3_planner.rules import kv_caches, quantized, releases, serving
from qwen3_planner.rules.rule import Rule

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import PoolFacts

_LAYERS: Final = "vllm/model_executor/layers"
_REGISTRY: Final = "vllm/model_executor/models/registry.py"
_UNKNOWN: Final = "Model architectures ['{name}'] are not supported for now."

_MODELS: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "EngineUnsupportedHere",
        serving.engine_runs_here,
        source="PyPI vllm 0.33.0 vllm/platforms; docs.vllm.ai stable deployment/docker",
        said="has images for NVIDIA and AMD GPUs",
    ),
    Rule(
        "SettingUnsupported",
        releases.weights_are_no_gguf,
        source="PyPI vllm 0.23.0 and 0.24.0 vllm/model_executor/layers/quantization/__init__.py",
        said="Unknown quantization method: gguf.",
    ),
    Rule(
        "ModelNeedsNewerEngine",
        releases.hybrid_models_are_known,
        source=f"PyPI vllm 0.10.2 {_REGISTRY} Qwen3NextForCausalLM",
        said=_UNKNOWN,
        until=Version(0, 10, 2),
    ),
    Rule(
        "ModelNeedsNewerEngine",
        releases.image_models_are_known,
        source=f"PyPI vllm 0.11.0 {_REGISTRY} Qwen3VLForConditionalGeneration",
        said=_UNKNOWN,
        until=Version(0, 11),
    ),
    Rule(
        "ModelNeedsNewerEngine",
        releases.rerankers_are_known,
        source=f"PyPI vllm 0.9.2 {_REGISTRY} Qwen3ForSequenceClassification",
        said=_UNKNOWN,
        until=Version(0, 9, 2),
    ),
    Rule(
        "DenseFp8Loading",
        releases.dense_fp8_checkpoints_load,
        source="github.com/vllm-project/vllm/issues/17327",
        said="IndexError: start out of range (expected to be in range of [-18, 18], but got 2048)",
        until=Version(0, 8, 5),
    ),
)
"""Which releases serve which model."""

_LOAD: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "ContextTooLong",
        serving.context_is_within_yarn,
        source="QwenLM/Qwen3@7a2f61f docs/source/deployment/vllm.md",
        said="starts, and answers badly beyond what Qwen validated",
    ),
    Rule(
        "RequestExceedsContext",
        serving.request_is_within_context,
        source="PyPI vllm 0.8.5 vllm/entrypoints/openai/serving_engine.py",
        said="This model's maximum context length is 40960 tokens.",
    ),
    Rule(
        "SchedulerTokenBudget",
        serving.scheduler_step_holds_every_sequence,
        source="PyPI vllm 0.8.5 vllm/config.py; 0.33.0 vllm/config/scheduler.py",
        said="max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (256).",
    ),
)
"""What is served."""

_FORMATS: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "Bfloat16Unsupported",
        quantized.bf16_weights_need_bf16_units,
        source="PyPI vllm 0.8.5 vllm/v1/worker/gpu_worker.py; 0.33.0 vllm/platforms/cuda.py",
        said="Bfloat16 is only supported on GPUs with compute capability of at least 8.0. … You can"
        " use float16 instead by explicitly setting the `dtype` flag in CLI, for example:"
        " --dtype=half.",
    ),
    Rule(
        "QuantizationNeedsNewerEngine",
        quantized.version_has_kernels,
        source=f"PyPI vllm 0.8.5 to 0.33.0 {_LAYERS}/quantization; each table of"
        " planner/qwen3_planner/engines/vllm/kernels.py names the file",
        said="No compressed-tensors compatible scheme was found.",
        until=Version(0, 16),
    ),
    Rule(
        "ComputeCapability",
        quantized.gpu_has_kernels,
        source=f"PyPI vllm 0.8.5 to 0.33.0 {_LAYERS}/quantization get_min_capability; each table"
        " of planner/qwen3_planner/engines/vllm/kernels.py names the file",
        said="The quantization method fp8 is not supported for the current GPU. Minimum capability:"
        " 75. Current capability: 70.",
        bounds=quantized.ALL_KERNELS,
    ),
    Rule(
        "ActivationOrderUnsupported",
        releases.activation_order_is_taken,
        source=f"PyPI vllm 0.30.0 {_LAYERS}/quantization/utils/gptq_utils.py",
        said="GPTQ group activation ordering (desc_act=True) is no longer supported.",
        since=Version(0, 30),
    ),
)
"""Which weight formats run where."""

_CACHES: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "KvCacheDtypeUnsupported",
        kv_caches.kv_cache_type_is_known,
        source="PyPI vllm 0.33.0 vllm/config/cache.py CacheDType",
        said="argument --kv-cache-dtype: invalid choice: 'q8_0'",
    ),
    Rule(
        "KvCacheDtypeUnsupported",
        kv_caches.fp16_cache_follows_fp16_weights,
        source="PyPI vllm 0.17.1 and 0.18.0 vllm/config/cache.py CacheDType",
        said="argument --kv-cache-dtype: invalid choice: 'float16'",
        until=Version(0, 18),
    ),
    Rule(
        "Fp8KvCacheCapability",
        kv_caches.fp8_cache_has_a_backend,
        source="PyPI vllm 0.11.0 and 0.11.1 vllm/platforms/cuda.py; 0.33.0"
        " vllm/v1/attention/backends",
        said="FP8 KV cache is not supported by the Triton attention backend on Tesla T4 (compute"
        " capability 7.5); native FP8 (fp8e4nv) requires SM89+.",
        bounds=(FP8_KV,),
    ),
    Rule(
        "Fp8KvCacheWeights",
        kv_caches.e5m2_cache_needs_other_weights,
        source=f"PyPI vllm 0.8.5 vllm/attention/layer.py; 0.33.0 {_LAYERS}/attention/attention.py",
        said="fp8_e5m2 kv-cache is not supported with fp8 checkpoints.",
    ),
    Rule(
        "Fp8KvCacheWeights",
        kv_caches.compressed_checkpoint_takes_no_e5m2,
        source=f"PyPI vllm 0.23.0 and 0.24.0 {_LAYERS}/attention/attention.py",
        said="fp8_e5m2 kv-cache is not supported with fp8 checkpoints.",
        until=Version(0, 24),
    ),
)
"""Which element types of the KV cache run where."""

_OPTIONS: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "DraftModelUnsupported",
        releases.draft_models_are_supported,
        source="PyPI vllm 0.10.0 and 0.14.1 vllm/engine/arg_utils.py; 0.16.0"
        " vllm/v1/spec_decode/draft_model.py",
        said="Draft model speculative decoding is not supported yet.",
        since=Version(0, 10),
        until=Version(0, 16),
    ),
    Rule(
        "LoraNeedsNewerEngine",
        releases.experts_take_adapters,
        source="PyPI vllm 0.9.2 and 0.10.0 vllm/model_executor/models/qwen3_moe.py SupportsLoRA",
        said="Qwen3MoeForCausalLM does not support LoRA yet.",
        until=Version(0, 10),
    ),
    Rule(
        "CpuOffloadUnsupported",
        releases.offloaded_hybrid_starts,
        source="PyPI vllm 0.10.2 and 0.19.1 vllm/v1/worker/gpu_model_runner.py",
        said="Cannot re-initialize the input batch when CPU weight offloading is enabled.",
        until=Version(0, 20),
    ),
)
"""Which options go together."""

VLLM_POOL_CHAIN: Final = (*_MODELS, *_LOAD, *_FORMATS, *_CACHES, *_OPTIONS)
"""What must hold for a weight format on a pool, whatever the layout."""
