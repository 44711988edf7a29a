"""Does one candidate fit: the memory of each rank, the KV pool, and the context it can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit, Misfit, margin_blocks

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate
    from qwen3_planner.question import Question
    from qwen3_planner.serving.contract import Serving
    from qwen3_planner.serving.verdicts import Correction
    from qwen3_planner.sizing.stages import Setting, StageMemory


def fit(question: Question, candidate: Candidate, setting: Setting) -> Fit | Misfit:
    """Decide whether a legal candidate holds the load, and with which context.

    The context that is wanted comes first; where the user left it open, the longest multiple of a
    block that the whole load surely fits into.
    """
    serving = serving_of(question.engine)
    stages = serving.stages(question, candidate, setting)
    error = serving.error_bytes(question, candidate, setting, stages)
    correction = None
    if question.calibration.memory:
        stages, error, correction = _as_measured(question, candidate, setting, stages, error)
    layout, context = candidate.layout, question.wanted_context
    blocks = min(stage.blocks for stage in stages)
    is_short = serving.needed_blocks(question, layout, context) > blocks
    if is_short:
        if serving.longest_context(question, layout, blocks) < question.shortest_context:
            return _misfit(serving, question, candidate, setting, stages)
        surely = blocks - margin_blocks(stages, error)
        sure = serving.longest_context(question, layout, surely)
        context = max(sure, question.shortest_context)
    needed = serving.needed_blocks(question, layout, context)
    return Fit(candidate, setting, stages, blocks, needed, context, is_short, error, correction)


def _as_measured(
    question: Question,
    candidate: Candidate,
    setting: Setting,
    stages: tuple[StageMemory, ...],
    error: float,
) -> tuple[tuple[StageMemory, ...], float, Correction | None]:
    """Take up what was measured; a pool that was given stays as large as it is."""
    from qwen3_planner.corrections.memory import corrected  # noqa: PLC0415 - only where calibrated
    from qwen3_planner.corrections.subjects import subject_of  # noqa: PLC0415 - as above

    if question.request.tuning.kv_cache_memory_bytes is not None:
        return stages, error, None
    subject = subject_of(question, candidate, setting.batch)
    return corrected(stages, error, question.calibration.memory, subject)


def _misfit(
    serving: Serving,
    question: Question,
    candidate: Candidate,
    setting: Setting,
    stages: tuple[StageMemory, ...],
) -> Misfit:
    context = question.shortest_context
    needed = serving.needed_blocks(question, candidate.layout, context)
    tightest = max(stages, key=lambda stage: stage.fixed + needed * stage.block - stage.budget)
    return Misfit(candidate, setting, tightest, needed, context)
