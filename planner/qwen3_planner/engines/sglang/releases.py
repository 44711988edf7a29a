"""How a ruling about SGLang names the release that it was read in."""

from __future__ import annotations

from typing import Final, TypeVar

from qwen3_planner.engines.versions import Ruling, Version

T = TypeVar("T")

OLDEST_READ: Final = Version(0, 4, 6, 1)
"""The first release that serves Qwen3; the Python of every release from here on was read."""

NEWEST_READ: Final = Version(0, 5, 23)
"""The newest release whose Python was read."""


def read_in(value: T, since: Version, path: str) -> Ruling[T]:
    """Return what holds from a release on: the first one in which a file says so.

    Every release was read, so that first one is known, not inferred.

    >>> read_in(1, Version(0, 5, 3), "server_args.py").source
    'PyPI sglang 0.5.3 sglang/srt/server_args.py'
    """
    return Ruling(value, since, f"PyPI sglang {since} sglang/srt/{path}", "A")
