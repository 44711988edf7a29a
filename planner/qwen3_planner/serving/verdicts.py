"""The two answers to whether a candidate holds the load."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate
    from qwen3_planner.sizing.stages import Setting, StageMemory

NINETY_PERCENT = 1.645
"""Standard deviations on each side of a 90 % interval."""

BEYOND_EITHER_CASE = 1.15
"""The same beyond the farther of two cases that are about as likely: an eighth of its starts."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What measurements add to the planned memory of one GPU.

    Attributes:
        added_bytes: beyond what is planned; negative: less is taken.
        sources: of the measurements, in words.
        is_same: whether the very same start was measured.
    """

    added_bytes: int
    sources: tuple[str, ...]
    is_same: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """A candidate that holds the load.

    Attributes:
        candidate: which.
        setting: of the engine.
        stages: memory of each stage's tightest rank.
        blocks: KV blocks that fit: the minimum over all ranks.
        needed_blocks: of which the load needs so many.
        max_model_len: the context it holds.
        is_shortened: whether that is less than was wanted.
        error_bytes: how far the KV memory per GPU may be off, one standard deviation.
        correction: what measurements changed in ``stages``; None: nothing.
    """

    candidate: Candidate
    setting: Setting
    stages: tuple[StageMemory, ...]
    blocks: int
    needed_blocks: int
    max_model_len: int
    is_shortened: bool
    error_bytes: float
    correction: Correction | None = None

    @property
    def margin_blocks(self) -> int:
        """How far below ``blocks`` the 90 % interval reaches."""
        return margin_blocks(self.stages, self.error_bytes)

    @property
    def spare_blocks(self) -> int:
        """How far above ``blocks`` it reaches."""
        return spare_blocks(self.stages, self.error_bytes)

    @property
    def is_narrow(self) -> bool:
        """Whether the need lies inside the error of the estimate: the engine may not start."""
        return self.blocks - self.needed_blocks < self.margin_blocks


@dataclass(frozen=True, slots=True)
class Misfit:
    """A candidate that does not hold the load, with what its tightest rank lacks.

    Attributes:
        candidate: which.
        setting: of the engine.
        stage: the stage that lacks most.
        needed_blocks: KV blocks the load needs at the shortest context that would do.
        context: that context.
    """

    candidate: Candidate
    setting: Setting
    stage: StageMemory
    needed_blocks: int
    context: int

    @property
    def needed_bytes(self) -> int:
        """What the tightest rank would have to have."""
        return self.stage.fixed + self.needed_blocks * self.stage.block

    @property
    def missing_bytes(self) -> int:
        """How much of it is missing."""
        return self.needed_bytes - self.stage.budget


def margin_blocks(stages: tuple[StageMemory, ...], error_bytes: float) -> int:
    """Return how far below the blocks of the tightest stage the 90 % interval reaches.

    A stage that may lack much more than the tightest one may turn out the tightest itself.
    """
    low = min(
        stage.blocks - ceil(reach_bytes(error_bytes, stage.may_lack) / stage.block)
        for stage in stages
    )
    return min(stage.blocks for stage in stages) - low


def spare_blocks(stages: tuple[StageMemory, ...], error_bytes: float) -> int:
    """Return how far above them it reaches: no farther than the next tightest stage."""
    high = min(
        stage.blocks + ceil(reach_bytes(error_bytes, stage.may_spare) / stage.block)
        for stage in stages
    )
    return high - min(stage.blocks for stage in stages)


def reach_bytes(error_bytes: float, either: int) -> float:
    """Return how far a 90 % interval reaches to one side.

    >>> reach_bytes(100.0, 0), reach_bytes(100.0, 1000)
    (164.5, 1115.0)

    Args:
        error_bytes: one standard deviation.
        either: what a start takes (or does without) in one of two cases, and nothing in the other.
    """
    return max(NINETY_PERCENT * error_bytes, either + BEYOND_EITHER_CASE * error_bytes)
