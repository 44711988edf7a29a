"""What an engine does otherwise from some version on, as far as it concerns a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.question import Question
    from qwen3_planner.upgrading.values import Turn


def turns_between(
    before: Question, after: Question, accelerators: tuple[str, ...]
) -> tuple[Turn, ...]:
    """List the rulings that changed between two versions, in the order of their versions."""
    del before, after, accelerators
    return ()
