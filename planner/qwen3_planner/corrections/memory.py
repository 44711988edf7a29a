"""Measured memory in a plan: what one GPU takes beyond what is planned, and the error that is left.

Pure: (planned stages, their error, rows) -> (corrected stages, smaller error).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.corrections.combining import Observation, join
from qwen3_planner.corrections.subjects import Nearness, nearness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qwen3_planner.catalog.calibration import MemoryRow
    from qwen3_planner.corrections.subjects import Subject
    from qwen3_planner.serving.verdicts import Correction
    from qwen3_planner.sizing.stages import StageMemory

TRANSFER = {Nearness.SAME_MODEL: 0.5, Nearness.MODEL: 1.0}
"""How far a deviation that was measured in another start may be off here, in the planner's own
errors. Assumed: among the starts of tests/unit/planner/accuracy only seven pairs share engine,
minor version, card and kinds; their deviations differ by 0.02 to 2.8 of that error, half of them by
less than 0.2."""


def observations(
    rows: Iterable[MemoryRow], subject: Subject, sigma: float
) -> list[tuple[MemoryRow, Observation]]:
    """List what was measured that speaks for a plan, with how sure it is there."""
    found = []
    for row in rows:
        near = nearness(row.reach, row.setup, subject)
        if near is Nearness.SAME:
            found.append((row, Observation(row.added_bytes, row.sigma_bytes, is_same=True)))
        elif near is not Nearness.OTHER:
            width = max(sigma * TRANSFER[near], row.sigma_bytes)
            found.append((row, Observation(row.added_bytes, width)))
    return found


def corrected(
    stages: tuple[StageMemory, ...], error: float, rows: Sequence[MemoryRow], subject: Subject
) -> tuple[tuple[StageMemory, ...], float, Correction | None]:
    """Take up what was measured; as planned where nothing measured speaks for it.

    Args:
        stages: as planned.
        error: of the KV memory of one GPU, one standard deviation, bytes.
        rows: of the calibration.
        subject: what is planned.

    Returns:
        The stages with what GPUs take besides, the error that is left, and what was taken up.
    """
    from qwen3_planner.serving.verdicts import Correction  # noqa: PLC0415 - only where calibrated

    found = observations(rows, subject, error)
    if not found or error == 0.0:
        return stages, error, None
    same = [pair for pair in found if pair[1].is_same]
    used = same or found
    joined = join(error, [each for _, each in used])
    added = round(joined.value)
    sources = tuple(dict.fromkeys(str(row.origin) for row, _ in used))
    moved = tuple(with_added(stage, added) for stage in stages)
    return moved, joined.sigma, Correction(added, sources, is_same=bool(same))


def with_added(stage: StageMemory, added: int) -> StageMemory:
    """Put measured bytes into a stage: on top of the overhead; what is less comes off its parts.

    No part falls below nothing: first the overhead shrinks, then activations, graphs and weights.
    """
    if added >= 0:
        return replace(stage, overhead=stage.overhead + added)
    left, sizes = -added, {}
    for part in ("overhead", "activation", "graphs", "weights"):
        size: int = getattr(stage, part)
        taken = min(size, left)
        sizes[part], left = size - taken, left - taken
    return replace(stage, **sizes)
