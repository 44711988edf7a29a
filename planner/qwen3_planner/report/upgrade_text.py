"""What an upgrade changes, for the terminal: the verdict first, then what it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.report.table import render, thousands, wrapped
from qwen3_planner.report.text import verdict
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.upgrading.values import Figure, FlagGone, Gone, Turn, Upgrade

_LISTED = 12
"""Layouts that are named on one side."""

_SINCE = 8
"""Columns of a version, at least."""


def upgrade_text(upgrade: Upgrade, width: int = 80) -> str:
    """Say what an upgrade changes, as lines of at most ``width`` columns where words allow."""
    blocks = (
        _head(upgrade, width),
        _breaks(upgrade.breaks, width),
        _remedies(upgrade, width),
        _figures(upgrade, width),
        _legality(upgrade.legality, width),
        _command(upgrade, width),
        _flags(upgrade.flags, width),
        _turns(upgrade, width),
    )
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(upgrade: Upgrade, width: int) -> list[str]:
    variant = upgrade.before.variant
    what = f"{variant} from {upgrade.engine} {upgrade.from_version} to {upgrade.to_version}"
    lines = wrapped(f"{what}: {'nothing breaks' if upgrade.holds else 'it breaks'}", width)
    if isinstance(upgrade.before, NoPlan):
        return [*lines, f"With {upgrade.from_version} there is no plan to begin with."]
    before = upgrade.before
    held = f"Held fixed: {verdict(before).partition(': ')[2]}, context"
    return [*lines, *wrapped(f"{held} {thousands(before.max_model_len)} tokens.", width)]


def _breaks(breaks: Sequence[str], width: int) -> list[str]:
    if not breaks:
        return []
    return ["Breaks", *(line for text in breaks for line in wrapped(text, width, "  ! ", "    "))]


def _remedies(upgrade: Upgrade, width: int) -> list[str]:
    """Say what would fit under the new version."""
    after = upgrade.after
    if isinstance(after, Plan) or after.nearest is None:
        return []
    nearest = after.nearest
    lines = wrapped(f"try  {nearest.change}", width, "  ", "       ")
    return [
        f"Nearest that fits with {upgrade.to_version}",
        *lines,
        *wrapped(verdict(nearest.plan), width, "  ", "  "),
    ]


def _figures(upgrade: Upgrade, width: int) -> list[str]:
    if not upgrade.figures:
        return []
    headers = ("", upgrade.from_version, upgrade.to_version, "change")
    rows = [_row(figure) for figure in upgrade.figures]
    table = render(headers, rows, right=headers[1:])
    title = "Figures; sizes in GiB, of the GPU with the least room"
    return [*wrapped(title, width), *(f"  {line}" for line in table)]


def _row(figure: Figure) -> tuple[str, str, str, str]:
    before, after = figure.before, figure.after
    name = f"{figure.name}, tokens" if figure.unit == "tokens" else figure.name
    if before == after:
        change = "-"
    elif figure.unit == "bytes":
        change = f"{gib(after - before):+.2f}"
    elif figure.unit == "share":
        change = f"{after - before:+.3g}"
    else:
        change = f"{100 * (after / before - 1):+.1f} %" if before else "new"
    return name, _said(figure.unit, before), _said(figure.unit, after), change


def _said(unit: str, value: float) -> str:
    if unit == "bytes":
        return f"{gib(value):.2f}"
    if unit == "share":
        return f"{value:.3g}"
    return thousands(int(value)) if value % 1 == 0 else f"{value:.2f}"


def _legality(gone: Gone, width: int) -> list[str]:
    lines: list[str] = []
    for name, layouts, why, rules in (
        ("lost", gone.layouts_lost, "refused by", gone.rules_gained),
        ("gained", gone.layouts_gained, "were refused by", gone.rules_lost),
    ):
        shown = [str(layout) for layout in layouts[:_LISTED]]
        shown += [f"{len(layouts) - _LISTED} more"] if layouts[_LISTED:] else []
        if shown:
            lines += wrapped(", ".join(shown), width, f"  {name.ljust(8)}", " " * 10)
        for rule in rules:
            lines += wrapped(f"{why} {rule}", width, " " * 10, " " * 12)
    return ["Layouts that are legal", *lines] if lines else []


def _command(upgrade: Upgrade, width: int) -> list[str]:
    lines = [
        line
        for sign, words in (("-", upgrade.words_removed), ("+", upgrade.words_added))
        for word in words
        for line in wrapped(word, width, f"  {sign} ", "    ")
    ]
    for sign, here, there in (
        ("-", upgrade.env_before, upgrade.env_after),
        ("+", upgrade.env_after, upgrade.env_before),
    ):
        lines += [f"  {sign} {name}={value}" for name, value in here if (name, value) not in there]
    return ["Command and environment of the plan", *lines] if lines else []


def _flags(flags: Sequence[FlagGone], width: int) -> list[str]:
    lines: list[str] = []
    for flag in flags:
        whose = "the old command" if flag.where == "command" else "extraArgs"
        since = f"gone since {flag.since}" if flag.since else "not taken"
        instead = f"; {flag.instead} instead" if flag.instead else ""
        lines += wrapped(f"{flag.flag} ({whose}): {since}{instead}", width, "  ", "    ")
    return ["Flags that the new version does not take", *lines] if lines else []


def _turns(upgrade: Upgrade, width: int) -> list[str]:
    if not upgrade.turns:
        return []
    lines = [f"What {upgrade.engine} does otherwise"]
    widest = max(len(turn.since) for turn in upgrade.turns)
    for turn in upgrade.turns:
        lines += _turn(turn, max(widest, _SINCE), width)
    return lines


def _turn(turn: Turn, since: int, width: int) -> list[str]:
    head = f"  {turn.since.ljust(since)}  "
    said = f"{turn.subject}: {turn.before} became {turn.after}"
    return [
        *wrapped(said, width, head, " " * len(head)),
        *wrapped(turn.source, width, " " * len(head), " " * len(head)),
    ]
