"""What vLLM's formulas are asked about a question, a candidate, a fit."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm.flags import takes
from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS, semantics_at, traits_of
from qwen3_planner.engines.vllm.yarn import rope_positions
from qwen3_planner.request import KvCacheDtype
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.serving.vllm_lora import slots_at
from qwen3_planner.serving.vllm_memory import (
    NOTHING_ADDED,
    Additions,
    RankParts,
    rank_parts,
)
from qwen3_planner.sizing.formats import BF16
from qwen3_planner.sizing.kv_cache import KvShape, kv_bytes_per_32, kv_shape
from qwen3_planner.sizing.stages import Device, Setting, StageMemory
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.engines.vllm.semantics import VllmSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.serving.verdicts import Fit

DEFAULT_DRAFT_TOKENS = 3
"""Tokens drafted per step where the user names a draft model alone; vLLM itself has no default."""


def semantics_of(question: Question, choice: WeightChoice | None = None) -> VllmSemantics:
    """Return what holds for the question's version; newer than known takes the newest known.

    Args:
        question: what is planned.
        choice: the weights; None: where it does not matter that they may be quantized.
    """
    return _semantics(
        question.version,
        question.release.newest_known_version,
        question.model,
        choice is not None and choice.fmt.is_quantized,
        question.request.tuning.draft_model is not None,
    )


@lru_cache(maxsize=1024)
def _semantics(
    version: Version,
    newest: str,
    model: ModelArchitecture,
    is_quantized: bool,  # noqa: FBT001 - a cache's key, asked several times for each candidate
    has_draft: bool,  # noqa: FBT001 - likewise
) -> VllmSemantics:
    traits = traits_of(model, is_quantized=is_quantized, has_draft=has_draft)
    return semantics_at(min(version, parse_version(newest)), traits)


def additions_of(question: Question, choice: WeightChoice | None = None) -> Additions:
    """Gather what the user's tuning adds to a rank or takes off it, where the version can."""
    tuning, draft = question.tuning, question.draft
    given = (tuning.kv_cache_memory_bytes, tuning.cpu_offload_gib, tuning.enforce_eager)
    if draft is None and not any(given) and not tuning.max_loras:
        return NOTHING_ADDED
    semantics = semantics_of(question, choice)
    can_be_given = takes("--kv-cache-memory-bytes", semantics.version)
    offload_gib = tuning.cpu_offload_gib if semantics.offloads else None
    return Additions(
        kv_cache_bytes=tuning.kv_cache_memory_bytes if can_be_given else None,
        offload_bytes=int((offload_gib or 0) * GIB),
        is_eager=bool(tuning.enforce_eager),
        slots=replace(
            slots_at(
                question.model, semantics.version, tuning.max_loras or 0, tuning.max_lora_rank
            ),
            is_fully_sharded=bool(tuning.fully_sharded_loras),
        ),
        draft=draft,
        draft_fmt=BF16,
        draft_tokens=tuning.draft_tokens or DEFAULT_DRAFT_TOKENS if draft else 0,
    )


def device_of(pool: Pool) -> Device:
    """Return what memory depends on of a pool's accelerator."""
    accelerator = pool.accelerator
    return Device(
        pool.device_bytes,
        accelerator.compute_capability,
        has_fp8_units(accelerator),
        accelerator.link_gb_per_s > 0,
    )


def tightest_stage(stages: tuple[StageMemory, ...]) -> int:
    """Return the stage whose room decides the size of the KV pool."""
    return min(stages, key=lambda stage: stage.blocks).stage


def table_rows(question: Question, context: int) -> int:
    """Return the rows of the rotary table that reach a context."""
    positions = rope_positions(question.model, context)
    return semantics_of(question).table_rows(question.model, positions)


def parts_of(question: Question, fit: Fit, stage: int, expert_rank: int) -> RankParts:
    """Return the addends of one GPU's memory, at the context that the plan holds."""
    return rank_of(
        question,
        fit.candidate,
        fit.setting,
        stage,
        expert_rank=expert_rank,
        context=fit.max_model_len,
    )


def rank_of(  # noqa: PLR0913 - each is a fact of its own
    question: Question,
    candidate: Candidate,
    setting: Setting,
    stage: int,
    *,
    expert_rank: int = 0,
    context: int | None = None,
) -> RankParts:
    """Return the addends of one rank of a candidate; by default at the wanted context."""
    return rank_parts(
        question.model,
        candidate.choice.fmt,
        candidate.layout,
        stage=stage,
        semantics=semantics_of(question, candidate.choice),
        batch=setting.batch,
        is_compiled=setting.is_compiled,
        device=device_of(candidate.pool),
        positions=table_rows(question, context or question.wanted_context),
        additions=additions_of(question, candidate.choice),
        expert_rank=expert_rank,
    )


def cache_of(question: Question, choice: WeightChoice) -> KvCacheDtype:
    """Return what the KV cache holds: as asked for, else by the files, else 16 bit."""
    is_free = question.request.kv_cache_dtype is KvCacheDtype.AUTO
    follows = semantics_of(question, choice).cache_follows_files
    if is_free and follows and choice.fmt.kv_scales:
        return KvCacheDtype.FP8
    return question.kv_cache_dtype


def kv_shape_of(question: Question, layout: Layout) -> KvShape:
    """Return how one sequence takes blocks of the pool."""
    width = kv_bytes_per_32(question.kv_cache_dtype)
    states = semantics_of(question).states_per_group
    return kv_shape(question.model, layout.tensor, width, BLOCK_TOKENS, states)
