"""The frame of a chart: axes with ticks, a grid behind them, a name and a description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.report.html.markup import NOTHING, Markup, join, tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_planner.report.html.scales import Scale

WIDTH, HEIGHT = 380.0, 250.0
"""Units of every chart: about the pixels of a phone, so that its letters are as large as others."""

LEFT, RIGHT, TOP, BOTTOM = 52.0, 366.0, 32.0, 210.0
"""Of the field inside the axes."""

TICK_TEXT_DROP, AXIS_NAME_DROP = 17.0, 36.0
_CLOSE = 26.0
"""Places nearer than that share no label."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        name: what it shows, with the unit.
        scale: from values to places.
        say: from a value to the text of its tick.
    """

    name: str
    scale: Scale
    say: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What every chart has.

    Attributes:
        key: unique on the page, of letters, digits and hyphens.
        title: what is seen.
        description: the same for those who do not see it.
        x: across.
        y: upwards.
    """

    key: str
    title: str
    description: str
    x: Axis
    y: Axis

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a pair of values."""
        return self.x.scale.at(x), self.y.scale.at(y)


def chart(frame: Frame, *drawn: Markup, legend: Markup = NOTHING) -> Markup:
    """Put a drawing into its frame, under its title."""
    title_key, text_key = f"{frame.key}-title", f"{frame.key}-text"
    drawing = tag(
        "svg",
        tag("title", frame.title, id=title_key),
        tag("desc", frame.description, id=text_key),
        *_across(frame.x),
        *_upwards(frame.y),
        *drawn,
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        role="img",
        aria_labelledby=f"{title_key} {text_key}",
    )
    caption = tag("figcaption", tag("h3", frame.title))
    return tag("figure", caption, legend, drawing, class_="chart")


def text(x: float, y: float, said: str, class_: str = "", anchor: str | None = None) -> Markup:
    """Write into a chart."""
    return tag("text", said, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(start: tuple[float, float], end: tuple[float, float], class_: str) -> Markup:
    """Draw a straight line."""
    return tag("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def _across(axis: Axis) -> Iterator[Markup]:
    last = -_CLOSE
    for value in axis.scale.ticks():
        x = axis.scale.at(value)
        yield line((x, TOP), (x, BOTTOM), "grid")
        if x - last >= _CLOSE:
            anchor = "end" if x > RIGHT - _CLOSE / 3 else "middle"
            yield text(x, BOTTOM + TICK_TEXT_DROP, axis.say(value), "tick", anchor)
            last = x
    yield line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis")
    yield text((LEFT + RIGHT) / 2, BOTTOM + AXIS_NAME_DROP, axis.name, "name", "middle")


def _upwards(axis: Axis) -> Iterator[Markup]:
    for value in axis.scale.ticks():
        y = axis.scale.at(value)
        yield line((LEFT, y), (RIGHT, y), "grid")
        yield text(LEFT - 6, y + 4, axis.say(value), "tick", "end")
    yield text(2, 11, axis.name, "name")


def path(points: list[tuple[float, float]], *, closed: bool = False) -> str:
    """Return the commands of a path through points."""
    said = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{said}Z" if closed else f"M{said}"


def group(*drawn: Markup, **attributes: str) -> Markup:
    """Put drawings together."""
    return tag("g", join(*drawn), **attributes)
