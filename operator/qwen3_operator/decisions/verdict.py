"""What a decision answers: a reason from the documented vocabulary and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.api.reasons import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why something is as it is.

    Attributes:
        reason: one word, for programs; never renamed.
        message: a sentence or two, for people: what, how far off, and what would help.
    """

    reason: Reason
    message: str
