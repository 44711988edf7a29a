"""The sums behind a plan, for the terminal: the lines of a part add up to its first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.table import thousands, wrapped
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.explanation import Explanation, Part, Term

_NAME = 20
_NUMBER = 16
_GAP = "  "


def explanation_lines(explanation: Explanation, width: int) -> list[str]:
    """Show the budget, what takes how much of it, what is left, and where each figure is from."""
    rank, gpus = explanation.rank, explanation.gpus
    which = "the GPU" if gpus == 1 else f"rank {rank} of {gpus}, the GPU with the least room"
    lines = [f"Sums, in bytes, of {which}"]
    lines += _part(explanation.budget, width)
    for part in explanation.parts:
        if part.n_bytes or part.terms:
            lines += _part(part, width)
    left = explanation.left_bytes
    why = f"{format_gib(left)} that nothing takes" if left else "nothing"
    lines += _row("left", left, why, width, indent=2)
    return lines


def time_lines(explanation: Explanation, width: int) -> list[str]:
    """Show what each time of the plan consists of, and the rates behind; nothing without speed."""
    if not explanation.times:
        return []
    lines = ["Sums, in milliseconds, of one replica"]
    for time in explanation.times:
        lines += _time_row(time.name, time.milliseconds, "", width, indent=2)
        for term in time.terms:
            lines += _time_row(term.name, term.milliseconds, term.formula, width, indent=4)
    lines.append("  of the hardware's rates is reached")
    for rate in explanation.rates:
        reached = f"{rate.share:.0%} of {rate.nominal:,.4g} {rate.unit}"
        lines.append(f"    {rate.name.ljust(_NAME + 8)}{reached}")
    return lines


def _time_row(name: str, milliseconds: float, text: str, width: int, *, indent: int) -> list[str]:
    label = f"{' ' * indent}{name}"
    number = f"{milliseconds:,.3f}".rjust(max(1, _NAME + _NUMBER + 4 - len(label)))
    head = f"{label}{number}"
    return wrapped(text, width, f"{head}{_GAP}", " " * (len(head) + len(_GAP))) if text else [head]


def origin_lines(explanation: Explanation, width: int) -> list[str]:
    """Say of each figure how sure it is and where it comes from."""
    lines = ["Where they come from, with their error (one standard deviation)"]
    for part in (explanation.budget, *explanation.parts):
        error = f", {_percent(part.relative_error)}" if part.relative_error else ""
        head = f"{part.name.ljust(_NAME - 4)}{part.basis.value}{error}"
        lines += wrapped(f"{head}: {part.source}", width, "  ", " " * (_NAME - 2))
        lines += list(_own_origins(part, width))
    for time in explanation.times:
        error = f", {_percent(time.relative_error)}" if time.relative_error else ""
        head = f"{time.name.ljust(_NAME - 4)}{time.basis.value}{error}"
        lines += wrapped(f"{head}: {time.source}", width, "  ", " " * (_NAME - 2))
    return lines


def _percent(share: float) -> str:
    """Write a share with the digits that tell.

    >>> _percent(0.001), _percent(0.22), _percent(1.0)
    ('0.1 %', '22 %', '100 %')
    """
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"  # noqa: PLR2004 - two digits tell


def _own_origins(part: Part, width: int) -> Iterator[str]:
    for term in part.terms:
        if term.basis is None and not term.source:
            continue
        basis = (term.basis or part.basis).value
        said = f"{term.name}: {basis}: {term.source}" if term.source else f"{term.name}: {basis}"
        yield from wrapped(said, width, " " * (_NAME - 2), " " * _NAME)


def _part(part: Part, width: int) -> list[str]:
    lines = _row(part.name, part.n_bytes, format_gib(part.n_bytes), width, indent=2)
    for term in part.terms:
        lines += _term(term, width)
    return lines


def _term(term: Term, width: int) -> list[str]:
    return _row(term.name, term.n_bytes, term.formula, width, indent=4)


def _row(name: str, n_bytes: int, text: str, width: int, *, indent: int) -> list[str]:
    label = f"{' ' * indent}{name}"
    number = thousands(n_bytes).rjust(max(1, _NAME + _NUMBER + 4 - len(label)))
    head = f"{label}{number}"
    if not text:
        return [head]
    return wrapped(text, width, f"{head}{_GAP}", " " * (len(head) + len(_GAP)))
