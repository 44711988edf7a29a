"""The document of an overlay file read back. Pure; no file is touched.

Errors name the path of what is wrong (``entries[2].appliesTo.since``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.measurements import (
    Compared,
    DeviceRow,
    MemoryRow,
    Origin,
    Reach,
    Setup,
    SpeedRow,
)
from qwen3_planner.corrections.document import SCHEMA, calibration_of
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Layout

if TYPE_CHECKING:
    from qwen3_planner.catalog.calibration import Calibration
    from qwen3_planner.corrections.document import Row


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
