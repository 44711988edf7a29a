"""Bars of stacked parts, one below the other, that fill whatever width there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.report.html.markup import Markup, join, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BAR_HEIGHT, NAME_HEIGHT, GAP = 34.0, 20.0, 14.0
NEED_TICK = 14.0
LABELLED_SHARE = 17.0
"""Per cent of the bar from which a part has room for its name, on a phone too."""

WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar.

    Attributes:
        name: of the part; the same in every bar.
        kind: names its colour and pattern (``weights``); see the style sheet.
        size: in the unit of the bar's whole.
        said: what pointing at it says.
    """

    name: str
    kind: str
    size: float
    said: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        name: written above it.
        whole: what its full width stands for.
        parts: from the left; together no more than the whole.
        marks: (size, name) of places along the bar.
    """

    name: str
    whole: float
    parts: tuple[Part, ...]
    marks: tuple[tuple[float, str], ...] = ()


def stacked_bars(key: str, title: str, description: str, bars: Sequence[Bar]) -> Markup:
    """Draw bars below one another, with the legend of their parts."""
    title_key, text_key = f"{key}-title", f"{key}-text"
    drawn = [bar for index, one in enumerate(bars) for bar in _bar(one, index * _row_height(one))]
    drawing = tag(
        "svg",
        tag("title", title, id=title_key),
        tag("desc", description, id=text_key),
        *drawn,
        height=sum(map(_row_height, bars)),
        class_="stacks",
        role="img",
        aria_labelledby=f"{title_key} {text_key}",
    )
    kinds = {part.kind: part.name for bar in bars for part in bar.parts}
    return tag("figure", _legend(kinds), drawing, class_="stack")


def _row_height(bar: Bar) -> float:
    return NAME_HEIGHT + BAR_HEIGHT + GAP + (NAME_HEIGHT if bar.marks else 0.0)


def _bar(bar: Bar, top: float) -> Iterator[Markup]:
    yield tag("text", bar.name, x=0, y=top + 14, class_="row")
    start = 0.0
    for part in bar.parts:
        share = WHOLE * part.size / bar.whole
        if share > 0:
            yield _part(part, start, share, top + NAME_HEIGHT)
        start += share
    for size, name in bar.marks:
        yield _bar_mark(WHOLE * size / bar.whole, name, top + NAME_HEIGHT)


def _part(part: Part, start: float, share: float, top: float) -> Markup:
    place: dict[str, str | float] = {
        "x": f"{start:.3f}%",
        "width": f"{share:.3f}%",
        "y": top,
        "height": BAR_HEIGHT,
    }
    box = tag("rect", tag("title", part.said), **place, class_=f"part {part.kind}")
    pattern = tag("rect", **place, class_="texture", fill=f"url(#texture-{part.kind})")
    if share < LABELLED_SHARE:
        return join(box, pattern)
    middle = tag(
        "text",
        part.name,
        x=f"{start + share / 2:.3f}%",
        y=top + BAR_HEIGHT / 2 + 4.5,
        text_anchor="middle",
        class_=f"inside {part.kind}",
    )
    return join(box, pattern, middle)


def _bar_mark(at: float, name: str, top: float) -> Markup:
    place = f"{at:.3f}%"
    low = top + BAR_HEIGHT + 5
    is_right = at > WHOLE / 2
    tick = tag("line", x1=place, x2=place, y1=low - NEED_TICK, y2=low, class_="need")
    anchor = "end" if is_right else "start"
    return join(tick, tag("text", name, x=place, y=low + 13, text_anchor=anchor, class_="label"))


def _legend(kinds: dict[str, str]) -> Markup:
    return tag(
        "ul", *(tag("li", swatch(kind), name) for kind, name in kinds.items()), class_="legend"
    )


def swatch(kind: str) -> Markup:
    """Return a small sample of a part's colour and pattern, for legends and tables."""
    sides: dict[str, float] = {"x": 0.5, "y": 0.5, "width": 13, "height": 13, "rx": 2}
    return tag(
        "svg",
        tag("rect", **sides, class_=f"part {kind}"),
        tag("rect", **sides, class_="texture", fill=f"url(#texture-{kind})"),
        viewBox="0 0 14 14",
        class_="swatch",
        aria_hidden="true",
    )


TEXTURES = {
    "weights": "",
    "kv": "M-1 5L5 -1M-1 9L9 -1M3 9L9 3",
    "activations": "M2 2h1.6M6 6h1.6",
    "graphs": "M2 0v8M6 0v8",
    "other": "M0 2h8M0 6h8",
    "free": "",
    "there": "",
    "missing": "M-1 5L5 -1M-1 9L9 -1M3 9L9 3",
}
"""Pattern of each kind of part: what is told apart by colour is so without colour, too."""


def textures() -> Markup:
    """Return the definitions of the patterns; once on a page that shows bars."""
    patterns = [
        tag(
            "pattern",
            tag("path", d=drawn, class_="hatch"),
            id=f"texture-{kind}",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        )
        for kind, drawn in TEXTURES.items()
    ]
    return tag(
        "svg", tag("defs", *patterns), width=0, height=0, class_="hidden", aria_hidden="true"
    )
