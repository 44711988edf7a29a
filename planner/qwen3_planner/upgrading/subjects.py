"""One thing that an engine decides by version, under two of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.upgrading.values import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qwen3_planner.engines.versions import Ruling, Version

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an engine decides, and how that was and is.

    Attributes:
        name: what it is about, as the left side of "name: this became that".
        before: value under the old version, as people say it.
        after: under the new one.
        since: version from which the newer of the two rulings holds.
        source: of that ruling.
    """

    name: str
    before: str
    after: str
    since: Version
    source: str

    @property
    def turn(self) -> Turn:
        """The same as a part of the answer."""
        return Turn(self.name, str(self.since), self.before, self.after, self.source)


def spoken(value: object) -> str:
    """Say a value of a ruling.

    >>> spoken(True), spoken(0.92), spoken(None)
    ('yes', '0.92', 'none')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def subject(
    name: str,
    rulings: Sequence[Ruling[T]],
    versions: tuple[Version, Version],
    say: Callable[[T], str] = spoken,
) -> Subject:
    """Look one table of rulings up under both versions."""
    return decided(name, rulings, versions, lambda at: say(ruling_at(rulings, at).value))


def decided(
    name: str,
    rulings: Sequence[Ruling[Any]],
    versions: tuple[Version, Version],
    said_at: Callable[[Version], str],
) -> Subject:
    """Say a decision under both versions, with the ruling that first brought the newer one.

    Args:
        name: what it is about.
        rulings: all that the decision depends on.
        versions: the old one and the new one, in either order.
        said_at: the decision at a version.
    """
    low, high = min(versions), max(versions)
    newest, brought, earlier = said_at(high), ruling_at(rulings, high), low
    for ruling in sorted(rulings, key=lambda ruling: ruling.since):
        if low < ruling.since <= high:
            if said_at(earlier) != newest:
                brought = ruling
            earlier = ruling.since
    old, new = versions
    return Subject(name, said_at(old), said_at(new), brought.since, brought.source)
