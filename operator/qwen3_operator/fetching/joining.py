"""Weights that a hub has cut into several GGUF files, fetched as the one that engines are told of.

An engine finds the parts of a split file by their names, which say how many there are; a plan knows
one name. The parts are streamed into one file, so it takes no more room than they do, and goes on
where it stopped.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.fetching import gguf_header
from qwen3_operator.fetching.gguf_header import Header, aligned, read_header
from qwen3_operator.fetching.problems import DamagedError, MissingError
from qwen3_operator.fetching.transfer import CHUNK, GIB, PARTIAL, check_room, saying_when_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from qwen3_operator.fetching.hubs import RemoteFile
    from qwen3_operator.fetching.web import Web

PART_NAME = re.compile(r"(?P<stem>.*)-(?P<number>[0-9]{5})-of-(?P<count>[0-9]{5})[.]gguf")


@dataclass(frozen=True, slots=True)
class Weights:
    """What a repository has of the planned file.

    Attributes:
        parts: of the weights, in order; mostly one.
        encoder: of images; None where there is none.
    """

    parts: tuple[RemoteFile, ...]
    encoder: RemoteFile | None


def weights_in(files: Iterable[RemoteFile], file_type: str) -> Weights:
    """Pick the file of weights of a type, whole or in all of its parts, and the image encoder's.

    Raises:
        MissingError: there is none, several, or not all of one.
    """
    stems: dict[str, list[RemoteFile]] = {}
    encoders = []
    for file in files:
        name = file.path.rpartition("/")[2]
        if name.startswith("mmproj"):
            encoders.append(file)
            continue
        cut = PART_NAME.fullmatch(file.path)
        stems.setdefault(cut["stem"] if cut else file.path.removesuffix(".gguf"), []).append(file)
    exact = re.compile(rf"(.*[^a-z0-9])?{re.escape(file_type.lower() or '*')}")
    named = [stem for stem in stems if exact.fullmatch(stem.lower())] or list(stems)
    if len(named) != 1:
        told = ", ".join(sorted(named)[:3]) or "none"
        kind = f" of type {file_type}" if file_type else ""
        raise MissingError(f"one file of weights{kind} is wanted; there are: {told}.")
    parts = sorted(stems[named[0]], key=lambda file: file.path)
    _check_all_there(parts, named[0])
    plain = [one for one in encoders if re.search(r"[^b]f16[.]gguf$", one.path.lower())]
    return Weights(tuple(parts), next(iter(plain or encoders), None))


def _check_all_there(parts: Sequence[RemoteFile], stem: str) -> None:
    cuts = [PART_NAME.fullmatch(part.path) for part in parts]
    numbers = [int(cut["number"]) for cut in cuts if cut]
    count = next((int(cut["count"]) for cut in cuts if cut), 1)
    if len(parts) != count or (numbers and numbers != [*range(1, count + 1)]):
        raise MissingError(f"{stem} is cut into {count} parts, and {len(parts)} are there.")


@dataclass(frozen=True, slots=True)
class _Piece:
    """The data of one part, and its place in the whole file."""

    file: RemoteFile
    header: Header
    start: int

    @property
    def size(self) -> int:
        return self.file.size - len(self.header.raw)

    @property
    def end(self) -> int:
        return self.start + self.size


def fetch_joined(
    parts: Sequence[RemoteFile], whole: Path, web: Web, tell: Callable[[str], None]
) -> int:
    """Fetch the parts into one file; return its bytes.

    Raises:
        FetchError: one of its kinds.
    """
    if whole.is_file():
        return whole.stat().st_size
    head, pieces = _layout(parts, web)
    partial = whole.with_name(f".{whole.name}.part")
    partial.parent.mkdir(parents=True, exist_ok=True)
    begun = _begun(partial, head, pieces[-1].end)
    check_room(pieces[-1].end - begun, partial.parent)
    with saying_when_full(partial.parent):
        if not begun:
            partial.write_bytes(head)
        for number, piece in enumerate(pieces, start=1):
            if begun > piece.end:
                continue  # checked by the run that fetched it
            tell(f"part {number} of {len(pieces)}: {piece.file.size / GIB:.2f} GiB")
            _append(piece, partial, web)
    partial.rename(whole)
    return pieces[-1].end


def _layout(parts: Sequence[RemoteFile], web: Web) -> tuple[bytes, list[_Piece]]:
    """Read the heads of all parts and say where the data of each goes."""
    headers: list[Header] = []
    for part in parts:

        def read(url: str = part.url) -> Header:
            with web.open(url) as answer:
                return read_header(answer)

        headers.append(web.attempt(part.url, read))
    alignment, places, end = headers[0].alignment, [], 0
    for part, header in zip(parts, headers, strict=True):
        places.append(end)
        end = aligned(end + part.size - len(header.raw), alignment)
    head = gguf_header.joined(headers, places)
    return head, [
        _Piece(part, header, len(head) + place)
        for part, header, place in zip(parts, headers, places, strict=True)
    ]


def _begun(partial: Path, head: bytes, most: int) -> int:
    """Return how many bytes an earlier run left of this very file; 0 if it is another."""
    if not partial.is_file() or not len(head) <= partial.stat().st_size <= most:
        return 0
    with partial.open("rb") as file:
        return partial.stat().st_size if file.read(len(head)) == head else 0


def _append(piece: _Piece, partial: Path, web: Web) -> None:
    """Fetch what is missing of one part, and compare the part with what the hub lists."""
    web.attempt(piece.file.url, lambda: _receive(piece, partial, web))
    if piece.file.sha256 and _digest(piece, partial) != piece.file.sha256:
        with partial.open("r+b") as file:
            file.truncate(piece.start)
        raise DamagedError(f"{piece.file.path} came as bytes that are not what the hub lists.")


def _receive(piece: _Piece, partial: Path, web: Web) -> None:
    size = partial.stat().st_size
    begun = max(0, size - piece.start)
    if begun >= piece.size:
        return
    skipped = len(piece.header.raw) + begun
    with web.open(piece.file.url, skipped) as answer, partial.open("r+b") as out:
        if answer.status != PARTIAL:
            _skip(answer, skipped)
        out.truncate(piece.start + begun)  # fills up to the alignment with zeros
        out.seek(0, 2)
        while chunk := answer.read(CHUNK):
            out.write(chunk)
    if partial.stat().st_size != piece.end:
        raise ConnectionError("the connection broke off")


def _skip(answer: Any, count: int) -> None:  # noqa: ANN401 - urllib's answer
    while count > 0:
        count -= len(answer.read(min(count, CHUNK)) or b"\0" * count)


def _digest(piece: _Piece, partial: Path) -> str:
    digest = hashlib.sha256(piece.header.raw)
    with partial.open("rb") as file:
        file.seek(piece.start)
        left = piece.size
        while left and (chunk := file.read(min(left, CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()
