"""From a hub to a folder: goes on where it stopped, and keeps only what is whole."""

from __future__ import annotations

import errno
import hashlib
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qwen3_operator.fetching.problems import DamagedError, FullError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from qwen3_operator.fetching.hubs import RemoteFile
    from qwen3_operator.fetching.web import Web

CHUNK = 1 << 20

PARTIAL = 206
"""HTTP status of an answer that begins where it was asked to."""

GIB = float(1 << 30)

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def fetch_all(
    files: Sequence[RemoteFile], folder: Path, web: Web, tell: Callable[[str], None]
) -> int:
    """Fetch what is missing of these files; return the bytes that are there afterwards.

    Raises:
        FetchError: one of its kinds.
    """
    missing = [file for file in files if not is_there(file, folder)]
    check_room(sum(file.size - _begun(file, folder) for file in missing), folder)
    for number, file in enumerate(missing, start=1):
        tell(f"{number} of {len(missing)}: {file.path}, {file.size / GIB:.2f} GiB")
        with saying_when_full(folder):
            _fetch(file, folder, web)
    return sum(file.size for file in files)


def is_there(file: RemoteFile, folder: Path) -> bool:
    """Whether the whole file is there: its name is given to it last."""
    path = folder / file.path
    return path.is_file() and path.stat().st_size == file.size


def check_room(needed: int, folder: Path) -> None:
    """Refuse early: a volume that is full after an hour helps nobody.

    Raises:
        FullError: there is less room than these bytes need.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FullError(f"{needed / GIB:.1f} GiB are to come and {free / GIB:.1f} GiB are free.")


def _partial(file: RemoteFile, folder: Path) -> Path:
    path = folder / file.path
    return path.with_name(f".{path.name}.part")


def _begun(file: RemoteFile, folder: Path) -> int:
    """Return how many bytes of it an earlier run left; more than the file has are none."""
    partial = _partial(file, folder)
    size = partial.stat().st_size if partial.is_file() else 0
    return size if size <= file.size else 0


@contextmanager
def saying_when_full(folder: Path) -> Iterator[None]:
    """Turn the system's words for a volume without room into ours.

    Raises:
        FullError: it ran full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise FullError(
            f"the volume ran full: {shutil.disk_usage(folder).free} bytes left"
        ) from None


def _fetch(file: RemoteFile, folder: Path, web: Web) -> None:
    partial, whole = _partial(file, folder), folder / file.path
    partial.parent.mkdir(parents=True, exist_ok=True)
    web.attempt(file.url, lambda: _receive(file, folder, web))
    size = partial.stat().st_size
    if size != file.size or (file.sha256 and _digest(partial) != file.sha256):
        partial.unlink()
        raise DamagedError(f"{file.path} came as {size} bytes that are not what the hub lists.")
    partial.rename(whole)


def _receive(file: RemoteFile, folder: Path, web: Web) -> None:
    """Append what is missing; a hub that begins anew is taken from the start."""
    partial, begun = _partial(file, folder), _begun(file, folder)
    if begun == file.size and partial.is_file():
        return
    with web.open(file.url, begun) as answer:
        mode = "ab" if begun and answer.status == PARTIAL else "wb"
        with partial.open(mode) as out:
            while chunk := answer.read(CHUNK):
                out.write(chunk)
    if partial.stat().st_size < file.size:
        raise ConnectionError("the connection broke off")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
