"""The page of a comparison: own GPUs against hosts, in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.html.asked import command_section, question_section, warnings_section
from qwen3_planner.report.html.cost import cost_section, price_sources_section
from qwen3_planner.report.html.figures import between, compact, dollars
from qwen3_planner.report.html.markup import Content, Markup, join, tag
from qwen3_planner.report.html.page import facts_list, page, section, tiles, verdict_mark
from qwen3_planner.report.html.plan_page import FOOT
from qwen3_planner.report.prices import age_warnings, rate_text
from qwen3_planner.report.text import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from qwen3_planner.comparing.comparison import Comparison, Mode


def compare_html(comparison: Comparison, today: date, command_line: Sequence[str] = ()) -> str:
    """Say a comparison as one HTML document of ASCII bytes.

    Args:
        comparison: the value.
        today: by which the age of prices is judged.
        command_line: that asked, word by word; empty where a program did.
    """
    title = f"{comparison.variant}: own GPUs against hosts"
    prices = [host.price for mode in comparison.modes for host in mode.hosts]
    warnings = [*comparison.warnings, *age_warnings([comparison.rate], prices, today)]
    first = comparison.modes[0]
    sections = [
        *(tiles(list(_key_figures(mode, comparison))) for mode in comparison.modes),
        warnings_section(warnings),
        *(cost_section(mode) for mode in comparison.modes),
        _rate(comparison),
        price_sources_section(comparison.modes),
        command_section(first.serving.plan),
        question_section(command_line),
    ]
    top = join(_verdict(first), tag("h1", title), tag("p", _lead(first), class_="lead"))
    return page(title, top, [part for part in sections if part], FOOT)


def _verdict(mode: Mode) -> Markup:
    """Say who is cheaper at the volume asked about, else whether own GPUs ever are."""
    if mode.at is not None:
        is_own = mode.at.cheapest is None
        return verdict_mark(yes=is_own, said="Serve it yourself" if is_own else "Buy tokens")
    pays = any(host.crossing.cheaper_from is not None for host in mode.hosts)
    return verdict_mark(yes=pays, said="Pays from a volume on" if pays else "Never pays")


def _lead(mode: Mode) -> str:
    if mode.at is None:
        crossed = sum(host.crossing.cheaper_from is not None for host in mode.hosts)
        return (
            f"{verdict(mode.serving.plan)}. With enough requests that is cheaper than {crossed} of"
            f" {len(mode.hosts)} hosts."
        )
    point = mode.at.point
    best = min(range(len(mode.hosts)), key=lambda index: point.host_usd_per_day[index])
    return (
        f"{point.requests_per_day:,} requests a day cost {dollars(point.own_usd_per_day)} on own"
        f" GPUs and {dollars(point.host_usd_per_day[best])} at"
        f" {mode.hosts[best].price.provider}, the cheapest host that is known."
    )


def _key_figures(mode: Mode, comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    serving = mode.serving
    named = f"{mode.name}, " if len(comparison.modes) > 1 else ""
    low, high = compact(serving.capacity_low), compact(serving.capacity_high)
    yield (
        "A replica a day",
        dollars(serving.staircase.usd_per_day),
        f"{named}{serving.gpus} x {comparison.accelerator}",
    )
    yield (
        "Requests a day",
        compact(serving.capacity_per_day),
        f"a replica when full; {between(low, high)}",
    )
    kind = "output" if mode.usage.generated_tokens else "input"
    yield f"A million {kind} tokens", dollars(serving.usd_per_million), "when a replica is full"
    if serving.kwh_per_million is not None:
        yield "Energy of them", f"{serving.kwh_per_million:.2g} kWh", "server and cooling included"


def _rate(comparison: Comparison) -> Markup:
    facts: list[tuple[str, Content]] = [
        ("A GPU-hour", rate_text(comparison.rate)),
        ("Hours a day", f"{comparison.hours_per_day:g}"),
        ("Peak", f"{comparison.peak:g} x the mean hour"),
        *(("Read at", source) for source in comparison.rate.sources),
    ]
    return section("price", "What own GPUs cost", facts_list(facts))
