"""Reading the header of a GGUF file, or of all parts of a split one. I/O.

Only the header is read: the file is mapped, not loaded. Nothing in it is believed: counts, sizes
and offsets must fit the file.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qwen3_planner.checkpoints.gguf_values import (
    LONGEST_KEY,
    LONGEST_NAME,
    Cursor,
    DamagedHeaderError,
    Value,
)
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.sizing.ggml_types import TYPES, TYPES_BY_NUMBER, GgmlType
from qwen3_planner.units import round_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENDING: Final = ".gguf"
MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MOST_SIDES: Final = 4
LARGEST_TENSOR: Final = 2**56
DEFAULT_ALIGNMENT: Final = 32
LARGEST_ALIGNMENT: Final = 2**20
MOST_PARTS: Final = 1000

_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.ASCII)


@dataclass(frozen=True, slots=True)
class GgufEntry:
    """One tensor of the file.

    Attributes:
        name: as the file spells it.
        kind: element type.
        shape: elements of a row first.
    """

    name: str
    kind: GgmlType
    shape: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of its data."""
        return self.kind.n_bytes(prod(self.shape))


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a file, or all parts of a split one, say of themselves.

    Attributes:
        place: file that was named.
        metadata: by key; long arrays by their length alone.
        tensors: in the order of the file.
        file_bytes: size of the file, or of all parts.
    """

    place: str
    metadata: Mapping[str, Value]
    tensors: tuple[GgufEntry, ...]
    file_bytes: int


@dataclass(frozen=True, slots=True)
class _Part:
    metadata: dict[str, Value]
    tensors: tuple[GgufEntry, ...]
    n_bytes: int


def is_gguf(place: str | Path) -> bool:
    """Whether a path means a GGUF file, by its name."""
    return str(place).lower().endswith(ENDING)


def read_gguf(path: str | Path, *, field: str = "--from-checkpoint") -> GgufHeader:
    """Read the header of a file; any part of a split one stands for all.

    Args:
        path: of the file.
        field: option or argument that named it, for messages.

    Raises:
        SpecError: there is no such file, it is damaged, or a part of it is missing.
    """
    typed = str(path)
    first = _read_part(Path(path).expanduser(), typed, field)
    count = first.metadata.get("split.count", 1)
    if not isinstance(count, int) or count <= 1:
        return GgufHeader(typed, first.metadata, first.tensors, first.n_bytes)
    if count > MOST_PARTS:
        raise SpecError(field, typed, f"states {count} parts; at most {MOST_PARTS} are read")
    parts = [_read_part(part, typed, field) for part in _parts(typed, count, field)]
    tensors = tuple(tensor for part in parts for tensor in part.tensors)
    stated = parts[0].metadata.get("split.tensors.count")
    if stated != len(tensors):
        raise SpecError(field, typed, f"states {stated} tensors; its parts hold {len(tensors)}")
    total = sum(part.n_bytes for part in parts)
    return GgufHeader(typed, parts[0].metadata, tensors, total)


def _parts(typed: str, count: int, field: str) -> Iterator[Path]:
    match = _PART.fullmatch(Path(typed).expanduser().name)
    if match is None or int(match["count"]) != count:
        reason = f"is one of {count} parts, but not named …-00001-of-{count:05d}{ENDING}"
        raise SpecError(field, typed, reason)
    for number in range(1, count + 1):
        name = f"{match['stem']}-{number:05d}-of-{count:05d}{ENDING}"
        yield Path(typed).expanduser().with_name(name)


def _read_part(path: Path, typed: str, field: str) -> _Part:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size < len(MAGIC):
                raise SpecError(field, typed, f"{path.name} is no GGUF file: it has {size} bytes")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                view = memoryview(mapped)
                try:
                    return _parse(view)
                finally:
                    view.release()
    except DamagedHeaderError as error:
        raise SpecError(field, typed, f"{path.name} {error}") from None
    except OSError as error:
        reason = f"{path.name} cannot be read: {error.strerror}"
        raise SpecError(field, typed, reason) from None
    except ValueError as error:  # a path that no file can have
        raise SpecError(field, typed, f"cannot be read: {error}") from None


def _parse(view: memoryview) -> _Part:
    cursor = Cursor(view)
    if cursor.take(len(MAGIC)) != MAGIC:
        raise DamagedHeaderError("is no GGUF file: it does not begin with its magic")
    version = cursor.u32()
    if version not in VERSIONS:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        what = "is big endian" if swapped in VERSIONS else f"has version {version}"
        raise DamagedHeaderError(f"{what}; versions 2 and 3 in little endian are read")
    tensors = cursor.count("tensors", 24)
    values = cursor.count("values", 13)
    metadata: dict[str, Value] = {}
    for _ in range(values):
        key = cursor.text(LONGEST_KEY)
        if key in metadata:
            raise DamagedHeaderError(f"states {key} twice")
        metadata[key] = cursor.value()
    placed = [_entry(cursor) for _ in range(tensors)]
    start = round_up(cursor.position, _alignment(metadata))
    _check_places(placed, start, len(view), _alignment(metadata))
    return _Part(metadata, tuple(entry for entry, _ in placed), len(view))


def _alignment(metadata: Mapping[str, Value]) -> int:
    stated = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    is_power = isinstance(stated, int) and stated > 0 and stated & (stated - 1) == 0
    if not isinstance(stated, int) or not is_power or stated > LARGEST_ALIGNMENT:
        raise DamagedHeaderError(f"has the alignment {stated}, which is none")
    return stated


def _entry(cursor: Cursor) -> tuple[GgufEntry, int]:
    name = cursor.text(LONGEST_NAME)
    sides = cursor.u32()
    if not 1 <= sides <= MOST_SIDES:
        raise DamagedHeaderError(f"has {name} with {sides} dimensions, of at most {MOST_SIDES}")
    shape = tuple(cursor.u64() for _ in range(sides))
    if not 0 < prod(shape) <= LARGEST_TENSOR:
        raise DamagedHeaderError(f"has {name} of the shape {list(shape)}, which is none")
    number = cursor.u32()
    kind = TYPES_BY_NUMBER.get(number)
    if kind is None:
        known = ", ".join(nearest_first("", TYPES))
        raise DamagedHeaderError(f"has {name} in type {number}, which is unknown (known: {known})")
    if shape[0] % kind.block:
        reason = f"has {name} in {kind.name} with rows of {shape[0]}: no multiple of {kind.block}"
        raise DamagedHeaderError(reason)
    return GgufEntry(name, kind, shape), cursor.u64()


def _check_places(
    placed: list[tuple[GgufEntry, int]], start: int, end: int, alignment: int
) -> None:
    """Refuse tensors that lie outside the file, on no multiple, or over one another."""
    names = {entry.name for entry, _ in placed}
    if len(names) != len(placed):
        raise DamagedHeaderError("names a tensor twice")
    ordered = sorted(placed, key=lambda one: one[1])
    for entry, offset in ordered:
        if offset % alignment:
            raise DamagedHeaderError(f"has {entry.name} at {offset}, no multiple of {alignment}")
        if start + offset + entry.n_bytes > end:
            missing = start + offset + entry.n_bytes - end
            raise DamagedHeaderError(f"is cut off: {missing} bytes of {entry.name} are missing")
    for (entry, offset), (following, begin) in pairwise(ordered):
        if offset + entry.n_bytes > begin:
            raise DamagedHeaderError(f"has {following.name} inside {entry.name}")
