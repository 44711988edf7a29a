"""Plain tables and wrapped lines for terminals of any width."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
_MIN_WRAP = 20


def render(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
) -> list[str]:
    """Lay out a table; every column is as wide as its widest cell.

    Args:
        headers: one per column.
        rows: as many cells each.
        right: headers of the columns whose cells end, rather than start, in line.

    >>> for line in render(("name", "GiB"), [("a", "1.5"), ("bcd", "20.0")], right=["GiB"]):
    ...     print(line)
    name   GiB
    a      1.5
    bcd   20.0
    """
    at_right = {headers.index(name) for name in right}
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row in (headers, *rows):
        cells = [
            cell.rjust(width) if index in at_right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(GAP.join(cells).rstrip())
    return lines


def wrapped(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Break a text into lines; long words (URLs, flags) are never cut.

    Args:
        text: any text; its own line breaks are kept.
        width: of the terminal.
        indent: before the first line.
        hanging: before the others; as ``indent`` if None.
    """
    rest = indent if hanging is None else hanging
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += textwrap.wrap(
            paragraph,
            max(width, len(indent) + _MIN_WRAP),
            initial_indent=indent if not lines else rest,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def labelled(label: str, text: str, width: int, label_width: int) -> list[str]:
    """Put a label before a text whose further lines hang under its start.

    >>> labelled("Context", "40,960 tokens a request", 30, 10)
    ['Context   40,960 tokens a', '          request']
    """
    return wrapped(text, width, label.ljust(label_width), " " * label_width)


def thousands(number: int) -> str:
    """Write a whole number with separators.

    >>> thousands(153904)
    '153,904'
    """
    return f"{number:,}"
