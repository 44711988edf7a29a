"""The cases of a sweep: lines of JSONL or CSV, or the product of a grid. Read one by one."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.plan import CHANGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Value: TypeAlias = str | int | float
Fields: TypeAlias = dict[str, Value]

REQUIRED = ("model", "hardware")
FIELD_NAMES = (*REQUIRED, *(name for name in CHANGE_NAMES if name != "hardware"))
"""What a case may say: the options of ``qwen3 plan``, in any of the usual spellings."""

_BY_LETTERS = {name.lower(): name for name in FIELD_NAMES}

MOST_CASES = 100_000_000
"""A larger grid is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of a sweep.

    Attributes:
        count: how many there are.
        read: yields the fields of each, in order, every time it is called.
    """

    count: int
    read: Callable[[], Iterator[Fields]]


def read_cases(path: str) -> Cases:
    """Read a file of cases by its ending: ``.jsonl``, ``.csv``, or ``.yaml`` (a grid, a list).

    Raises:
        SpecError: the file cannot be read, or holds no cases; a bad single case is told by its row.
    """
    readers: dict[str, Callable[[Path], Cases]] = {
        ".jsonl": _lines_of_json,
        ".csv": _rows_of_csv,
        ".yaml": _document,
        ".yml": _document,
        ".json": _document,
    }
    file = Path(path)
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise SpecError("CASES", path, "has an ending that says no form", list(readers))
    try:
        cases = reader(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError("CASES", path, f"cannot be read: {reason}") from None
    if cases.count == 0:
        raise SpecError("CASES", path, "holds no case")
    if cases.count > MOST_CASES:
        raise SpecError(
            "CASES", path, f"is a grid of {cases.count:,} cases, more than {MOST_CASES:,}"
        )
    return cases


def _lines_of_json(file: Path) -> Cases:
    def read() -> Iterator[Fields]:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _fields(_json(line, f"{file}:{number}"), f"{file}:{number}")

    with file.open(encoding="utf-8") as lines:
        return Cases(sum(1 for line in lines if line.strip()), read)


def _json(line: str, place: str) -> object:
    try:
        return json.loads(line)
    except ValueError as error:
        raise SpecError(place, line.strip()[:80], f"is no JSON: {error}") from None


def _rows_of_csv(file: Path) -> Cases:
    def read() -> Iterator[Fields]:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                given = {name: text for name, text in row.items() if name and text}
                yield _fields(given, f"{file}")

    with file.open(newline="", encoding="utf-8") as lines:
        return Cases(sum(1 for _ in csv.DictReader(lines)), read)


def _document(file: Path) -> Cases:
    import yaml  # noqa: PLC0415 - 10 ms that the other forms do without

    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SpecError("CASES", str(file), f"is no YAML: {str(error).splitlines()[0]}") from None
    if isinstance(document, list):
        document = {"cases": document}
    if not isinstance(document, dict) or not set(document) <= {"grid", "cases"}:
        reason = "must hold a grid, a list of cases, or both"
        raise SpecError("CASES", str(file), reason, ["grid", "cases"])
    axes = _axes(document.get("grid") or {}, str(file))
    listed = [
        _fields(case, f"{file}: cases[{i}]") for i, case in enumerate(document.get("cases") or [])
    ]
    size = 1
    for values in axes.values():
        size *= len(values)

    def read() -> Iterator[Fields]:
        if axes:
            for combination in product(*axes.values()):
                yield dict(zip(axes, combination, strict=True))
        yield from (dict(case) for case in listed)

    return Cases((size if axes else 0) + len(listed), read)


def _axes(grid: object, place: str) -> dict[str, list[Value]]:
    if not isinstance(grid, dict):
        raise SpecError(f"{place}: grid", str(grid)[:80], "must name fields, each with its values")
    axes: dict[str, list[Value]] = {}
    for name, values in grid.items():
        listed = values if isinstance(values, list) else [values]
        field = _name(str(name), f"{place}: grid")
        axes[field] = [_value(value, f"{place}: grid.{name}") for value in listed]
    return axes


def _fields(given: object, place: str) -> Fields:
    if not isinstance(given, dict):
        raise SpecError(place, str(given)[:80], "must be an object of fields")
    return {_name(str(name), place): _value(value, place) for name, value in given.items()}


def _name(typed: str, place: str) -> str:
    """Find the field that is meant: maxModelLen, max-model-len or max_model_len."""
    letters = typed.replace("-", "").replace("_", "").lower()
    if letters in _BY_LETTERS:
        return _BY_LETTERS[letters]
    raise SpecError(place, typed, "is no field of a case", nearest_first(typed, FIELD_NAMES)[:12])


def _value(value: object, place: str) -> Value:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SpecError(place, str(value)[:80], "must be text or a number")
    return value


def same(case: Mapping[str, Value], other: object) -> bool:
    """Whether a written row is of this case."""
    return bool(json.loads(json.dumps(dict(case))) == other)
