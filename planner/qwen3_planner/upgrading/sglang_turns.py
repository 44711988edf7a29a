"""What SGLang decides by version, of what a plan depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.sglang.fraction import FRACTION_FORM
from qwen3_planner.engines.sglang.semantics import (
    DATA_FORM,
    DECODE_FOLLOWS_REQUESTS,
    EXPERT_FORM,
    HYBRID_HEAD_IS_WIDE,
    LAST_STAGE_TAKES_REST,
    LONGER_CONTEXT_REFUSED,
    MULTIMODAL_RESERVE_MIB,
    PAGED_ON_BLACKWELL,
    PIPELINE,
)
from qwen3_planner.upgrading.subjects import subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Pool
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.upgrading.subjects import Subject

DATA_CENTRE_BLACKWELL = 10
"""Compute capability major of B200 and GB200."""


def sglang_subjects(
    question: Question, choice: WeightChoice, pool: Pool, versions: tuple[Version, Version]
) -> Iterator[Subject]:
    """Yield what SGLang decides by version, of what this question depends on."""
    del choice
    model, capability = question.model, pool.accelerator.compute_capability
    if question.request.tuning.gpu_memory_utilization is None:
        yield subject("how --mem-fraction-static is found", FRACTION_FORM, versions)
    yield subject("decode graphs follow --max-running-requests", DECODE_FOLLOWS_REQUESTS, versions)
    yield subject("pipeline stages", PIPELINE, versions)
    yield subject("the last stage takes what does not divide", LAST_STAGE_TAKES_REST, versions)
    yield subject("a longer context is refused", LONGER_CONTEXT_REFUSED, versions)
    yield subject("spelling of attention data parallelism", DATA_FORM, versions)
    if model.is_moe:
        yield subject("spelling of expert parallelism", EXPERT_FORM, versions)
    if model.is_hybrid:
        yield subject("the output head is 32 bit", HYBRID_HEAD_IS_WIDE, versions)
    if model.vision is not None:
        yield subject("MiB kept for image embeddings", MULTIMODAL_RESERVE_MIB, versions)
    if capability is not None and capability[0] == DATA_CENTRE_BLACKWELL:
        yield subject("KV pages of 64 tokens", PAGED_ON_BLACKWELL, versions)
