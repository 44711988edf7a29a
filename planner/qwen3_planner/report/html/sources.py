"""Where each figure comes from and how far it may be off; the sums behind the memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import DASH, bare_size
from qwen3_planner.report.html.markup import NOTHING, Content, Markup, join, tag
from qwen3_planner.report.html.page import folded
from qwen3_planner.report.html.tables import Column, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.explanation import Explanation, Part
    from qwen3_planner.plan import Provenance

_ADDRESS = re.compile(r"https://[^\s;,()]+")

BASES = (
    ("exact", "counted or read, not estimated"),
    ("formula", "computed from facts about the engine and the model"),
    ("fitted", "fitted on measured runs"),
    ("assumed", "nobody states it; the page says so rather than hide it"),
)


def sources_section(provenance: Sequence[Provenance]) -> Markup:
    """List the figures of the plan with basis, error and source."""
    if not provenance:
        return NOTHING
    rows = [
        (tag("code", one.figure), one.basis.value, _error(one), linked(one.source))
        for one in provenance
    ]
    columns = (Column("Figure"), Column("Basis"), Column("Error", is_number=True), Column("Source"))
    words = [join(tag("b", name), f": {text}. ") for name, text in BASES]
    return folded(
        "sources",
        "Where the figures come from",
        tag("p", *words, class_="note"),
        table("Errors are one standard deviation", columns, rows, class_="blocks"),
    )


def _error(one: Provenance) -> str:
    return f"±{100 * one.relative_error:.3g}%" if one.relative_error else "0"


def linked(text: str) -> Markup:
    """Turn the addresses in a text into links; nothing is loaded until one is followed."""
    parts: list[Content] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        address = found.group().rstrip(".")
        link = tag("a", address, href=address, rel="noreferrer")
        parts += [text[end : found.start()], link]
        end = found.start() + len(address)
    return join(*parts, text[end:])


def explanation_section(explanation: Explanation | None) -> Markup:
    """List the addends of each figure, as ``--explain`` does; nothing without it."""
    if explanation is None:
        return NOTHING
    columns = (
        Column("Term"),
        Column("Bytes", is_number=True),
        Column("GiB", is_number=True),
        Column("How"),
    )
    tables = [
        table(
            f"{part.name}: basis {part.basis.value}", columns, list(_terms(part)), class_="blocks"
        )
        for part in (explanation.budget, *explanation.parts)
    ]
    return folded("sums", f"The sums, for rank {explanation.rank}", *tables, opened=True)


def _terms(part: Part) -> Iterator[tuple[Content, ...]]:
    for term in part.terms:
        yield term.name, f"{term.n_bytes:,}", bare_size(term.n_bytes), term.formula or DASH
    yield "sum", f"{part.n_bytes:,}", bare_size(part.n_bytes), DASH
