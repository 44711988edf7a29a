"""Engine versions: parsing what a user types, and rules that hold for a range of versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\.post(\d{1,4}))?", re.ASCII)

_BUILD = re.compile(r"b([1-9]\d{0,5})", re.ASCII)
"""llama.cpp counts its builds instead."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A released version; a post release sorts after its base.

    An engine that counts builds has those alone (:func:`build`).

    >>> Version(0, 9, 2) < Version(0, 10) < Version(0, 10, 0, 1)
    True
    """

    major: int
    minor: int
    patch: int = 0
    post: int = 0
    build: int = 0

    def __str__(self) -> str:
        """Write the version as the engine's own releases do.

        >>> str(Version(0, 32)), str(Version(0, 8, 5, 1))
        ('0.32.0', '0.8.5.post1')
        """
        if self.build:
            return f"b{self.build}"
        base = f"{self.major}.{self.minor}.{self.patch}"
        return f"{base}.post{self.post}" if self.post else base


def build(number: int) -> Version:
    """Return the version of an engine that counts builds.

    >>> str(build(5401)), build(5092) < build(11549)
    ('b5401', True)
    """
    return Version(0, 0, build=number)


@lru_cache(maxsize=256)
def parse_version(typed: str) -> Version:
    """Read ``A.B``, ``A.B.C`` or ``A.B.C.postN``, or a build number ``bN``.

    >>> str(parse_version("0.9")), str(parse_version("b5401"))
    ('0.9.0', 'b5401')

    Raises:
        SpecError: the text is no such version.
    """
    number = _BUILD.fullmatch(typed)
    if number is not None:
        return build(int(number[1]))
    match = _VERSION.fullmatch(typed)
    if match is None:
        reason = "is not a version of the form A.B, A.B.C, A.B.C.postN or (llama.cpp) bN"
        raise SpecError("--engine-version", typed, reason)
    return Version(*(int(part or 0) for part in match.groups()))


@dataclass(frozen=True, slots=True)
class Ruling(Generic[T]):
    """A value that an engine's behaviour takes for a range of versions.

    Attributes:
        value: what holds.
        since: first version it holds for.
        source: where it was read.
        confidence: A read in the source or run, B stated by its makers, C inferred.
    """

    value: T
    since: Version
    source: str
    confidence: str


def ruling_at(rulings: Sequence[Ruling[T]], version: Version) -> Ruling[T]:
    """Return the ruling in force: each holds until the next one's ``since``.

    A version older than the first ruling takes the first.
    """
    chosen = rulings[0]
    for ruling in rulings:
        if ruling.since <= version:
            chosen = ruling
    return chosen
