"""Rules about the element type of the KV cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm.kernels import FLASH_ATTENTION_FP8_MAJORS, FP8_KV
from qwen3_planner.request import KvCacheDtype, Quantization
from qwen3_planner.rules.quantized import BF16_CAPABILITY, FP8_KINDS, has_fp8_units, shown
from qwen3_planner.sizing.formats import FileLayout, WeightKind

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts

FP8_CACHES: Final = frozenset((KvCacheDtype.FP8, KvCacheDtype.FP8_E5M2))

VLLM_CACHES: Final = frozenset((KvCacheDtype.BF16, KvCacheDtype.FP16, *FP8_CACHES))
"""What ``--kv-cache-dtype`` takes of what the planner knows."""


def kv_cache_type_is_known(facts: PoolFacts) -> str | None:
    """The engine knows the cache's element type; those of llama.cpp it does not."""
    if facts.kv_cache_dtype in VLLM_CACHES:
        return None
    return (
        f"vLLM keeps no KV cache in {facts.kv_cache_dtype.value}; it takes bf16, fp16, fp8 and"
        " fp8-e5m2. Leave it to the engine, or take llama.cpp."
    )


def fp16_cache_follows_fp16_weights(facts: PoolFacts) -> str | None:
    """A cache in fp16 beside bf16 arithmetic has to be asked for, which old versions lack."""
    capability = facts.accelerator.compute_capability
    computes_half = capability is not None and capability < BF16_CAPABILITY
    if facts.kv_cache_dtype is not KvCacheDtype.FP16 or computes_half:
        return None
    if facts.fmt.quantization is Quantization.FP16:
        return None
    return (
        f"vLLM {facts.version} keeps 16 bit KV caches in the type it computes in, bf16, and takes"
        " no fp16 beside it; a newer version does. Leave the KV cache in bf16."
    )


def fp8_cache_has_a_backend(facts: PoolFacts) -> str | None:
    """Some attention backend reads an FP8 KV cache on this GPU."""
    capability = facts.accelerator.compute_capability
    if facts.kv_cache_dtype not in FP8_CACHES:
        return None
    needed = ruling_at(FP8_KV, facts.version).value or (0, 0)
    if capability is None:
        if has_fp8_units(facts.accelerator):
            return None
        has = facts.accelerator.architecture
    elif capability >= needed:
        return None
    else:
        has = f"compute capability {shown(capability)}"
    return (
        f"No attention backend of vLLM {facts.version} reads an fp8 KV cache on"
        f" {facts.accelerator.name} ({has}; it takes {shown(needed)} or FP8 units). Leave the KV"
        " cache in bf16."
    )


def e5m2_cache_needs_other_weights(facts: PoolFacts) -> str | None:
    """FP8 checkpoints bring a KV method of their own, which takes no e5m2."""
    fmt = facts.fmt
    brings_method = fmt.layout in {FileLayout.FP8, FileLayout.MODELOPT}
    is_quantized_so = fmt.kind in FP8_KINDS or fmt.kind is WeightKind.NVFP4_GROUP
    if facts.kv_cache_dtype is not KvCacheDtype.FP8_E5M2 or not is_quantized_so:
        return None
    if not brings_method:
        return None
    return (
        f"A KV cache in fp8-e5m2 does not go with {fmt.quantization.value} checkpoints of this"
        " kind. Take fp8 (e4m3), or leave the KV cache in bf16."
    )


def compressed_checkpoint_takes_no_e5m2(facts: PoolFacts) -> str | None:
    """Before 0.24 every compressed-tensors checkpoint brought a KV method too."""
    is_compressed = facts.fmt.layout is FileLayout.COMPRESSED_TENSORS and facts.fmt.is_quantized
    if facts.kv_cache_dtype is not KvCacheDtype.FP8_E5M2 or not is_compressed:
        return None
    if facts.fmt.online:
        return None
    return (
        f"vLLM {facts.version} takes no KV cache in fp8-e5m2 with compressed-tensors checkpoints."
        " Take fp8 (e4m3), leave the KV cache in bf16, or take a newer version."
    )


def old_engine_takes_over(facts: LayoutFacts) -> str | None:
    """Before 0.11 the V0 engine serves what the V1 engine cannot; its memory differs."""
    pool = facts.pool
    capability = pool.accelerator.compute_capability
    if capability is None:
        return None
    is_old = capability < BF16_CAPABILITY
    is_cache = pool.kv_cache_dtype in FP8_CACHES and capability[0] not in FLASH_ATTENTION_FP8_MAJORS
    if not is_old and not is_cache:
        return None
    why = f"compute capability {shown(capability)}" if is_old else "an fp8 KV cache here"
    return (
        f"For {why} vLLM {pool.version} falls back to its V0 engine, whose memory rules are not"
        " those of this plan; a newer version would serve it with them."
    )
