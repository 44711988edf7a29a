"""``qwen3-operator fetch``: one part of a repository into a folder of the cache."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from qwen3_operator.fetching.hubs import RemoteFile, Repository, access, needed, share
from qwen3_operator.fetching.joining import fetch_joined, weights_in
from qwen3_operator.fetching.problems import FetchError, FullError, MissingError
from qwen3_operator.fetching.transfer import NO_ROOM, fetch_all
from qwen3_operator.fetching.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PIN = ".fetched-commit"
"""File in the folder with the commit that its files are of: a branch may move between two parts."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be fetched, and where to.

    Attributes:
        repository: on which hub.
        folder: the files' own; made where it is missing.
        include: patterns of paths; empty: all that an engine reads.
        link: name that the one file of GGUF weights shall be reachable by, where the repository
            has it in several, too; empty: no such file is wanted.
        encoder_link: the same for the image encoder's file beside it.
        part: of how many, from 0.
        parts: how many there are.
    """

    repository: Repository
    folder: Path
    include: tuple[str, ...] = ()
    link: str = ""
    encoder_link: str = ""
    part: int = 0
    parts: int = 1


def run(order: Order, environment: Mapping[str, str], message_file: Path | None) -> int:
    """Fetch, say how it went, and return the exit code.

    Args:
        order: what is to be fetched.
        environment: with tokens and endpoints.
        message_file: where Kubernetes reads a container's last words; None: nowhere.
    """
    try:
        told, code = fetch(order, environment), 0
    except FetchError as error:
        told, code = str(error), error.exit_code
    print(told, file=sys.stdout if code == 0 else sys.stderr)
    if message_file is not None:
        message_file.write_text(told, encoding="utf-8")
    return code


def fetch(order: Order, environment: Mapping[str, str], web: Web | None = None) -> str:
    """Fetch one part; return a sentence about what is there now.

    Raises:
        FetchError: one of its kinds.
    """
    endpoint, headers = access(order.repository.hub, environment)
    if not endpoint.startswith(("http://", "https://")):
        raise FetchError(f"{endpoint} is not the URL of a hub.")
    web = web or Web(headers)
    files = _files(order, web, endpoint)
    wanted = needed(files, order.include)
    if not wanted:
        raise MissingError(
            f"{order.repository.name} has no file like {' or '.join(order.include)}."
        )
    tell = partial(print, flush=True)
    if order.link:
        n_files, n_bytes = _fetch_named(wanted, order, web, tell)
    else:
        mine = share(wanted, order.part, order.parts)
        n_files, n_bytes = len(mine), fetch_all(mine, order.folder, web, tell)
    return f"{n_files} files, {n_bytes} bytes of {order.repository.name} are there."


def _fetch_named(
    wanted: list[RemoteFile], order: Order, web: Web, tell: Callable[[str], None]
) -> tuple[int, int]:
    """Fetch the file of weights, from its parts if need be, and the image encoder's."""
    found = weights_in(wanted, file_type_in(order.include))
    plain = [found.encoder] if found.encoder is not None else []
    n_bytes = 0
    if len(found.parts) > 1:
        n_bytes = fetch_joined(found.parts, order.folder / order.link, web, tell)
    else:
        plain += found.parts
    n_bytes += fetch_all(plain, order.folder, web, tell)
    if len(found.parts) == 1:
        _link(found.parts[0], order.folder / order.link)
    if found.encoder is not None and order.encoder_link:
        _link(found.encoder, order.folder / order.encoder_link)
    return len(found.parts) + (found.encoder is not None), n_bytes


def file_type_in(include: Sequence[str]) -> str:
    """Return the type of the weights that patterns ask for; empty: any.

    >>> file_type_in(["*Q4_K_M*.gguf", "mmproj*F16.gguf"]), file_type_in(["*.gguf"])
    ('Q4_K_M', '')
    """
    asked = (pattern.removesuffix(".gguf").strip("*") for pattern in include)
    return next(asked, "")


def _files(order: Order, web: Web, endpoint: str) -> list[RemoteFile]:
    """List the files at the commit that the folder is of, or settle on one."""
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        pin = order.folder / PIN
        pinned = pin.read_text(encoding="utf-8").strip() if pin.is_file() else ""
        commit, files = order.repository.files(web, endpoint, pinned)
        if commit != pinned:
            pin.write_text(commit, encoding="utf-8")
    except OSError as error:
        if error.errno in NO_ROOM:
            raise FullError("the volume is full.") from None
        raise FetchError(f"{order.folder}: {error.strerror}.") from None
    return files


def _link(file: RemoteFile, link: Path) -> None:
    """Let the engine find a file under the name that the plan gives it."""
    if link.name != file.path and not link.exists():
        link.symlink_to(file.path)
