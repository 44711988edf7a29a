"""Every kind of step in the order of what it costs the user, and the smallest of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.remedies.engine import engine_step, launcher_step, version_step
from qwen3_planner.remedies.hardware import (
    max_gpus_step,
    more_gpus_step,
    other_accelerator_here_step,
    other_hardware_step,
)
from qwen3_planner.remedies.layout import (
    experts_step,
    kv_cache_step,
    layout_step,
    quantization_and_layout_step,
    quantization_step,
)
from qwen3_planner.remedies.load import (
    concurrency_step,
    context_step,
    input_step,
    output_step,
    replicas_step,
)
from qwen3_planner.remedies.targets import (
    more_replicas_step,
    requests_step,
    targets_step,
    tokens_step,
    tpot_step,
    ttft_step,
)
from qwen3_planner.remedies.together import together_step
from qwen3_planner.remedies.trying import smallest_part
from qwen3_planner.remedies.tuning import (
    batched_tokens_step,
    node_limit_step,
    sequences_step,
    settings_step,
    utilization_step,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.plan import Change, Refusal
    from qwen3_planner.remedies.trying import Stuck

    Step: TypeAlias = Callable[[Stuck], Change | None]

KINDS: tuple[tuple[str, Step], ...] = (
    ("nodes", node_limit_step),
    ("targets", ttft_step),
    ("targets", tpot_step),
    ("targets", tokens_step),
    ("targets", requests_step),
    ("more-replicas", more_replicas_step),
    ("tuning", utilization_step),
    ("tuning", sequences_step),
    ("tuning", batched_tokens_step),
    ("settings", settings_step),
    ("load", concurrency_step),
    ("load", input_step),
    ("load", output_step),
    ("context", context_step),
    ("layout", layout_step),
    ("experts", experts_step),
    ("kv-cache", kv_cache_step),
    ("launcher", launcher_step),
    ("version", version_step),
    ("quantization", quantization_step),
    ("quantization", quantization_and_layout_step),
    ("engine", engine_step),
    ("replicas", replicas_step),
    ("hardware", max_gpus_step),
    ("hardware", more_gpus_step),
    ("accelerator", other_accelerator_here_step),
    ("accelerator", other_hardware_step),
)
"""Least costly first: a setting of the engine, one taken back, then less load, a shorter context,
another layout than asked for, experts left whole, a smaller KV cache, ranks started through Ray,
another version, less precise weights, another engine, fewer replicas, more hardware, other
hardware. A node limit comes before all: whoever set it decides where plans run, not what they are.
Then come targets of speed, each as near to what was asked as anything reaches.
"""

TOGETHER = "together"
"""Several assignments at once, tried only where none of the kinds gives a plan alone."""

MOST_FIXES = 4
"""Fixes told with one refusal."""

_MEMORY = frozenset(kind for kind, _ in KINDS) - {
    "launcher",
    "version",
    "experts",
    "targets",
    "more-replicas",
}

FIXING_KINDS: dict[str, frozenset[str]] = {
    "MultiNodeNotSupported": frozenset({"nodes", "quantization", "hardware", "accelerator"}),
    "InsufficientGPUMemory": _MEMORY,
    "InsufficientKVCache": _MEMORY,
    "TargetMissed": frozenset(
        {"targets", "more-replicas", "load", "layout", "quantization", "hardware", "accelerator"}
    ),
    "AttentionHeadDivisibility": frozenset({"layout"}),
    "KvHeadDivisibility": frozenset({"layout"}),
    "VocabularyDivisibility": frozenset({"layout"}),
    "InnerSizeDivisibility": frozenset({"layout"}),
    "ExpertParallelNeedsExperts": frozenset({"layout"}),
    "ExpertParallelGroup": frozenset({"layout"}),
    "TensorParallelExceedsExperts": frozenset({"layout"}),
    "PipelineExceedsLayers": frozenset({"layout"}),
    "LinearHeadDivisibility": frozenset({"layout"}),
    "ImageEncoderDivisibility": frozenset({"layout"}),
    "FP8BlockAlignment": frozenset({"layout", "experts", "quantization", "version"}),
    "ScaleGroupAlignment": frozenset({"layout", "experts", "quantization"}),
    "MarlinTileAlignment": frozenset({"layout", "experts", "quantization", "version"}),
    "Wna16BlockAlignment": frozenset({"layout", "experts", "quantization", "version"}),
    "RerankerTensorParallel": frozenset({"layout", "version"}),
    "FullyShardedLora": frozenset({"settings", "layout"}),
    "LoraWithExpertParallel": frozenset({"settings", "layout", "version"}),
    "MultiNodeNeedsNewerEngine": frozenset(
        {"launcher", "layout", "quantization", "version", "accelerator"}
    ),
    "NodesDivideDataRanks": frozenset({"layout"}),
    "ModelNeedsNewerEngine": frozenset({"version"}),
    "DenseFp8Loading": frozenset({"quantization", "version"}),
    "QuantizationNeedsNewerEngine": frozenset({"quantization", "version"}),
    "ActivationOrderUnsupported": frozenset({"quantization", "version"}),
    "DraftModelUnsupported": frozenset({"settings", "version"}),
    "LoraNeedsNewerEngine": frozenset({"settings", "version"}),
    "CpuOffloadUnsupported": frozenset({"settings", "version"}),
    "Fp8KvCacheWeights": frozenset({"kv-cache", "version"}),
    "KvCacheDtypeUnsupported": frozenset({"kv-cache", "version", "engine"}),
    "SharedMemory": frozenset({"quantization", "version", "engine", "accelerator"}),
    "ChunkedPrefillPages": frozenset({"tuning"}),
    "PipelineUnsupported": frozenset({"layout", "engine"}),
    "LayoutNeedsNewerEngine": frozenset({"layout", "version"}),
    "NodesDivideStages": frozenset({"layout"}),
    "GgufOnly": frozenset({"quantization", "engine"}),
    "TooManySlots": frozenset({"tuning", "engine"}),
    "SettingUnsupported": frozenset({"settings", "engine"}),
    "WholeLayersOnly": frozenset({"layout", "engine"}),
    "OneSlicePerReplica": frozenset({"layout", "quantization", "accelerator"}),
    "OneNodeOnly": frozenset({"layout", "engine", "accelerator"}),
    "ContextTooLong": frozenset({"context"}),
    "RequestExceedsContext": frozenset({"load", "context"}),
    "SchedulerTokenBudget": frozenset({"tuning"}),
    "Bfloat16Unsupported": frozenset({"quantization", "accelerator"}),
    "ComputeCapability": frozenset({"quantization", "version", "engine", "accelerator"}),
    "Fp8KvCacheCapability": frozenset({"kv-cache", "version", "accelerator"}),
    "EngineUnsupportedHere": frozenset({"engine", "accelerator"}),
    "NoMatchingAccelerator": frozenset({"accelerator"}),
    "CheckpointUnknown": frozenset({"quantization", "engine"}),
    "MaxGpusExceeded": frozenset({"layout", "replicas", "hardware"}),
    "NotEnoughGPUs": frozenset({"layout", "replicas", "hardware", "accelerator"}),
    "NotEnoughNodes": frozenset({"layout", "replicas", "hardware", "accelerator"}),
}
"""Which kinds of steps answer which rule."""


def find_remedies(stuck: Stuck) -> tuple[tuple[str, Change], ...]:
    """Return (kind, change) for each step that gives a plan, least costly first.

    Of each change only what a plan cannot do without.
    Kinds that answer none of the rules which refused are not tried.
    """
    rules = {refused.refusal.rule for refused in stuck.solution.refused}
    useful = frozenset[str]().union(*(FIXING_KINDS.get(rule, frozenset()) for rule in rules))
    found = ((kind, step(stuck)) for kind, step in KINDS if kind in useful)
    whole = [(kind, change) for kind, change in found if change is not None]
    needed = [(kind, change, smallest_part(stuck, change)) for kind, change in whole]
    # a step that can be left out of its own change is not what helps: it brought what does along
    steps = [(kind, part) for kind, change, part in needed if _first(part) == _first(change)]
    remedies = tuple(dict.fromkeys(steps or [(kind, part) for kind, _, part in needed]))
    if remedies:
        return remedies
    change = targets_step(stuck) or together_step(stuck)
    return () if change is None else ((TOGETHER, change),)


def _first(change: Change) -> tuple[str, object]:
    return change.assignments[0]


def with_fixes(refusal: Refusal, remedies: tuple[tuple[str, Change], ...]) -> Refusal:
    """Return the refusal with those remedies that answer its rule."""
    kinds = FIXING_KINDS.get(refusal.rule, frozenset())
    fixes = dict.fromkeys(change for kind, change in remedies if kind in kinds or kind == TOGETHER)
    return replace(refusal, fixes=tuple(fixes)[:MOST_FIXES])
