"""Where a plan's figures come from once measurements were taken up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.plan import Basis, Provenance
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
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
