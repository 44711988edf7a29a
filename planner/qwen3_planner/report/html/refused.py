"""What was refused: rule, reason and fixes; and where memory is missing, how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import share, size
from qwen3_planner.report.html.markup import NOTHING, Content, Markup, join, tag
from qwen3_planner.report.html.page import folded, section
from qwen3_planner.report.html.stacks import Bar, Part, stacked_bars
from qwen3_planner.report.html.tables import Column, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.plan import Refusal

MOST_BARS = 5
"""Refusals whose missing memory is drawn."""

SEARCHED_FROM = 4
"""Rows from which a table gets a field to search it."""


def refusals_section(refusals: Sequence[Refusal], *, opened: bool) -> Markup:
    """List every refusal; nothing where there is none."""
    if not refusals:
        return NOTHING
    rows = [
        (_what(refusal), tag("code", refusal.rule), refusal.message, _fixes(refusal))
        for refusal in refusals
    ]
    columns = [Column(name) for name in ("Candidate", "Rule", "Why", "What would give a plan")]
    listed = tag(
        "div",
        table(
            "What was looked at and refused, the nearest miss first", columns, rows, class_="blocks"
        ),
        id="refused-rows",
    )
    search = _search("refused-rows") if len(refusals) >= SEARCHED_FROM else NOTHING
    heading = "Why not" if opened else f"What was refused ({len(refusals)})"
    return folded("refused", heading, search, listed, opened=opened)


def missing_section(refusals: Sequence[Refusal]) -> Markup:
    """Draw what each GPU would need against what it has, for refusals that lack memory."""
    short = [refusal for refusal in refusals if _missing(refusal) > 0][:MOST_BARS]
    if not short:
        return NOTHING
    said = [f"{_what(refusal)}: {_said_missing(refusal)}." for refusal in short]
    bars = [_bar(refusal) for refusal in short]
    drawn = stacked_bars("missing-bars", "Memory that is missing", " ".join(said), bars)
    note = "Each bar is what one GPU would need; hatched is what it does not have."
    return section("missing", "Memory that is missing", drawn, note=note)


def _bar(refusal: Refusal) -> Bar:
    needed, available = refusal.needed_bytes or 0, refusal.available_bytes or 0
    parts = (
        Part("There", "there", available, f"Usable: {size(available)}"),
        Part("Missing", "missing", needed - available, f"Missing: {size(needed - available)}"),
    )
    return Bar(_what(refusal), needed, parts, ((available, _said_missing(refusal)),))


def _said_missing(refusal: Refusal) -> str:
    missing = _missing(refusal)
    return f"{size(missing)} of {size(refusal.needed_bytes or 0)} missing"


def _missing(refusal: Refusal) -> int:
    if refusal.needed_bytes is None or refusal.available_bytes is None:
        return 0
    return refusal.needed_bytes - refusal.available_bytes


def _what(refusal: Refusal) -> str:
    layout = f" {refusal.layout}" if refusal.layout else ""
    where = f" on {refusal.accelerator}" if refusal.accelerator else ""
    return f"{refusal.quantization}{layout}{where}"


def _fixes(refusal: Refusal) -> Content:
    missing = _missing(refusal)
    short = ""
    if missing > 0:
        short = f"{size(missing)} missing per GPU, {share(missing, refusal.needed_bytes or 1)}"
    fixes = tag("ul", *(tag("li", tag("code", str(fix))) for fix in refusal.fixes))
    return join(tag("p", short) if short else NOTHING, fixes if refusal.fixes else NOTHING)


def _search(target: str) -> Markup:
    """Return a field that the script shows: without scripts it could do nothing."""
    count = tag("span", id=f"{target}-count", role="status")
    field = tag("input", type="search", data_search=target, autocomplete="off")
    return tag("label", "Search the refusals ", field, count, class_="search", hidden=True)
