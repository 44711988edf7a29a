"""Steps that take another engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.ladders import serves
from qwen3_planner.plan import Change
from qwen3_planner.request import Quantization
from qwen3_planner.serving.registry import known_engines

if TYPE_CHECKING:
    from qwen3_planner.remedies.trying import Stuck
    from qwen3_planner.request import EngineName


def engine_step(stuck: Stuck) -> Change | None:
    """Take another engine, with the version that comes with it and formats that it serves."""
    others = (engine for engine in known_engines() if engine is not stuck.question.engine)
    return stuck.first(_change_to(stuck, other) for other in others)


def _change_to(stuck: Stuck, engine: EngineName) -> Change:
    """Assign an engine, and what of the request would be nonsense to it."""
    request = stuck.request
    assignments: list[tuple[str, str | int | float]] = [("engine", engine.value)]
    if request.engine_version is not None:
        assignments.append(("engineVersion", stuck.catalog.engine(engine.value).default_version))
    if request.quantization is not Quantization.AUTO and not serves(engine, request.quantization):
        assignments.append(("quantization", Quantization.AUTO.value))
    return Change(tuple(assignments))
