"""A calibration as the document of an overlay file; back: :mod:`qwen3_planner.corrections.parsing`.

Pure; no file is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from qwen3_planner.catalog.calibration import Calibration
from qwen3_planner.catalog.measurements import (
    Compared,
    DeviceRow,
    MemoryRow,
    Origin,
    Reach,
    Setup,
    SpeedRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = "calibration/v1"

Row: TypeAlias = MemoryRow | SpeedRow | DeviceRow
Document: TypeAlias = dict[str, Any]

DIGITS = 6
"""Significant digits of what is derived: an overlay is read by people too."""


def rows_of(calibration: Calibration) -> tuple[Row, ...]:
    """List every row."""
    return (*calibration.memory, *calibration.speed, *calibration.devices)


def calibration_of(rows: Iterable[Row]) -> Calibration:
    """Sort rows by their kind."""
    listed = tuple(rows)
    return Calibration(
        memory=tuple(row for row in listed if isinstance(row, MemoryRow)),
        speed=tuple(row for row in listed if isinstance(row, SpeedRow)),
        devices=tuple(row for row in listed if isinstance(row, DeviceRow)),
    )


def identity(row: Row) -> tuple[object, ...]:
    """Return what two rows that say the same have in common: the later one then counts."""
    subject = row.accelerator if isinstance(row, DeviceRow) else row.setup
    return type(row).__name__, row.origin.sha256, subject


def merged(known: Iterable[Row], new: Iterable[Row]) -> tuple[Row, ...]:
    """Add rows to those that are known; none is lost, one that is given again takes its place."""
    rows = {identity(row): row for row in known}
    for row in new:
        rows[identity(row)] = row
    return tuple(rows.values())


def to_document(rows: Iterable[Row]) -> Document:
    """Say rows as an overlay document."""
    return {"schema": SCHEMA, "entries": [entry_document(row) for row in rows]}


def entry_document(row: Row) -> Document:
    """Say one row."""
    head = {"kind": _kind(row), "origin": _origin_document(row.origin)}
    figures = [_compared_document(figure) for figure in row.figures]
    if isinstance(row, DeviceRow):
        factors = {
            "memoryFactor": _short(row.memory_factor),
            "computeFactor": _short(row.compute_factor),
            "attentionFactor": _short(row.attention_factor),
        }
        reach: Document = {"accelerator": row.accelerator}
        return head | {"appliesTo": reach, "figures": figures, "correction": factors}
    head |= {"appliesTo": _reach_document(row.reach), "setup": _setup_document(row.setup)}
    if isinstance(row, MemoryRow):
        correction: Document = {
            "addedBytes": row.added_bytes,
            "sigmaBytes": round(row.sigma_bytes),
        }
    else:
        correction = {
            "decodeFactor": _short(row.decode_factor) if row.has_decode else None,
            "promptFactor": _short(row.prompt_factor) if row.has_prompt else None,
            "sigma": _short(row.sigma),
            "loads": row.loads,
        }
        correction = {key: value for key, value in correction.items() if value is not None}
    return head | {"figures": figures, "correction": correction}


def _kind(row: Row) -> str:
    names = {MemoryRow: "memory", SpeedRow: "speed", DeviceRow: "device"}
    return names[type(row)]


def _origin_document(origin: Origin) -> Document:
    return {
        "name": origin.name,
        "format": origin.format,
        "sha256": origin.sha256,
        "date": origin.date,
    }


def _compared_document(figure: Compared) -> Document:
    return {
        "figure": figure.figure,
        "unit": figure.unit,
        "planned": _short(figure.planned),
        "measured": _short(figure.measured),
        "error": _short(figure.error),
        "factor": _short(figure.factor),
    }


def _reach_document(reach: Reach) -> Document:
    document = {
        "engine": reach.engine,
        "since": reach.since,
        "until": reach.until,
        "accelerator": reach.accelerator,
        "modelKind": reach.kind,
        "layoutKind": reach.layout,
        "weights": reach.weights,
    }
    return {key: value for key, value in document.items() if value}


def _setup_document(setup: Setup) -> Document:
    layout = setup.layout
    document: Document = {
        "engine": setup.engine,
        "version": setup.version,
        "accelerator": setup.accelerator,
        "variant": setup.variant,
        "modelKind": setup.kind,
        "quantization": setup.quantization,
        "layout": {
            "tensor": layout.tensor,
            "pipeline": layout.pipeline,
            "data": layout.data,
            "expert": layout.expert,
        },
    }
    if setup.batch_tokens:
        document["batchTokens"] = setup.batch_tokens
    if setup.batch_sequences:
        document["batchSequences"] = setup.batch_sequences
    return document


def _short(value: float) -> float:
    """Round to the digits that are written; whole numbers stay whole.

    >>> _short(87584.0), _short(0.123456789)
    (87584, 0.123457)
    """
    if float(value).is_integer():
        return int(value)
    return float(f"{value:.{DIGITS}g}")
