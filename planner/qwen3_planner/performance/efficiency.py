"""Which of the fitted efficiencies describes a case best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.catalog.figures import ANY, Efficiency
from qwen3_planner.engines.versions import Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ANY", "Efficiency", "efficiency_of"]


def efficiency_of(  # noqa: PLR0913 - the key of a row
    rows: Sequence[Efficiency],
    engine: str,
    version: Version,
    *,
    device: str,
    weights: str,
    kind: str,
    subject: tuple[str, str] = ("", ""),
) -> Efficiency | None:
    """Return the row that describes a case best; None where the engine has none.

    What holds for the very model and accelerator comes first, then the row of the device and
    format, then that of the format on any device, then any format on the device. Among several
    version ranges the newest that has begun counts, or the oldest where none has.

    Args:
        rows: of the catalog.
        engine: name of the engine.
        version: of it.
        device: class of the device.
        weights: class of the weight format.
        kind: ``dense`` or ``moe``.
        subject: names of model and accelerator, for rows that hold for those alone.
    """
    usable = [
        row
        for row in rows
        if row.engine == engine
        and row.kind == kind
        and (row.device == device or row.device == ANY)  # noqa: PLR1714 - twice as fast as `in`
        and row.weights in (weights, ANY)
        and (not row.only_seen or row.has_seen(subject))
    ]
    if not usable:
        return None
    nearest = min(_distance(row) for row in usable)
    ranges = sorted(
        ((parse_version(row.since), row) for row in usable if _distance(row) == nearest),
        key=lambda pair: pair[0],
    )
    begun = [row for since, row in ranges if since <= version]
    return begun[-1] if begun else ranges[0][1]


def _distance(row: Efficiency) -> tuple[bool, bool, bool]:
    return not row.only_seen, row.weights == ANY, row.device == ANY
