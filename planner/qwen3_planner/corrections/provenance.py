"""Where a plan's figures come from once measurements were taken up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.corrections.subjects import is_within
from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.calibration import Calibration
    from qwen3_planner.catalog.measurements import MemoryRow, Reach, SpeedRow
    from qwen3_planner.corrections.subjects import Subject
    from qwen3_planner.serving.verdicts import Correction

MEASURED = ("memory.kvCache", "memory.overhead")
"""Figures that a start-up log corrects: the pool that it names, and the rest that explains it."""


def measured(said: tuple[Provenance, ...], correction: Correction) -> tuple[Provenance, ...]:
    """Name the measurements as source of the figures that they corrected."""
    return tuple(_measured(each, correction) if each.figure in MEASURED else each for each in said)


def _measured(said: Provenance, correction: Correction) -> Provenance:
    sign = "+" if correction.added_bytes >= 0 else "-"
    moved = f"{sign}{format_gib(abs(correction.added_bytes))} a GPU"
    where = "" if correction.is_same else ", measured on another start"
    source = f"{'; '.join(correction.sources)}: {moved}{where}; {said.source}"
    return replace(said, basis=Basis.FITTED, source=source)


MOST_NAMED = 3
"""Reaches that are named where none speaks for a plan."""


def unheard(
    calibration: Calibration, subject: Subject, correction: Correction | None
) -> Iterator[str]:
    """Say so where nothing of a calibration was taken up."""
    card = subject.setup.accelerator.lower()
    if (
        correction is not None
        or any(is_within(row.reach, subject) for row in calibration.speed)
        or any(row.accelerator.lower() == card for row in calibration.devices)
    ):
        return
    measured_rows: tuple[MemoryRow | SpeedRow, ...] = (*calibration.memory, *calibration.speed)
    reaches = dict.fromkeys(_named(row.reach) for row in measured_rows)
    cards = dict.fromkeys(row.accelerator for row in calibration.devices)
    held = "; ".join([*reaches, *cards][:MOST_NAMED])
    yield f"Nothing that was measured speaks for this plan: the calibration is of {held}."


def _named(reach: Reach) -> str:
    until = f" to before {reach.until}" if reach.until else " on"
    kinds = ", ".join(part for part in (reach.kind, reach.layout, reach.weights) if part)
    return f"{reach.engine} {reach.since}{until} on {reach.accelerator} ({kinds})"
