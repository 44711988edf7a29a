"""Does one candidate fit: the memory of each rank, the KV pool, and the context it can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit, Misfit, margin_blocks

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate
    from qwen3_planner.question import Question
    from qwen3_planner.serving.contract import Serving
    from qwen3_planner.serving.verdicts import Correction
    from qwen3_planner.sizing.stages import Setting, StageMemory


@dataclass(frozen=True, slots=True)
class Room:
    """What a candidate has for the KV cache: the same under every load, so worked out once.

    Attributes:
        candidate: which.
        setting: of the engine.
        stages: memory of each stage's tightest rank.
        blocks: KV blocks that fit: the minimum over all ranks.
        error_bytes: how far the KV memory per GPU may be off, one standard deviation.
        correction: what measurements say; None where there are none.
    """

    candidate: Candidate
    setting: Setting
    stages: tuple[StageMemory, ...]
    blocks: int
    error_bytes: float
    correction: Correction | None


def fit(question: Question, candidate: Candidate, setting: Setting) -> Fit | Misfit:
    """Decide whether a legal candidate holds the load, and with which context."""
    return fit_load(question, room_of(question, candidate, setting))


def room_of(question: Question, candidate: Candidate, setting: Setting) -> Room:
    """Work out the memory of a legal candidate.

    Of the load it depends on the setting alone (:class:`qwen3_planner.serving.contract.Serving`).
    """
    serving = serving_of(question.engine)
    stages = serving.stages(question, candidate, setting)
    error = serving.error_bytes(question, candidate, setting, stages)
    correction = None
    if question.calibration.memory:
        stages, error, correction = _as_measured(question, candidate, setting, stages, error)
    if correction is not None and correction.is_same:
        stages = tuple(replace(stage, may_lack=0, may_spare=0) for stage in stages)
    blocks = min(stage.blocks for stage in stages)
    return Room(candidate, setting, stages, blocks, error, correction)


def fit_load(question: Question, room: Room) -> Fit | Misfit:
    """Decide whether there is room for the load, and with which context.

    The context that is wanted comes first; where the user left it open, the longest multiple of a
    block that the whole load surely fits into.
    """
    serving, layout, blocks = serving_of(question.engine), room.candidate.layout, room.blocks
    context = question.wanted_context
    needed = serving.needed_blocks(question, layout, context)
    is_short = needed > blocks
    if is_short:
        if serving.longest_context(question, layout, blocks) < question.shortest_context:
            return _misfit(serving, question, room)
        surely = blocks - margin_blocks(room.stages, room.error_bytes)
        sure = serving.longest_context(question, layout, surely)
        context = max(sure, question.shortest_context)
        needed = serving.needed_blocks(question, layout, context)
    return Fit(
        room.candidate,
        room.setting,
        room.stages,
        blocks,
        needed,
        context,
        is_short,
        room.error_bytes,
        room.correction,
    )


def holds(question: Question, candidate: Candidate, setting: Setting) -> bool:
    """Whether :func:`fit` says yes, without what it would say."""
    if question.calibration.memory:
        return isinstance(fit(question, candidate, setting), Fit)
    serving, layout = serving_of(question.engine), candidate.layout
    blocks = min(stage.blocks for stage in serving.stages(question, candidate, setting))
    return (
        serving.needed_blocks(question, layout, question.wanted_context) <= blocks
        or serving.longest_context(question, layout, blocks) >= question.shortest_context
    )


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


def _misfit(serving: Serving, question: Question, room: Room) -> Misfit:
    context = question.shortest_context
    needed = serving.needed_blocks(question, room.candidate.layout, context)
    tightest = max(room.stages, key=lambda stage: stage.fixed + needed * stage.block - stage.budget)
    return Misfit(room.candidate, room.setting, tightest, needed, context)
