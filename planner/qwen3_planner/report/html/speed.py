"""Speed against requests in flight: tokens per second, time to the first token, time per token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import between, compact, duration, tick_duration, whole
from qwen3_planner.report.html.lines import Limit, Mark, Point, Series, line_chart
from qwen3_planner.report.html.markup import Markup, tag
from qwen3_planner.report.html.page import section
from qwen3_planner.report.html.plotting import BOTTOM, LEFT, RIGHT, TOP, Axis, Frame
from qwen3_planner.report.html.scales import linear, logarithmic
from qwen3_planner.report.html.tables import Column, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.curves import LoadCurve, LoadPoint
    from qwen3_planner.performance.prediction import Interval
    from qwen3_planner.report.html.scales import Scale
    from qwen3_planner.request import Targets

IN_FLIGHT = "Requests in flight"


def speed_section(curve: LoadCurve, targets: Targets) -> Markup:
    """Draw one replica under growing load, with what is asked and where it is full."""
    drawn = [
        _tokens(curve),
        _times(curve, "ttft", "Time to the first token", _ttft, targets.ttft_ms),
        _times(curve, "tpot", "Time per output token", _tpot, targets.tpot_ms),
    ]
    each = f"{curve.input_tokens:,} + {curve.output_tokens:,} tokens"
    note = (
        f"One replica; requests of {each} (prompt + answer), each sent when the one before it is"
        " answered. Bands hold 90 %. The filled mark is the load asked for, the hollow one where"
        " the replica is nearly full: 95 % of the most tokens per second."
    )
    return section(
        "speed",
        "Speed under load",
        tag("div", *drawn, class_="charts"),
        _figures(curve),
        note=note,
        long=True,
    )


def _ttft(point: LoadPoint) -> Interval:
    return point.ttft_s


def _tpot(point: LoadPoint) -> Interval:
    return point.tpot_s


def _output(point: LoadPoint) -> Interval:
    return point.output_tokens_per_s


def _tokens(curve: LoadCurve) -> Markup:
    highest = [_output(point).high for point in curve.points]
    full, asked = _at(curve, curve.saturation_concurrency), _at(curve, curve.asked)
    frame = Frame(
        key="tokens",
        title="Throughput",
        description=(
            f"Output tokens per second of one replica: {whole(_output(asked).value)} at"
            f" {curve.asked:,} requests in flight, nearly the most from"
            f" {curve.saturation_concurrency:,} on with {whole(_output(full).value)}."
        ),
        x=_in_flight(curve),
        y=Axis("Output tokens/s", linear(highest, BOTTOM, TOP), compact),
    )
    return _drawn(frame, curve, _output, lambda value: f"{whole(value)} tokens/s")


def _times(
    curve: LoadCurve,
    key: str,
    title: str,
    figure: Callable[[LoadPoint], Interval],
    target_ms: float | None,
) -> Markup:
    full, asked = _at(curve, curve.saturation_concurrency), _at(curve, curve.asked)
    target = None if target_ms is None else target_ms / 1000.0
    ends = [end for point in curve.points for end in figure(point)[1:]]
    scale: Scale = logarithmic([*ends, *([target] if target else [])], BOTTOM, TOP)
    frame = Frame(
        key=key,
        title=title,
        description=(
            f"{title}: {duration(figure(asked).value)} at {curve.asked:,} requests in flight,"
            f" {duration(figure(full).value)} at {curve.saturation_concurrency:,}."
        ),
        x=_in_flight(curve),
        y=Axis("Time, logarithmic", scale, tick_duration),
    )
    limits = (Limit(f"at most {duration(target)}", target),) if target else ()
    return _drawn(frame, curve, figure, duration, limits)


def _in_flight(curve: LoadCurve) -> Axis:
    counts = [float(point.concurrency) for point in curve.points]
    return Axis(f"{IN_FLIGHT}, logarithmic", logarithmic(counts, LEFT, RIGHT), compact)


def _drawn(
    frame: Frame,
    curve: LoadCurve,
    figure: Callable[[LoadPoint], Interval],
    say: Callable[[float], str],
    limits: tuple[Limit, ...] = (),
) -> Markup:
    points = tuple(
        Point(
            point.concurrency,
            figure(point).value,
            figure(point).low,
            figure(point).high,
            f"{point.concurrency:,} in flight: {_with_interval(figure(point), say)}",
        )
        for point in curve.points
    )
    full, asked = _at(curve, curve.saturation_concurrency), _at(curve, curve.asked)
    marks = (
        Mark("", full.concurrency, figure(full).value, is_hollow=True),
        Mark("asked", asked.concurrency, figure(asked).value),
    )
    upright = Limit(f"full at {full.concurrency:,}", full.concurrency, is_upright=True)
    return line_chart(frame, (Series(frame.title, points),), marks, (*limits, upright))


def _with_interval(interval: Interval, say: Callable[[float], str]) -> str:
    return f"{say(interval.value)} ({between(say(interval.low), say(interval.high))})"


def _at(curve: LoadCurve, concurrency: int) -> LoadPoint:
    return next(point for point in curve.points if point.concurrency == concurrency)


def _figures(curve: LoadCurve) -> Markup:
    rows = [
        (
            f"{point.concurrency:,}",
            whole(_output(point).value),
            between(whole(_output(point).low), whole(_output(point).high)),
            duration(_ttft(point).value),
            between(duration(_ttft(point).low), duration(_ttft(point).high)),
            duration(_tpot(point).value),
            between(duration(_tpot(point).low), duration(_tpot(point).high)),
        )
        for point in curve.points
    ]
    names = ("tokens/s", "90 %", "TTFT", "90 %", "TPOT", "90 %")
    columns = (Column("In flight"), *(Column(name, is_number=True) for name in names))
    return tag(
        "details",
        tag("summary", "The same as figures"),
        table("Speed of one replica against requests in flight", columns, rows),
    )
