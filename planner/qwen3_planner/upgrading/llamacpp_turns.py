"""What llama.cpp decides by build, of what a plan depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.llamacpp.semantics import (
    FLASH_FLAG,
    HAS_CPU_EXPERTS,
    HAS_FIT,
    HAS_PROMPT_CACHE,
    HAS_UNIFIED_FLAG,
    LIMITS_LOGITS,
    FlashFlag,
)
from qwen3_planner.upgrading.subjects import subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Pool
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.upgrading.subjects import Subject


def llamacpp_subjects(
    question: Question, choice: WeightChoice, pool: Pool, versions: tuple[Version, Version]
) -> Iterator[Subject]:
    """Yield what llama.cpp decides by build, of what this question depends on."""
    del choice, pool
    yield subject("how flash attention is asked for", FLASH_FLAG, versions, _flash)
    yield subject("settings left open are fitted to memory (--fit)", HAS_FIT, versions)
    yield subject("prompts are kept in host memory (--cache-ram)", HAS_PROMPT_CACHE, versions)
    yield subject("slots can share one cache (--kv-unified)", HAS_UNIFIED_FLAG, versions)
    yield subject("logits of one token a slot are reserved", LIMITS_LOGITS, versions)
    if question.model.is_moe:
        yield subject("experts can stay on the host (--n-cpu-moe)", HAS_CPU_EXPERTS, versions)


def _flash(flag: FlashFlag) -> str:
    return f"--flash-attn {flag.value}".strip()
