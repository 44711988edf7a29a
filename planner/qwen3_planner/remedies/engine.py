"""Steps that take another engine, or another version of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.ladders import serves
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.plan import Change
from qwen3_planner.remedies.trying import one
from qwen3_planner.request import EngineName, MultiNode, Quantization
from qwen3_planner.rules.chains import turning_points
from qwen3_planner.serving.registry import known_engines

if TYPE_CHECKING:
    from qwen3_planner.remedies.trying import Stuck


def engine_step(stuck: Stuck) -> Change | None:
    """Take another engine, with the version that comes with it and formats that it serves.

    One that serves the asked format comes first.
    """
    asked = stuck.request.quantization
    others = [engine for engine in known_engines() if _may_take(stuck, engine)]
    others.sort(key=lambda engine: asked is not Quantization.AUTO and not serves(engine, asked))
    return stuck.first(_change_to(stuck, other) for other in others)


def _may_take(stuck: Stuck, engine: EngineName) -> bool:
    """Whether it is another engine, and one that reads the same files of adapters."""
    here = stuck.question.engine
    reads_gguf = EngineName.LLAMACPP
    alike = (engine is reads_gguf) == (here is reads_gguf)
    return engine is not here and (alike or not stuck.request.adapters)


def launcher_step(stuck: Stuck) -> Change | None:
    """Start the ranks of a replica over several nodes through Ray."""
    if stuck.question.engine is not EngineName.VLLM or stuck.request.tuning.takes_ray:
        return None
    return stuck.first([one("multiNode", MultiNode.RAY.value)])


def version_step(stuck: Stuck) -> Change | None:
    """Take the nearest version that plans: newer ones first, then older ones.

    Tried are the versions at which a rule begins or ends to hold, and the default one.
    """
    release, here = stuck.question.release, stuck.question.version
    oldest, newest = (
        parse_version(typed) for typed in (release.minimum_version, release.newest_known_version)
    )
    points = {*turning_points(stuck.question.engine), parse_version(release.default_version)}
    known = sorted(version for version in points if oldest <= version <= newest)
    newer = [version for version in known if version > here]
    older = [version for version in reversed(known) if version < here]
    return stuck.first(one("engineVersion", str(version)) for version in (*newer, *older))


def _change_to(stuck: Stuck, engine: EngineName) -> Change:
    """Assign an engine, and what of the request would be nonsense to it."""
    request = stuck.request
    assignments: list[tuple[str, str | int | float]] = [("engine", engine.value)]
    if request.engine_version is not None:
        assignments.append(("engineVersion", stuck.catalog.engine(engine.value).default_version))
    if request.quantization is not Quantization.AUTO and not serves(engine, request.quantization):
        assignments.append(("quantization", Quantization.AUTO.value))
    return Change(tuple(assignments))
