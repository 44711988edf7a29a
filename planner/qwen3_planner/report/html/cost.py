"""Cost against volume: the stairs of own GPUs, the lines of hosts, and where they cross."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import DASH, between, compact, dollars, share
from qwen3_planner.report.html.lines import Limit, Mark, Point, Series, line_chart
from qwen3_planner.report.html.markup import Markup, tag
from qwen3_planner.report.html.page import facts_list, folded, section
from qwen3_planner.report.html.plotting import BOTTOM, LEFT, RIGHT, TOP, Axis, Frame
from qwen3_planner.report.html.scales import linear
from qwen3_planner.report.html.tables import Column, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.comparing.comparison import CostPoint, Host, Mode

MOST_LINES = 4
"""Hosts that are drawn: more than that nobody tells apart; the table has all."""

ABOVE = 1.5
"""Height of the chart for the largest bill of own GPUs in it: lines of dear hosts leave at the
top."""


def cost_section(mode: Mode) -> Markup:
    """Draw both bills of one mode, and list every host."""
    usage = mode.usage
    tokens = [f"{usage.input_tokens:,}"]
    if usage.thinking_tokens:
        tokens.append(f"{usage.thinking_tokens:,} of thinking")
    if usage.output_tokens:
        tokens.append(f"{usage.output_tokens:,}")
    name = "Reading" if not usage.generated_tokens else f"{mode.name.capitalize()} mode"
    note = (
        f"Requests of {' + '.join(tokens)} tokens. Replicas come whole, so own GPUs cost a"
        " staircase; a host asks per token. Marks show where a host's line first meets the stairs."
    )
    return section(
        f"cost-{mode.name}",
        f"Cost against volume: {name.lower()}",
        tag("div", _chart(mode), class_="charts"),
        _hosts(mode),
        note=note,
        long=True,
    )


def _chart(mode: Mode) -> Markup:
    stairs, drawn = mode.serving.staircase, _drawn(mode.hosts)
    ceiling = ABOVE * max(point.own_usd_per_day for point in mode.curve)
    volumes = [float(point.requests_per_day) for point in mode.curve]
    marks = tuple(_marks(mode, drawn, volumes[-1], ceiling))
    frame = Frame(
        key=f"cost-of-{mode.name}",
        title="Dollars a day",
        description=_description(mode),
        x=Axis("Requests a day", linear(volumes, LEFT, RIGHT), compact),
        y=Axis("Dollars a day", linear([ceiling], BOTTOM, TOP), compact),
    )
    own = Series("own GPUs", tuple(_point(p.requests_per_day, p, None) for p in mode.curve))
    lines = tuple(
        Series(
            mode.hosts[index].price.provider,
            tuple(_below(mode.curve, index, mode.hosts[index].usd_per_request, ceiling)),
        )
        for index in drawn
    )
    full = Limit("1 replica full", stairs.requests_per_day, is_upright=True)
    return line_chart(frame, (own, *lines), marks, (full,))


def _point(requests: float, point: CostPoint, index: int | None) -> Point:
    usd = point.own_usd_per_day if index is None else point.host_usd_per_day[index]
    replicas = f", {point.replicas:,} replicas" if index is None and point.replicas > 1 else ""
    said = f"{point.requests_per_day:,} requests a day: {dollars(usd)}{replicas}"
    return Point(requests, usd, usd, usd, said)


def _below(
    curve: Sequence[CostPoint], index: int, usd_per_request: float, ceiling: float
) -> Iterator[Point]:
    """Yield a host's line as far as it stays on the chart."""
    for point in curve:
        if point.host_usd_per_day[index] > ceiling:
            yield Point(ceiling / usd_per_request, ceiling, ceiling, ceiling)
            return
        yield _point(point.requests_per_day, point, index)


def _drawn(hosts: Sequence[Host]) -> list[int]:
    """Choose the hosts to draw: the cheapest, the dearest, and between them evenly."""
    last = len(hosts) - 1
    if last < MOST_LINES:
        return list(range(len(hosts)))
    return sorted({round(last * place / (MOST_LINES - 1)) for place in range(MOST_LINES)})


def _marks(mode: Mode, drawn: Sequence[int], most: float, ceiling: float) -> Iterator[Mark]:
    for index in drawn:
        host = mode.hosts[index]
        volume = host.crossing.cheaper_from
        if volume is not None and volume <= most:
            yield Mark("", volume, volume * host.usd_per_request)
    if mode.at is not None:
        point = mode.at.point
        usd = min(point.own_usd_per_day, ceiling)
        yield Mark("asked", point.requests_per_day, usd, is_hollow=True)


def _description(mode: Mode) -> str:
    stairs = mode.serving.staircase
    crossed = [host for host in mode.hosts if host.crossing.cheaper_from is not None]
    said = (
        f"Own GPUs cost {dollars(stairs.usd_per_day)} a day for every"
        f" {stairs.requests_per_day:,} requests a day; they get cheaper than"
        f" {len(crossed)} of {len(mode.hosts)} hosts"
    )
    if not crossed:
        return f"{said}."
    first = min(crossed, key=lambda host: host.crossing.cheaper_from or 0)
    return f"{said}, first {first.price.provider} from {first.crossing.cheaper_from:,} on."


def _hosts(mode: Mode) -> Markup:
    columns = (
        Column("Host"),
        Column("$/M in", is_number=True),
        Column("$/M out", is_number=True),
        Column("Own cheaper from", is_number=True),
        Column("For good from", is_number=True),
        Column("Replica full", is_number=True),
        Column("90 %", is_number=True),
        Column("As of"),
    )
    rows = [_row(host, is_thinking=mode.usage.thinking_tokens > 0) for host in mode.hosts]
    caption = "Requests a day from which own GPUs are cheaper, and how full a replica is there"
    return tag(
        "details",
        tag("summary", f"Every host as figures ({len(rows)})"),
        table(caption, columns, rows, class_="blocks pairs"),
    )


def _row(host: Host, *, is_thinking: bool) -> tuple[str, ...]:
    price, crossing = host.price, host.crossing
    output = price.usd_per_million_generated(is_thinking=is_thinking)
    return (
        price.provider,
        f"{price.usd_per_million_input:.3g}",
        f"{output:.3g}" if output else DASH,
        _volume(crossing.cheaper_from),
        _volume(crossing.always_from),
        share(host.share_of_capacity, 1.0),
        between(share(host.share_low, 1.0), share(host.share_high, 1.0)),
        price.as_of or DASH,
    )


def price_sources_section(modes: Sequence[Mode]) -> Markup:
    """List where every host's price was read."""
    read = {
        (host.price.provider, host.price.source): host.price.as_of or "no date"
        for mode in modes
        for host in mode.hosts
    }
    facts = [(name, f"{source}, {as_of}") for (name, source), as_of in sorted(read.items())]
    return folded("price-sources", "Where hosts' prices were read", facts_list(facts))


def _volume(requests: int | None) -> str:
    return "never" if requests is None else f"{requests:,}"
