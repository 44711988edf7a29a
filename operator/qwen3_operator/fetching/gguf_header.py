"""The head of a GGUF file: as much of it as is needed to join the parts of a split one.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (read 2026-11-23). Values are
measured and passed on, never understood.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from qwen3_operator.fetching.problems import DamagedError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
ALIGNMENT_KEY = b"general.alignment"
SPLIT_KEYS = b"split."
"""What says that a file is a part: left out of the whole."""

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value by its type: integers, floats, booleans."""

STRING, ARRAY = 8, 9

MOST = 1 << 32
"""No count and no text of a header is as large: a file that says so is none."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, count: int, /) -> bytes:
        """Return that many bytes, fewer at the end."""


@dataclass(frozen=True, slots=True)
class Header:
    """The head of one part.

    Attributes:
        raw: its bytes, up to where the data begins.
        version: of the format.
        alignment: of each tensor's data.
        keys: raw pairs of key and value, those of the split left out.
        tensors: raw description of each tensor, and its place from where the data begins.
    """

    raw: bytes
    version: int
    alignment: int
    keys: tuple[bytes, ...]
    tensors: tuple[tuple[bytes, int], ...]


@dataclass(slots=True)
class _Cursor:
    """Reads on, and keeps what was read."""

    stream: Readable
    raw: bytearray = field(default_factory=bytearray)

    def take(self, count: int) -> bytes:
        """Read that many bytes."""
        if count >= MOST:
            raise DamagedError("the file's header counts what no file has.")
        start = len(self.raw)
        while len(self.raw) < start + count:
            chunk = self.stream.read(start + count - len(self.raw))
            if not chunk:
                raise ConnectionError("the connection broke off")
            self.raw += chunk
        return bytes(self.raw[start:])

    def number(self, form: str) -> int:
        """Read one number."""
        (value,) = struct.unpack(f"<{form}", self.take(struct.calcsize(form)))
        return int(value)

    def text(self) -> bytes:
        """Read a text; its length stands before it."""
        return self.take(self.number("Q"))

    def skip_value(self, kind: int) -> None:
        """Read over a value."""
        if kind == STRING:
            self.text()
        elif kind == ARRAY:
            kind, count = self.number("I"), self.number("Q")
            if kind in SIZES:
                self.take(SIZES[kind] * count)
            else:
                for _ in range(count):
                    self.skip_value(kind)
        elif kind in SIZES:
            self.take(SIZES[kind])
        else:
            raise DamagedError(f"the file's header has a value of unknown type {kind}.")


def read_header(stream: Readable) -> Header:
    """Read the head of a file.

    Raises:
        DamagedError: it is no GGUF file.
        ConnectionError: the stream ends before the head does.
    """
    cursor = _Cursor(stream)
    magic, version = cursor.take(4), cursor.number("I")
    if magic != MAGIC or version not in VERSIONS:
        raise DamagedError("a part is no GGUF file that is known.")
    n_tensors, n_keys = cursor.number("Q"), cursor.number("Q")
    alignment, keys = DEFAULT_ALIGNMENT, []
    for _ in range(n_keys):
        start = len(cursor.raw)
        key, kind = cursor.text(), cursor.number("I")
        before = len(cursor.raw)
        cursor.skip_value(kind)
        if key == ALIGNMENT_KEY:
            alignment = int.from_bytes(cursor.raw[before:], "little")
        if not key.startswith(SPLIT_KEYS):
            keys.append(bytes(cursor.raw[start:]))
    tensors = []
    for _ in range(n_tensors):
        start = len(cursor.raw)
        cursor.text()
        cursor.take(8 * cursor.number("I"))
        cursor.number("I")
        described = bytes(cursor.raw[start:])
        tensors.append((described, cursor.number("Q")))
    cursor.take(aligned(len(cursor.raw), alignment) - len(cursor.raw))
    return Header(bytes(cursor.raw), version, alignment, tuple(keys), tuple(tensors))


def joined(parts: Sequence[Header], places: Sequence[int]) -> bytes:
    """Make the head of the whole.

    Args:
        parts: heads of all parts, in order; the first one's keys are the whole's.
        places: where each part's data begins, from where the data of the whole begins.
    """
    first = parts[0]
    tensors = [
        described + struct.pack("<Q", place + offset)
        for part, place in zip(parts, places, strict=True)
        for described, offset in part.tensors
    ]
    counts = struct.pack("<4sIQQ", MAGIC, first.version, len(tensors), len(first.keys))
    head = b"".join((counts, *first.keys, *tensors))
    return head.ljust(aligned(len(head), first.alignment), b"\0")


def aligned(size: int, alignment: int) -> int:
    """Round up.

    >>> aligned(33, 32), aligned(64, 32)
    (64, 64)
    """
    return -(-size // alignment) * alignment
