"""Versions of programs: reading them out of free text, and which ones stand in for the pinned one.

Pure: text in, values out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?")
_GO = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_GO_DIRECTIVE = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A semantic version; build metadata after `+` is dropped, a suffix after `-` is kept."""

    major: int
    minor: int
    patch: int
    suffix: str = ""

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}{self.suffix}"


class Skew(Enum):
    """How far a program found on the machine may be from the pinned version."""

    SAME_MINOR = "the same minor version"
    """Parts of the control plane: they share the API server's defaults and feature gates."""
    ONE_MINOR = "at most one minor version away"
    """kubectl's own promise towards the API server; etcd's promise between its minors."""
    SAME_MAJOR = "the same major version, not older"
    """helm keeps its command line within a major version."""


def parse_version(text: str) -> Version | None:
    """Return the first version that `text` names, as in the output of `--version`.

    >>> str(parse_version("Client Version: v1.32.4-dispatcher"))
    'v1.32.4-dispatcher'
    >>> parse_version("no version here") is None
    True
    """
    found = _VERSION.search(text)
    if found is None:
        return None
    return Version(int(found[1]), int(found[2]), int(found[3]), found[4] or "")


def is_acceptable(found: Version, pinned: Version, skew: Skew) -> bool:
    """Say whether `found` may stand in for `pinned`.

    A suffix is never acceptable: release candidates differ from their release, and vendors'
    wrappers (`v1.32.4-dispatcher`) hide another program behind the name.
    """
    if found.suffix or found.major != pinned.major:
        return False
    distance = abs(found.minor - pinned.minor)
    match skew:
        case Skew.SAME_MINOR:
            return distance == 0
        case Skew.ONE_MINOR:
            return distance <= 1
        case Skew.SAME_MAJOR:
            return (found.minor, found.patch) >= (pinned.minor, pinned.patch)


def parse_go_version(text: str) -> tuple[int, int, int] | None:
    """Read `go1.26.8` (as `go env GOVERSION` prints it) into numbers that compare.

    >>> parse_go_version("go1.27rc1")
    (1, 27, 0)
    """
    found = _GO.search(text)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3] or 0))


def required_go(go_mod: str) -> tuple[int, int, int]:
    """Return the oldest Go that the `go` line of a go.mod allows."""
    found = _GO_DIRECTIVE.search(go_mod)
    if found is None:
        raise ValueError("go.mod has no `go` line")
    return int(found[1]), int(found[2]), int(found[3] or 0)


def required_module(go_mod: str, module: str) -> Version:
    """Return the version that a go.mod requires of `module`."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    version = parse_version(found[1]) if found else None
    if version is None:
        raise ValueError(f"go.mod requires no version of {module}")
    return version
