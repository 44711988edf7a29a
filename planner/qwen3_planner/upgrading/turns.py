"""What an engine does otherwise from some version on, as far as it concerns a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.request import EngineName
from qwen3_planner.upgrading.llamacpp_turns import llamacpp_subjects
from qwen3_planner.upgrading.sglang_turns import sglang_subjects
from qwen3_planner.upgrading.vllm_turns import vllm_subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_planner.candidates import Pool
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.upgrading.subjects import Subject
    from qwen3_planner.upgrading.values import Turn

    Versions = tuple[Version, Version]

_SUBJECTS: dict[
    EngineName, Callable[[Question, WeightChoice, Pool, Versions], Iterator[Subject]]
] = {
    EngineName.VLLM: vllm_subjects,
    EngineName.SGLANG: sglang_subjects,
    EngineName.LLAMACPP: llamacpp_subjects,
}


def turns_between(
    question: Question, to: Version, choice: WeightChoice, pool: Pool
) -> tuple[Turn, ...]:
    """List the rulings that changed between two versions, in the order of their versions.

    Only what concerns the question: experts for models that have some, images for those that see.

    Args:
        question: under the old version.
        to: the new one.
        choice: the weights that are served.
        pool: where.
    """
    subjects = _SUBJECTS.get(question.engine)
    if subjects is None:
        return ()
    newest = parse_version(question.release.newest_known_version)
    versions = (min(question.version, newest), min(to, newest))
    changed = [s for s in subjects(question, choice, pool, versions) if s.before != s.after]
    return tuple(one.turn for one in sorted(changed, key=lambda one: one.since))
