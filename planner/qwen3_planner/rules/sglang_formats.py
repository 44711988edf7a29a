"""What SGLang asks of a model in a weight format on a GPU, whatever the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.pooling import is_reranker
from qwen3_planner.engines.sglang import kernels
from qwen3_planner.engines.sglang.command import RERANKERS_SINCE
from qwen3_planner.engines.sglang.semantics import (
    SGLANG_VENDORS,
    first_release,
    page_tokens,
    semantics_at,
)
from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.request import KvCacheDtype, Quantization
from qwen3_planner.rules.quantized import FP4_KINDS, FP8_KINDS, has_fp8_units, shown
from qwen3_planner.sizing.formats import FileLayout, WeightKind

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.sglang.kernels import Table
    from qwen3_planner.rules.facts import PoolFacts
    from qwen3_planner.sizing.formats import WeightFormat

INT_GROUP_KINDS = frozenset((WeightKind.INT4_GROUP, WeightKind.INT8_GROUP))

KV_CACHE_TYPES = (
    KvCacheDtype.BF16,
    KvCacheDtype.FP16,
    KvCacheDtype.FP8,
    KvCacheDtype.FP8_E5M2,
)


def engine_runs_here(facts: PoolFacts) -> str | None:
    """SGLang is planned on NVIDIA and AMD GPUs."""
    accelerator = facts.accelerator
    if accelerator.device_class is AcceleratorClass.GPU and accelerator.vendor in SGLANG_VENDORS:
        return None
    return (
        f"SGLang is planned on NVIDIA and AMD GPUs; {accelerator.name} is neither. A GPU or another"
        " engine would do."
    )


def model_is_known(facts: PoolFacts) -> str | None:
    """The release has the model's architecture, or its way to score."""
    first = RERANKERS_SINCE if is_reranker(facts.model) else first_release(facts.model)
    if facts.version >= first:
        return None
    return f"SGLang {facts.version} does not serve {facts.model.name}; from {first} on it does."


def gpu_is_new_enough(facts: PoolFacts) -> str | None:
    """The GPU is one that SGLang starts on."""
    capability = facts.accelerator.compute_capability
    if capability is None or capability >= kernels.SMALLEST_CAPABILITY:
        return None
    return (
        f"SGLang starts from compute capability {shown(kernels.SMALLEST_CAPABILITY)} on;"
        f" {facts.accelerator.name} has {shown(capability)}. Another GPU or llama.cpp would do."
    )


_DENSE: Final[dict[WeightKind, Table]] = {
    WeightKind.FP8_BLOCK: kernels.DENSE_FP8,
    WeightKind.FP8_CHANNEL: kernels.DENSE_FP8,
    WeightKind.FP8_TENSOR: kernels.STATIC_FP8,
    WeightKind.INT4_GROUP: kernels.INT4,
    WeightKind.INT8_GROUP: kernels.INT4,
    WeightKind.INT8_CHANNEL: kernels.INT8,
    WeightKind.NVFP4_GROUP: kernels.NVFP4,
    WeightKind.MXFP4_GROUP: kernels.MXFP4,
}
_EXPERTS: Final[dict[WeightKind, Table]] = {
    WeightKind.FP8_BLOCK: kernels.EXPERTS_FP8,
    WeightKind.FP8_CHANNEL: kernels.EXPERTS_FP8,
    WeightKind.FP8_TENSOR: kernels.EXPERTS_FP8,
    WeightKind.INT4_GROUP: kernels.EXPERTS_GPTQ,
    WeightKind.INT8_GROUP: kernels.EXPERTS_GPTQ,
    WeightKind.INT8_CHANNEL: kernels.INT8,
    WeightKind.NVFP4_GROUP: kernels.EXPERTS_NVFP4,
    WeightKind.MXFP4_GROUP: kernels.EXPERTS_MXFP4,
}
"""Which kernels a kind of storage needs; none for 16 bit."""


def tables_of(fmt: WeightFormat, model: ModelArchitecture) -> tuple[Table, ...]:
    """Return the kernels that a model in a format needs, by version; none for 16 bit."""
    attention = fmt.of("model.layers.0.self_attn.o_proj")
    needed = [_table(_DENSE, attention)]
    if model.is_moe:
        is_awq = fmt.quantization is Quantization.AWQ_INT4
        needed.append(kernels.EXPERTS_AWQ if is_awq else _table(_EXPERTS, fmt))
    return tuple(table for table in needed if table is not None)


def _table(tables: dict[WeightKind, Table], fmt: WeightFormat) -> Table | None:
    is_compressed = fmt.layout is FileLayout.COMPRESSED_TENSORS
    if fmt.kind is WeightKind.NVFP4_GROUP and is_compressed:
        return kernels.COMPRESSED_NVFP4
    return tables.get(fmt.kind)


def version_has_kernels(facts: PoolFacts) -> str | None:
    """The version has kernels for this format on some GPU."""
    tables = tables_of(facts.fmt, facts.model)
    if all(ruling_at(table, facts.version).value is not None for table in tables):
        return None
    what = "experts" if facts.model.is_moe else "layers"
    return (
        f"SGLang {facts.version} has no kernels of its own for {what} in"
        f" {facts.fmt.quantization.value}. Another version or quantization would do."
    )


def int_weights_need_vllm(facts: PoolFacts) -> str | None:
    """Caution: AWQ and GPTQ go through an installed vLLM."""
    if facts.fmt.kind not in INT_GROUP_KINDS:
        return None
    return (
        f"SGLang {facts.version} serves {facts.fmt.quantization.value} through an installed vLLM,"
        f" which its images lack: put it into the image, or take"
        f" {kernels.INT4_NEEDS_VLLM_UNTIL} or later."
    )


def gpu_has_kernels(facts: PoolFacts) -> str | None:
    """The version has kernels for this format on this GPU."""
    capability, kind = facts.accelerator.compute_capability, facts.fmt.kind
    if capability is None:
        return _amd_has_kernels(facts)
    found = (ruling_at(table, facts.version).value for table in tables_of(facts.fmt, facts.model))
    needed = max((bound for bound in found if bound is not None), default=(0, 0))
    if capability >= needed:
        return None
    why = ""
    if kind in FP8_KINDS and facts.model.is_moe:
        why = ", whose FP8 units its kernels for experts need"
    return (
        f"SGLang {facts.version} multiplies {facts.fmt.quantization.value} weights of"
        f" {facts.model.name} from compute capability {shown(needed)} on{why};"
        f" {facts.accelerator.name} has {shown(capability)}. vLLM, another quantization or another"
        " GPU would do."
    )


def _amd_has_kernels(facts: PoolFacts) -> str | None:
    kind, accelerator = facts.fmt.kind, facts.accelerator
    needs = None
    if kind in FP8_KINDS and not has_fp8_units(accelerator):
        needs = "FP8 units"
    elif kind in FP4_KINDS or (kind in INT_GROUP_KINDS and facts.model.is_moe):
        needs = "an NVIDIA GPU"
    if needs is None:
        return None
    return (
        f"SGLang needs {needs} for {facts.fmt.quantization.value} weights of {facts.model.name};"
        f" {accelerator.name} is {accelerator.architecture}. Another quantization or another GPU"
        " would do."
    )


def channel_experts_fit_shared_memory(facts: PoolFacts) -> str | None:
    """Tiles for FP8 experts without blocks fit the GPU's shared memory."""
    capability = facts.accelerator.compute_capability
    is_whole = facts.fmt.kind in (WeightKind.FP8_CHANNEL, WeightKind.FP8_TENSOR)
    if not (is_whole and facts.model.is_moe) or capability not in kernels.MEDIUM_SHARED_MEMORY:
        return None
    return (
        f"SGLang {facts.version} takes tiles of 160 KiB for fp8 experts without scale blocks;"
        f" {facts.accelerator.name} has 99 KiB of shared memory: 61 KiB missing. A checkpoint with"
        f" blocks, {kernels.CHANNEL_EXPERTS_FIT_SINCE} or later, or another GPU would do."
    )


def kv_cache_type_is_known(facts: PoolFacts) -> str | None:
    """The KV cache has a type that the engine knows, and fp16 only beside fp16 weights."""
    asked = facts.kv_cache_dtype
    if asked not in KV_CACHE_TYPES:
        return (
            f"SGLang keeps its KV cache in bf16, fp8 or fp8-e5m2, not in {asked.value}. llama.cpp"
            " or one of those would do."
        )
    capability = facts.accelerator.compute_capability
    is_old = capability is not None and capability < kernels.BF16_CAPABILITY
    if asked is not KvCacheDtype.FP16 or is_old or facts.fmt.quantization is Quantization.FP16:
        return None
    return (
        "SGLang keeps a 16-bit KV cache in the type that the model runs in, here bf16; fp16 cannot"
        " be asked for."
    )


def fp8_cache_has_a_backend(facts: PoolFacts) -> str | None:
    """Some attention backend reads an FP8 KV cache on this GPU."""
    capability, asked = facts.accelerator.compute_capability, facts.kv_cache_dtype
    if asked not in (KvCacheDtype.FP8, KvCacheDtype.FP8_E5M2):
        return None
    if capability is None:
        if has_fp8_units(facts.accelerator):
            return None
        has = facts.accelerator.architecture
    elif capability >= kernels.FP8_KV_CAPABILITY:
        return None
    else:
        has = f"compute capability {shown(capability)}"
    return (
        f"No attention backend reads an {asked.value} KV cache on {facts.accelerator.name} ({has};"
        " it takes 8.0 or FP8 units). Leave the KV cache in bf16."
    )


def prefill_is_whole_pages(facts: PoolFacts) -> str | None:
    """A prefill step is a whole number of KV pages."""
    page = page_tokens(semantics_at(facts.version), facts.accelerator.compute_capability)
    asked = facts.tuning.max_num_batched_tokens
    if asked is None or asked % page == 0:
        return None
    return (
        f"chunked-prefill-size={asked} is {asked % page} more than whole pages of {page} tokens,"
        f" which SGLang takes on {facts.accelerator.name}; {asked - asked % page or page} is whole."
    )


def weights_are_no_gguf(facts: PoolFacts) -> str | None:
    """GGUF files are planned for llama.cpp."""
    if not facts.fmt.quantization.is_gguf:
        return None
    return (
        f"{facts.fmt.quantization.value} is planned for llama.cpp: SGLang unpacks GGUF files"
        " through an installed vLLM. llama.cpp or another quantization would do."
    )


def tuning_is_planned(facts: PoolFacts) -> str | None:
    """No draft model: its memory is not known here."""
    if facts.tuning.draft_model is None:
        return None
    return "draft models are planned for vLLM only; leave them out or take vLLM."


def adapters_go_with_the_prefix_cache(facts: PoolFacts) -> str | None:
    """The release serves LoRA adapters beside its radix cache."""
    if not facts.tuning.max_loras:
        return None
    return (
        f"SGLang {facts.version} serves LoRA adapters without its prefix cache only; a newer"
        " version or vLLM would do."
    )


def adapters_are_planned(facts: PoolFacts) -> str | None:
    """LoRA on models whose slots are known here."""
    model, tuning = facts.model, facts.tuning
    if not tuning.max_loras:
        return None
    kinds = (
        (model.is_moe, "experts"),
        (model.vision is not None, "an image encoder"),
        (model.is_hybrid, "linear attention"),
        (model.is_pooling, "no head"),
    )
    what = [kind for has, kind in kinds if has]
    if what:
        return (
            f"LoRA adapters on a model with {what[0]} are planned for vLLM only; leave them out or"
            " take vLLM."
        )
    if tuning.fully_sharded_loras:
        return "SGLang has no --fully-sharded-loras; leave it out or take vLLM."
    return None


def ranks_find_each_other(facts: PoolFacts) -> str | None:
    """Ranks on several nodes are started natively."""
    if not facts.tuning.takes_ray:
        return None
    return "SGLang spans nodes by itself, not through Ray; leave --multi-node out or take vLLM."
