"""Tables that a phone shows as one block a row, and readers of the page aloud as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.report.html.markup import NOTHING, Content, Markup, tag

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, and whether its cells are numbers, which end in line."""

    name: str
    is_number: bool = False


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Content]],
    *,
    class_: str = "",
    foot: Sequence[Content] = (),
) -> Markup:
    """Build a table whose first column names its rows.

    Args:
        caption: what it shows.
        columns: from the left.
        rows: as many cells each.
        class_: ``blocks`` where rows of prose become blocks on a narrow screen.
        foot: a last row, such as a sum.
    """
    header = tag(
        "tr",
        *(
            tag("th", column.name, scope="col", class_="number" if column.is_number else None)
            for column in columns
        ),
    )
    body = [_row(columns, cells) for cells in rows]
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", header),
            tag("tbody", *body),
            tag("tfoot", _row(columns, foot)) if foot else NOTHING,
            class_=class_ or None,
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def _row(columns: Sequence[Column], cells: Sequence[Content]) -> Markup:
    first, *rest = cells
    said = [tag("th", first, scope="row")]
    for column, cell in zip(columns[1:], rest, strict=True):
        kind = "number" if column.is_number else None
        said.append(tag("td", cell, class_=kind, data_name=column.name))
    return tag("tr", *said)
