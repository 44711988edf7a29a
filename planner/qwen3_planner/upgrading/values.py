"""The answer of ``qwen3 upgrade-check``: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from qwen3_planner.plan import Layout, PlanResult


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure under both versions.

    Attributes:
        name: what it is.
        unit: ``bytes``, ``tokens``, ``requests`` or ``share``.
        before: under the old version.
        after: under the new one.
    """

    name: str
    unit: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class FlagGone:
    """A flag that the new version's parser no longer takes.

    Attributes:
        flag: its long name.
        where: ``command`` (what the plan renders for the old version) or ``extraArgs``.
        since: first version without it; empty where it never was one of this engine's.
        instead: what to write; empty where nothing took its place.
    """

    flag: str
    where: str
    since: str
    instead: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that the engine does otherwise from some version on.

    Attributes:
        subject: what it is about.
        since: the version.
        before: what held under the old version.
        after: what holds under the new one.
        source: where it was read.
    """

    subject: str
    since: str
    before: str
    after: str
    source: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Layouts and rules that come or go.

    Attributes:
        layouts_lost: legal before, refused after.
        layouts_gained: the other way round.
        rules_lost: demands that are no longer made, each with the engine's words.
        rules_gained: demands that are new.
    """

    layouts_lost: tuple[Layout, ...] = ()
    layouts_gained: tuple[Layout, ...] = ()
    rules_lost: tuple[str, ...] = ()
    rules_gained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade changes.

    Attributes:
        engine: name of the server.
        from_version: the old one.
        to_version: the new one.
        before: the plan under the old version, or why there is none.
        after: with what that plan chose held fixed.
        breaks: what stands against the upgrade, as sentences; empty: nothing.
        figures: of the tightest GPU, and of the whole replica.
        legality: layouts and rules that come or go.
        flags: that are gone, of the command and of extraArgs.
        words_removed: options of the old command line that the new one does without.
        words_added: options that it has instead.
        env_before: environment under the old version.
        env_after: under the new one.
        turns: what the engine does otherwise, with sources.
    """

    engine: str
    from_version: str
    to_version: str
    before: PlanResult
    after: PlanResult
    breaks: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    legality: Gone = Gone()
    flags: tuple[FlagGone, ...] = ()
    words_removed: tuple[str, ...] = ()
    words_added: tuple[str, ...] = ()
    env_before: tuple[tuple[str, str], ...] = ()
    env_after: tuple[tuple[str, str], ...] = ()
    turns: tuple[Turn, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing stands against it."""
        return not self.breaks

    @property
    def plan(self) -> Plan | None:
        """The plan under the new version, if there is one."""
        return self.after if isinstance(self.after, Plan) else None
