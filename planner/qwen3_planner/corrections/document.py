"""A calibration as the document of an overlay file, and back. Pure; no file is touched.

Errors name the path of what is wrong (``entries[2].appliesTo.since``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

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
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = "calibration/v1"

Row: TypeAlias = MemoryRow | SpeedRow | DeviceRow
Document: TypeAlias = dict[str, Any]

T = TypeVar("T", str, int, float, bool)

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


def from_document(document: object, field: str) -> Calibration:
    """Read an overlay document.

    Args:
        document: as YAML or JSON gives it.
        field: name of where it stands, for messages.

    Raises:
        SpecError: it is no overlay, of another schema, or an entry is wrong.
    """
    if not isinstance(document, dict) or "schema" not in document:
        reason = f"is no calibration overlay: it has no schema (expected {SCHEMA})"
        raise SpecError(field, type(document).__name__, reason)
    if document["schema"] != SCHEMA:
        reason = "is a schema that this release does not read"
        raise SpecError(f"{field}: schema", document["schema"], reason, (SCHEMA,))
    entries = document.get("entries")
    if not isinstance(entries, list):
        raise SpecError(f"{field}: entries", entries, "must be a list")
    rows = (_row(_Node(each, f"{field}: entries[{i}]")) for i, each in enumerate(entries))
    return calibration_of(rows)


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a document, and its path."""

    value: object
    path: str

    def down(self, name: str) -> _Node:
        """Return a part that must be an object."""
        fields = self._fields()
        return _Node(fields.get(name), f"{self.path}.{name}")

    def items(self, name: str) -> list[_Node]:
        """Return the parts of a list; none where it is not there."""
        listed = self._fields().get(name, [])
        if not isinstance(listed, list):
            raise SpecError(f"{self.path}.{name}", listed, "must be a list")
        return [_Node(each, f"{self.path}.{name}[{i}]") for i, each in enumerate(listed)]

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return self._fields().get(name) is not None

    def _fields(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            shown = "(missing)" if self.value is None else self.value
            raise SpecError(self.path, shown, "must be an object")
        return self.value

    def text(self, name: str, default: str | None = None) -> str:
        value = self._fields().get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise SpecError(f"{self.path}.{name}", _shown(value), "must be a text")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        value = self._fields().get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise SpecError(f"{self.path}.{name}", _shown(value), "must be a whole number")
        return value

    def number(self, name: str, *, above_zero: bool = False) -> float:
        value = self._fields().get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise SpecError(f"{self.path}.{name}", _shown(value), "must be a number")
        if above_zero and value <= 0:
            raise SpecError(f"{self.path}.{name}", value, "must be above 0")
        return float(value)

    def version(self, name: str, default: str | None = None) -> str:
        value = self.text(name, default)
        if value:
            try:
                parse_version(value)
            except SpecError as error:
                raise SpecError(f"{self.path}.{name}", value, error.reason) from None
        return value


def _shown(value: object) -> object:
    return "(missing)" if value is None else value


def _row(entry: _Node) -> Row:
    kinds = {"memory": _memory_row, "speed": _speed_row, "device": _device_row}
    kind = entry.text("kind")
    if kind not in kinds:
        raise SpecError(f"{entry.path}.kind", kind, "is no kind of entry", tuple(kinds))
    return kinds[kind](entry)


def _memory_row(entry: _Node) -> Row:
    correction = entry.down("correction")
    return MemoryRow(
        setup=_setup(entry.down("setup")),
        reach=_reach(entry.down("appliesTo")),
        origin=_origin(entry.down("origin")),
        figures=_figures(entry),
        added_bytes=correction.whole("addedBytes"),
        sigma_bytes=correction.number("sigmaBytes", above_zero=True),
    )


def _speed_row(entry: _Node) -> Row:
    correction = entry.down("correction")
    decode, prompt = (correction.has(f"{name}Factor") for name in ("decode", "prompt"))
    return SpeedRow(
        setup=_setup(entry.down("setup")),
        reach=_reach(entry.down("appliesTo")),
        origin=_origin(entry.down("origin")),
        figures=_figures(entry),
        decode_factor=correction.number("decodeFactor", above_zero=True) if decode else 1.0,
        prompt_factor=correction.number("promptFactor", above_zero=True) if prompt else 1.0,
        sigma=abs(correction.number("sigma")),
        loads=correction.whole("loads"),
        has_decode=decode,
        has_prompt=prompt,
    )


def _device_row(entry: _Node) -> Row:
    correction = entry.down("correction")
    return DeviceRow(
        accelerator=entry.down("appliesTo").text("accelerator"),
        origin=_origin(entry.down("origin")),
        figures=_figures(entry),
        memory_factor=correction.number("memoryFactor", above_zero=True),
        compute_factor=correction.number("computeFactor", above_zero=True),
        attention_factor=correction.number("attentionFactor", above_zero=True),
    )


def _figures(entry: _Node) -> tuple[Compared, ...]:
    return tuple(
        Compared(
            each.text("figure"), each.text("unit"), each.number("planned"), each.number("measured")
        )
        for each in entry.items("figures")
    )


def _setup(node: _Node) -> Setup:
    layout = node.down("layout")
    sizes = (layout.whole(name, 1) for name in ("tensor", "pipeline", "data", "expert"))
    return Setup(
        engine=node.text("engine"),
        version=node.version("version"),
        accelerator=node.text("accelerator"),
        variant=node.text("variant"),
        kind=node.text("modelKind"),
        quantization=node.text("quantization"),
        layout=Layout(*sizes),
        batch_tokens=node.whole("batchTokens", 0),
        batch_sequences=node.whole("batchSequences", 0),
    )


def _reach(node: _Node) -> Reach:
    return Reach(
        engine=node.text("engine"),
        since=node.version("since"),
        until=node.version("until", ""),
        accelerator=node.text("accelerator"),
        kind=node.text("modelKind"),
        layout=node.text("layoutKind", ""),
        weights=node.text("weights", ""),
    )


def _origin(node: _Node) -> Origin:
    return Origin(node.text("name"), node.text("format"), node.text("sha256"), node.text("date"))


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
