"""A rule as a value: what is checked, for which versions, what the engine says, where it was read.

A check is a sentence of a name and looks at facts; it returns a sentence that says what is wrong,
how far off it is and what would do, or None. It knows nothing of rule names, and of versions only
where the bound itself changed with them. Chains (:mod:`qwen3_planner.rules.chains`) list rules per
engine; the same check may stand in several, each time with that engine's versions and source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from qwen3_planner.engines.versions import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qwen3_planner.engines.versions import Ruling
    from qwen3_planner.plan import Refusal
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts

FIRST = Version(0, 0)
"""Older than any release: holds from the first version that serves the family."""


class Facts(Protocol):
    """What a chain is asked about."""

    @property
    def version(self) -> Version:
        """Of the engine; at most the newest whose rules are known."""
        ...

    def refuse(self, rule: str, message: str) -> Refusal:
        """Say no in the name of a rule."""
        ...


F = TypeVar("F", bound=Facts)


@dataclass(frozen=True, slots=True)
class Rule(Generic[F]):
    """One demand of an engine, or one thing to know, for a range of its versions.

    Attributes:
        name: CamelCase; of a refusal it is also the reason that ``kubectl`` shows.
        check: returns what is wrong (or to be known), as a sentence; None where nothing is.
        source: where it was read, with the version.
        said: the engine's own words, or what it does without any.
        since: first version it holds for.
        until: first version it no longer holds for; None: it holds for the newest known.
        bounds: tables that the check looks a bound up in by version, where the rule holds
            throughout and only the bound changed.
    """

    name: str
    check: Callable[[F], str | None]
    source: str
    said: str
    since: Version = FIRST
    until: Version | None = None
    bounds: tuple[tuple[Ruling[Any], ...], ...] = ()

    def turning_points(self) -> Iterator[Version]:
        """Yield the versions at which it begins, changes or ends."""
        yield self.since
        yield from (ruling.since for table in self.bounds for ruling in table)
        if self.until is not None:
            yield self.until

    def is_in_force(self, version: Version) -> bool:
        """Whether it holds for a version.

        >>> rule = Rule("Any", lambda facts: None, "…", "…", Version(0, 9), Version(0, 13))
        >>> [rule.is_in_force(Version(0, minor)) for minor in (8, 9, 12, 13)]
        [False, True, True, False]
        """
        return self.since <= version and (self.until is None or version < self.until)


def on_pool(check: Callable[[PoolFacts], str | None]) -> Callable[[LayoutFacts], str | None]:
    """Ask a layout's pool: for a check that looks at no layout in a chain that does."""

    def asked(facts: LayoutFacts) -> str | None:
        return check(facts.pool)

    asked.__name__, asked.__doc__ = check.__name__, check.__doc__
    return asked


def in_force(chain: Sequence[Rule[F]], version: Version) -> tuple[Rule[F], ...]:
    """Return the rules of a chain that hold for a version, in its order."""
    return tuple(rule for rule in chain if rule.is_in_force(version))


def first_no(rules: Sequence[Rule[F]], facts: F) -> Refusal | None:
    """Return the no of the first rule that has something to say; all are asked as in force."""
    for rule in rules:
        sentence = rule.check(facts)
        if sentence is not None:
            return facts.refuse(rule.name, sentence)
    return None


def first_refusal(chain: Sequence[Rule[F]], facts: F) -> Refusal | None:
    """Return the no of the first rule of a chain that is in force and has something to say."""
    return first_no(in_force(chain, facts.version), facts)


def sentences(chain: Sequence[Rule[F]], facts: F) -> tuple[str, ...]:
    """Return what every rule of a chain that is in force has to say."""
    said = (rule.check(facts) for rule in in_force(chain, facts.version))
    return tuple(sentence for sentence in said if sentence is not None)
