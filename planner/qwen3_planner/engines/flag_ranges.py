"""Which releases of an engine take which flag: what the lists of each engine are made into."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.engines.versions import Version


class FlagRange(NamedTuple):
    """Releases whose parser takes a flag.

    Attributes:
        since: the first of them.
        until: the first that no longer takes it; None: the newest known still does.
    """

    since: Version
    until: Version | None


def ranges_of(
    oldest: Version,
    at_oldest: str,
    came: Iterable[tuple[Version, str]],
    went: Iterable[tuple[Version, str]],
) -> dict[str, FlagRange]:
    """Return every flag with the releases that take it.

    Args:
        oldest: release of the first list.
        at_oldest: names that it takes, without dashes, parted by blanks.
        came: names that each later release brought.
        went: names that each later release no longer takes.
    """
    since = dict.fromkeys(at_oldest.split(), oldest)
    for version, names in came:
        since.update(dict.fromkeys(names.split(), version))
    until = {name: version for version, names in went for name in names.split()}
    return {f"--{name}": FlagRange(first, until.get(name)) for name, first in since.items()}


def is_taken(found: FlagRange | None, version: Version, oldest: Version) -> bool:
    """Whether a version takes a flag; one that no list names is taken by none.

    Args:
        found: its releases, where it is known.
        version: asked about; before the oldest list it is like that one.
        oldest: release of the first list.
    """
    if found is None:
        return False
    return max(version, oldest) >= found.since and (found.until is None or version < found.until)
