"""Files and stdin as text: in lines or whole, with their SHA-256, however large or odd they are."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from hashlib import _Hash

FIELD = "FILE"
STDIN = "-"

LONGEST_LINE = 1 << 18
"""Characters of a line that are looked at: what an engine prints of its settings takes a few
thousand. The rest of a longer one is passed over, its bytes are hashed all the same."""

MOST_WHOLE = 1 << 28
"""Bytes of a result that is read at once: ``--save-detailed`` of 10,000 requests takes 40 MB."""

_CHUNK = 1 << 20
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""Colours and other sequences of terminals (ECMA-48), titles of windows."""


@dataclass(slots=True)
class Source:
    """One input, read once from its beginning to its end.

    Attributes:
        name: as typed; ``stdin`` for ``-``.
    """

    name: str
    _stream: BinaryIO
    _begun: bytes = b""
    _hash: _Hash = field(default_factory=sha256)

    @property
    def head(self) -> str:
        """The first kilobytes, for telling what it is."""
        return _clean(self._begun)

    @property
    def digest(self) -> str:
        """SHA-256 of all that was read."""
        return self._hash.hexdigest()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line with its number, without colours; memory does not grow with the input."""
        for number, line in enumerate(self._raw_lines(), 1):
            yield number, _clean(line)

    def _raw_lines(self) -> Iterator[bytes]:
        left = b""
        for chunk in self._chunks():
            *whole, left = (left + chunk).split(b"\n")
            yield from (line[:LONGEST_LINE] for line in whole)
            left = left[:LONGEST_LINE]
        if left:
            yield left

    def text(self) -> str:
        """Return all of it.

        Raises:
            SpecError: it is larger than any result.
        """
        whole = bytearray()
        for chunk in self._chunks():
            whole += chunk
            if len(whole) > MOST_WHOLE:
                reason = f"is larger than {MOST_WHOLE >> 20} MiB: no result of a benchmark is"
                raise SpecError(FIELD, self.name, reason)
        return whole.decode("utf-8-sig", "replace")

    def _chunks(self) -> Iterator[bytes]:
        chunk = self._begun
        while chunk:
            self._hash.update(chunk)
            yield chunk
            chunk = self._stream.read(_CHUNK)


def _clean(raw: bytes) -> str:
    """Decode, drop colours, and what a progress bar wrote over itself."""
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace"))
    return text.rstrip("\r\n")


@contextmanager
def opened(typed: str) -> Iterator[Source]:
    """Open a file, or stdin for ``-``.

    Raises:
        SpecError: it cannot be read, is empty, or is no text.
    """
    name = "stdin" if typed == STDIN else typed
    try:
        if typed == STDIN:
            yield _begun(name, sys.stdin.buffer)
        else:
            with Path(typed).open("rb") as stream:
                yield _begun(name, stream)
    except OSError as error:
        raise SpecError(FIELD, typed, f"cannot be read: {error.strerror or error}") from None


def _begun(name: str, stream: BinaryIO) -> Source:
    begun = stream.read(_CHUNK)
    if not begun.strip():
        reason = "is empty: paste a start-up log or the result of a benchmark"
        raise SpecError(FIELD, name, reason)
    if begun.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecError(FIELD, name, "is UTF-16 text: save it as UTF-8")
    if b"\0" in begun[: 1 << 16]:
        raise SpecError(FIELD, name, "is no text (it has zero bytes)")
    return Source(name, stream, begun)
