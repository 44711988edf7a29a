"""Line charts: one or more series over an axis, with bands, marks and lines that say a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.report.html.markup import NOTHING, Markup, join, tag
from qwen3_planner.report.html.plotting import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Frame,
    chart,
    line,
    path,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STYLES = 5
"""Kinds of lines that are told apart by colour and dashes both."""

_LABEL_HEIGHT = 15.0
_LABEL_ROOM = 90.0
"""Where less is left, a label stands to the left of what it names."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a series.

    Attributes:
        x: across.
        y: upwards.
        low: lower end of its interval; as ``y`` where it has none.
        high: upper end.
        said: what pointing at it says.
    """

    x: float
    y: float
    low: float
    high: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, with a band around it where its points have intervals."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the chart, with a name if it is not empty; hollow ones differ from filled ones."""

    name: str
    x: float
    y: float
    is_hollow: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across the whole chart at one value, with its name."""

    name: str
    value: float
    is_upright: bool = False


def line_chart(
    frame: Frame,
    series: tuple[Series, ...],
    marks: tuple[Mark, ...] = (),
    limits: tuple[Limit, ...] = (),
) -> Markup:
    """Draw lines; their names stand above the chart where there are several."""
    drawn = [_limit(frame, limit) for limit in limits]
    drawn += [_band(frame, one, index) for index, one in enumerate(series)]
    drawn += [_line(frame, one, index) for index, one in enumerate(series)]
    drawn += [mark(frame, one) for one in marks]
    return chart(frame, *drawn, legend=_legend(series) if len(series) > 1 else NOTHING)


def _style(index: int) -> int:
    return index % STYLES + 1


def _band(frame: Frame, series: Series, index: int) -> Markup:
    if all(point.low == point.high for point in series.points):
        return NOTHING
    upper = [frame.point(point.x, point.high) for point in series.points]
    lower = [frame.point(point.x, point.low) for point in reversed(series.points)]
    return tag("path", d=path(upper + lower, closed=True), class_=f"band line{_style(index)}")


def _line(frame: Frame, series: Series, index: int) -> Markup:
    places = [frame.point(point.x, point.y) for point in series.points]
    drawn = tag("path", d=path(places), class_=f"series line{_style(index)}")
    return join(drawn, *_pointable(series, places))


def _pointable(series: Series, places: list[tuple[float, float]]) -> Iterator[Markup]:
    """Lay unseen discs over the points that say something when they are pointed at."""
    for point, (x, y) in zip(series.points, places, strict=True):
        if point.said:
            yield tag("circle", tag("title", point.said), cx=x, cy=y, r=9, class_="pointable")


def mark(frame: Frame, one: Mark) -> Markup:
    """Draw a mark with its name beside it."""
    x, y = frame.point(one.x, one.y)
    disc = tag("circle", cx=x, cy=y, r=5, class_=_kind(one))
    if not one.name:
        return disc
    is_left = x > RIGHT - _LABEL_ROOM
    has_room_below = y < BOTTOM - _LABEL_HEIGHT
    label = text(
        x - 8 if is_left else x + 8,
        y + _LABEL_HEIGHT if has_room_below else y - 9,
        one.name,
        "label",
        "end" if is_left else "start",
    )
    return join(disc, label)


def _kind(mark: Mark) -> str:
    return "mark hollow" if mark.is_hollow else "mark"


def _limit(frame: Frame, limit: Limit) -> Markup:
    if not limit.is_upright:
        y = frame.y.scale.at(limit.value)
        label = text(LEFT + 6, y - 5, limit.name, "label")
        return join(line((LEFT, y), (RIGHT, y), "limit"), label)
    x = frame.x.scale.at(limit.value)
    is_left = x > RIGHT - _LABEL_ROOM
    label = text(
        x - 5 if is_left else x + 5, TOP - 4, limit.name, "label", "end" if is_left else "start"
    )
    return join(line((x, TOP - 12), (x, BOTTOM), "limit"), label)


def _legend(series: tuple[Series, ...]) -> Markup:
    return tag("ul", *_names(series), class_="legend")


def _names(series: tuple[Series, ...]) -> Iterator[Markup]:
    for index, one in enumerate(series):
        sample = line((0, 6), (28, 6), f"series line{_style(index)}")
        swatch = tag("svg", sample, viewBox="0 0 28 12", class_="swatch wide", aria_hidden="true")
        yield tag("li", swatch, one.name)
