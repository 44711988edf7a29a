"""Rules about what a release can serve at all: models, and options that it lacks or breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.adapters import ASSUMED_RANK
from qwen3_planner.engines.pooling import is_reranker
from qwen3_planner.sizing.formats import FileLayout, WeightKind

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts


def weights_are_no_gguf(facts: PoolFacts) -> str | None:
    """GGUF files are planned for llama.cpp; newer releases do not read them at all."""
    if facts.fmt.kind is not WeightKind.GGUF:
        return None
    return (
        f"{facts.fmt.quantization.value} is planned for llama.cpp: vLLM reads no GGUF files since"
        " 0.24.0, and none of its releases is planned with them. llama.cpp or another quantization"
        " would do."
    )


def hybrid_models_are_known(facts: PoolFacts) -> str | None:
    """The release knows Qwen3-Next."""
    return _unknown(facts) if facts.model.is_hybrid else None


def image_models_are_known(facts: PoolFacts) -> str | None:
    """The release knows Qwen3-VL."""
    return _unknown(facts) if facts.model.vision is not None else None


def rerankers_are_known(facts: PoolFacts) -> str | None:
    """The release makes a classifier of Qwen3-Reranker's two answers."""
    return _unknown(facts) if is_reranker(facts.model) else None


def _unknown(facts: PoolFacts) -> str:
    return (
        f"vLLM {facts.version} does not know the architecture of {facts.model.name}; a newer"
        " version does."
    )


def dense_fp8_checkpoints_load(facts: PoolFacts) -> str | None:
    """The release loads the block scales of dense FP8 checkpoints."""
    if facts.fmt.kind is not WeightKind.FP8_BLOCK or facts.model.is_moe or facts.fmt.online:
        return None
    return (
        f"vLLM {facts.version} fails while it loads the fp8 scales of {facts.model.name}; a newer"
        " version or another quantization would do."
    )


def reranker_head_is_not_cut(facts: LayoutFacts) -> str | None:
    """The release loads a reranker's head on one rank only."""
    if not is_reranker(facts.model) or facts.layout.tensor == 1:
        return None
    hidden = facts.model.hidden_size
    return (
        f"vLLM {facts.version} cuts the score head of {facts.model.name} over the ranks and loads"
        f" it whole: {hidden // facts.layout.tensor} against {hidden}. tensor=1 or a newer version"
        " would do."
    )


def draft_models_are_supported(facts: PoolFacts) -> str | None:
    """The release speculates with a draft model."""
    if facts.tuning.draft_model is None:
        return None
    return (
        f"vLLM {facts.version} does not speculate with a draft model"
        f" ({facts.tuning.draft_model}); older and newer versions do."
    )


def experts_take_adapters(facts: PoolFacts) -> str | None:
    """The release serves LoRA adapters with a mixture of experts."""
    if facts.tuning.max_loras is None or not facts.model.is_moe:
        return None
    return (
        f"vLLM {facts.version} serves no LoRA adapters with {facts.model.name}; a newer version"
        " does."
    )


def adapters_go_without_expert_parallel(facts: LayoutFacts) -> str | None:
    """LoRA adapters of experts are not spread over an expert-parallel group."""
    if facts.pool.tuning.max_loras is None or facts.layout.expert == 1:
        return None
    return (
        f"vLLM {facts.version} serves LoRA adapters of experts without expert parallelism only:"
        " leave expert at 1, or take a newer version."
    )


def slots_are_shared_out(facts: LayoutFacts) -> str | None:
    """Fully sharded slots divide over the tensor ranks, and experts' are not shared out twice."""
    tuning, layout = facts.pool.tuning, facts.layout
    if not (tuning.fully_sharded_loras and tuning.max_loras):
        return None
    if layout.expert > 1:
        return (
            "fully-sharded-loras shares slots out over the ranks that share out whole experts"
            " already. Leave it out, or expert at 1."
        )
    rank = tuning.max_lora_rank or ASSUMED_RANK
    if rank % layout.tensor == 0:
        return None
    return (
        f"fully-sharded-loras cuts slots of rank {rank} into {layout.tensor} parts: {rank} is"
        f" {rank % layout.tensor} more than a multiple. Leave it out, or take another rank."
    )


def offloaded_hybrid_starts(facts: PoolFacts) -> str | None:
    """Weights in host memory go with models whose layers all have one block size."""
    if not facts.tuning.cpu_offload_gib or not facts.model.is_hybrid:
        return None
    return (
        f"vLLM {facts.version} keeps no weights of {facts.model.name} in host memory: its layers"
        " differ in block size. Leave cpu-offload-gib out, or take a newer version."
    )


def activation_order_is_taken(facts: PoolFacts) -> str | None:
    """The release takes GPTQ columns that are ordered by activation."""
    fmt = facts.fmt
    if not fmt.act_order or fmt.layout is not FileLayout.GPTQ or fmt.group_size <= 0:
        return None
    return (
        f"The checkpoint orders its columns by activation (desc_act), which vLLM {facts.version} no"
        " longer takes. Another quantization would do."
    )
