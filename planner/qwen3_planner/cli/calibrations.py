"""Which overlay a command takes up, and taking it up."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog

OPTION = "--calibration"
VARIABLE = "QWEN3_CALIBRATION"
"""Names the overlay where the option does not."""

OFF = "none"
"""Takes none up, whatever the variable says."""


def overlay_named(typed: str | None) -> str | None:
    """Return the overlay that is meant: the option's, else the variable's; None for none."""
    named = typed if typed is not None else os.environ.get(VARIABLE)
    return None if not named or named.strip().lower() == OFF else named


def calibrated(catalog: Catalog, typed: str | None) -> Catalog:
    """Let a catalog know what an overlay says.

    Raises:
        SpecError: the overlay cannot be read.
    """
    path = overlay_named(typed)
    if path is None:
        return catalog
    from qwen3_planner.calibrate.overlay import read_overlay  # noqa: PLC0415 - only where given

    field = OPTION if typed is not None else VARIABLE
    return replace(catalog, calibration=read_overlay(path, field))
