"""Values in a GGUF header, read from bytes that nothing is believed of. Pure.

Little endian; source of the format: ggml-org/ggml docs/gguf.md and ggml-org/llama.cpp b11549
ggml/src/gguf.cpp.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Buffer: TypeAlias = "bytes | memoryview"

LONGEST_KEY: Final = 65_535
"""Bytes of a metadata key, by the format."""

LONGEST_NAME: Final = 64
"""Bytes of a tensor's name, by ggml."""

MOST_KEPT: Final = 1024
"""Elements of an array that are kept; of a longer one only the length is."""

_STRING: Final = 8
_ARRAY: Final = 9
_SCALARS: Final = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}

Scalar: TypeAlias = "int | float | bool | str"


@dataclass(frozen=True, slots=True)
class Length:
    """An array too long to be kept.

    Attributes:
        elements: how many it has.
    """

    elements: int


Value: TypeAlias = "Scalar | tuple[Scalar, ...] | Length"


class DamagedHeaderError(ValueError):
    """The bytes are no such header; the message says what is wrong, as a clause."""


class Cursor:
    """Reads one value after the other, never beyond the end."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self.position = 0

    def take(self, count: int) -> bytes:
        """Take so many bytes.

        Raises:
            DamagedHeaderError: there are not so many.
        """
        end = self.position + count
        if end > len(self._buffer):
            raise DamagedHeaderError(f"ends after {len(self._buffer)} bytes, inside its header")
        part = bytes(self._buffer[self.position : end])
        self.position = end
        return part

    def number(self, form: struct.Struct) -> int:
        """Take a number."""
        return int(form.unpack(self.take(form.size))[0])

    def u32(self) -> int:
        """Take a 32-bit number."""
        return self.number(_SCALARS[4])

    def u64(self) -> int:
        """Take a 64-bit number."""
        return self.number(_SCALARS[10])

    def count(self, what: str, least_bytes: int) -> int:
        """Take a count of things that each take at least so many bytes.

        Raises:
            DamagedHeaderError: so many cannot follow.
        """
        number = self.u64()
        if number * least_bytes > len(self._buffer) - self.position:
            raise DamagedHeaderError(f"states {number} {what}, more than the file has bytes for")
        return number

    def text(self, longest: int | None = None) -> str:
        """Take a string.

        Raises:
            DamagedHeaderError: it is too long, or no UTF-8 where a name is asked for.
        """
        length = self.count("bytes of a string", 1)
        if longest is not None and length > longest:
            raise DamagedHeaderError(f"has a name of {length} bytes, over the {longest} allowed")
        raw = self.take(length)
        try:
            return raw.decode("utf-8", "strict" if longest is not None else "replace")
        except UnicodeDecodeError:
            raise DamagedHeaderError("has a name that is no UTF-8") from None

    def value(self) -> Value:
        """Take a value with its type before it.

        Raises:
            DamagedHeaderError: there is no such type.
        """
        kind = self.u32()
        if kind != _ARRAY:
            return self._reader(kind)()
        inner = self.u32()
        read = self._reader(inner)
        size = 8 if inner == _STRING else _SCALARS[inner].size
        length = self.count("elements of an array", size)
        if length <= MOST_KEPT:
            return tuple(read() for _ in range(length))
        if inner != _STRING:
            self.skip(length * size)
            return Length(length)
        for _ in range(length):
            self.skip(self.count("bytes of a string", 1))
        return Length(length)

    def skip(self, count: int) -> None:
        """Pass over so many bytes.

        Raises:
            DamagedHeaderError: there are not so many.
        """
        if self.position + count > len(self._buffer):
            raise DamagedHeaderError(f"ends after {len(self._buffer)} bytes, inside its header")
        self.position += count

    def _reader(self, kind: int) -> Callable[[], Scalar]:
        if kind == _STRING:
            return self.text
        form = _SCALARS.get(kind)
        if form is None:
            raise DamagedHeaderError(f"has a value of type {kind}, which the format does not have")

        def read() -> Scalar:
            found: Scalar = form.unpack(self.take(form.size))[0]
            return found

        return read
