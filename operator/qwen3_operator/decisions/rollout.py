"""What pods shall be made from: what runs, what is asked for now, or what worked last.

An operator that is upgraded would render many a template differently. So a template is never
compared with a rendering alone: pods are made anew when what they *come from* has changed, the
specification or the plan, and when that changes the rendering. What runs is kept as it was written
(:mod:`qwen3_operator.rolling.revisions`), so nothing has to be rendered again to stay as it is.

A rollout that does not get there in its time is given up: what worked last runs again, and what
failed is remembered by what it came from. It is tried again when that changes, so nothing goes to
and fro.

Nothing here knows Deployments: the same holds for groups of pods over several nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple


class Inputs(NamedTuple):
    """Fingerprints of what pods come from.

    Attributes:
        spec: of what the user says about the pods; not of their number.
        plan: of the plan's identity and its pool of nodes; not of its figures.
    """

    spec: str
    plan: str

    def __str__(self) -> str:
        """Write both as one text.

        >>> str(Inputs("ab12", "cd34"))
        'ab12.cd34'
        """
        return f"{self.spec}.{self.plan}"

    @classmethod
    def of(cls, text: str) -> Inputs:
        """Read such a text; any other one gives fingerprints that equal none.

        >>> Inputs.of("ab12.cd34")
        Inputs(spec='ab12', plan='cd34')
        """
        spec, _, plan = text.partition(".")
        return cls(spec, plan)


@dataclass(frozen=True, slots=True)
class Wish:
    """What this release of the operator would make now.

    Attributes:
        plan_hash: of the pods' templates (:mod:`qwen3_operator.desired.hashing`).
        inputs: what they come from.
    """

    plan_hash: str
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Kept:
    """What pods are or were made from, as it was written down.

    Attributes:
        plan_hash: of the templates.
        inputs: what they come from, as last judged.
        renders_as: the hash that the release which judged last would give the same inputs.
    """

    plan_hash: str
    inputs: Inputs
    renders_as: str


@dataclass(frozen=True, slots=True)
class Failed:
    """What was tried and given up.

    Attributes:
        plan_hash: of the templates.
        inputs: what they came from.
    """

    plan_hash: str
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known from before.

    Attributes:
        current: what the live pods are made from; None where there are none, or nobody knows.
        working: the last of which all replicas answered; None before the first.
        failed: what was given up last; None if nothing was.
    """

    current: Kept | None = None
    working: Kept | None = None
    failed: Failed | None = None


class Move(StrEnum):
    """What becomes of the pods' templates."""

    RENDER = "render"
    """They are made anew, as this release makes them."""

    KEEP = "keep"
    """They stay what they are."""

    GIVE_UP = "give up"
    """They stay for now, and the next decision goes back: first it is said, then it is done."""

    GO_BACK = "go back"
    """They become what worked last."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What pods shall be made from.

    Attributes:
        move: what becomes of the templates.
        plan_hash: of the templates that shall live.
        failed: what is given up; None if nothing is.
        kept: with KEEP and GIVE_UP, the same with this judgement written down.
    """

    move: Move
    plan_hash: str
    failed: Failed | None = None
    kept: Kept | None = None


def decide(wish: Wish, memory: Memory, *, is_late: bool, may_go_back: bool) -> Decision:
    """Decide what pods shall be made from.

    Args:
        wish: what would be made now.
        memory: what is known from before.
        is_late: whether the pods of ``memory.current`` did not become ready in their time.
        may_go_back: whether the user wants to return to what worked.
    """
    failed, working, current = memory.failed, memory.working, memory.current
    if failed is not None and working is not None and _is_still_asked_for(wish, failed, working):
        return Decision(Move.GO_BACK, working.plan_hash, _as_asked_now(failed, wish))
    if current is None or not _means_the_same(wish, current):
        return Decision(Move.RENDER, wish.plan_hash)
    kept = replace(current, inputs=wish.inputs, renders_as=wish.plan_hash)
    is_better_known = working is not None and working.plan_hash != current.plan_hash
    if is_late and may_go_back and is_better_known:
        given_up = Failed(current.plan_hash, wish.inputs)
        return Decision(Move.GIVE_UP, current.plan_hash, given_up, kept)
    return Decision(Move.KEEP, current.plan_hash, None, kept)


def _means_the_same(wish: Wish, current: Kept) -> bool:
    """Whether what runs is what is asked for, however this release would write it.

    Either it comes from the same, or what it comes from changed in a way that one and the same
    release renders alike.
    """
    return current.inputs == wish.inputs or wish.plan_hash in (
        current.plan_hash,
        current.renders_as,
    )


def _as_asked_now(failed: Failed, wish: Wish) -> Failed:
    """Remember what failed by the specification that asks for it now.

    Another one may make the same pods; a later release renders both differently, and would not know
    them by their hash any more.
    """
    if wish.plan_hash != failed.plan_hash:
        return failed
    return replace(failed, inputs=failed.inputs._replace(spec=wish.inputs.spec))


def _is_still_asked_for(wish: Wish, failed: Failed, working: Kept) -> bool:
    """Whether trying again would try what failed.

    Where the specification is the same, the plan is that which failed, or that which runs again and
    is therefore kept by the planner.
    """
    if working.plan_hash == failed.plan_hash:
        return False
    if wish.plan_hash == failed.plan_hash:
        return True
    known_plans = (failed.inputs.plan, working.inputs.plan)
    return wish.inputs.spec == failed.inputs.spec and wish.inputs.plan in known_plans
