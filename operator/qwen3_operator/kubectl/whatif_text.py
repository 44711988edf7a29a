"""Pure: the answer to ``whatif`` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.kubectl.outcomes import Effect
from qwen3_planner.report.table import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_operator.kubectl.outcomes import Change, Evicted, Standing

HEADINGS: tuple[tuple[str, frozenset[Effect]], ...] = (
    ("Displaced", frozenset({Effect.LOSES, Effect.MOVES})),
    ("Starts running", frozenset({Effect.STARTS})),
    ("Waits", frozenset({Effect.WAITS})),
    ("No plan", frozenset({Effect.NO_PLAN})),
)
"""What people ask first comes first."""

ARROW = " -> "


def to_text(
    asked: Sequence[tuple[str, str]],
    found: Sequence[Change],
    evicted: Sequence[Evicted],
    notes: Sequence[str],
    width: int = 80,
) -> str:
    """Say what becomes of whom, as lines of at most ``width`` columns where words allow."""
    lines = wrapped(f"What if: {', '.join(f'{what} {value}' for what, value in asked)}", width)
    for heading, effects in HEADINGS:
        those = [one for one in found if one.effect in effects]
        if those:
            lines += ["", heading]
            for one in those:
                lines += _lines(one, width)
    if evicted:
        lines += ["", "Pods of others"]
        for pod in evicted:
            lines += wrapped(_others(pod), width, "  ", "      ")
    unchanged = sum(one.effect is Effect.UNCHANGED for one in found)
    told = len(found) - unchanged
    if not told:
        lines += ["", "Nothing changes for any model."]
    elif unchanged:
        lines += ["", f"Unchanged: {unchanged} of {len(found)}."]
    lines += ["", *(line for note in notes for line in wrapped(note, width, "Note: ", "      "))]
    return "\n".join(lines).rstrip() + "\n"


def _lines(one: Change, width: int) -> Iterator[str]:
    yield from wrapped(f"{one.key}: {_sentence(one)}", width, "  ", "      ")
    if one.after.running < one.after.wanted and one.after.message:
        reason, message = one.after.reason, one.after.message
        told = message if message.startswith(reason) else f"{reason}: {message}"
        yield from wrapped(told, width, "      ")


def _sentence(one: Change) -> str:
    after = one.after
    count = f"{after.running} of {_replicas(after.wanted)}"
    match one.effect:
        case Effect.LOSES:
            was = one.before.running if one.before else 0
            return f"{count} left, {was} ran{_moved(one)}"
        case Effect.MOVES:
            return f"{count} go on{_moved(one)}"
        case Effect.STARTS:
            where = _nodes([taken for _, taken in one.moves if taken])
            return f"{count} on {where}{_plan(after)}"
        case Effect.WAITS:
            return f"{count} run{_plan(after)}"
        case _:
            return f"{count} run"


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"


def _moved(one: Change) -> str:
    moved = [f"{left}{ARROW}{taken or 'no node'}" for left, taken in one.moves if left]
    return f"; {', '.join(moved)}" if moved else ""


def _nodes(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "no node"


def _plan(standing: Standing) -> str:
    return f" ({standing.plan})" if standing.plan else ""


def _others(pod: Evicted) -> str:
    gpus = f", {pod.gpus} GPUs" if pod.gpus else ""
    then = f"made again on {pod.comes_back}" if pod.comes_back else "finds no node"
    return f"{pod.namespace}/{pod.name} on {pod.node}{gpus}: {then}"
