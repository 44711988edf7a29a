"""Own GPUs against hosts, for people: the verdict of each host in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.report.prices import age_warnings, rate_text
from qwen3_planner.report.table import labelled, render, thousands, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from qwen3_planner.comparing.comparison import AtVolume, Comparison, Host, Mode

_LABEL = 10
_UNSURE = "?"
HEADERS = ("host", "$/M in", "$/M out", "own from", "for good", "full", "as of")


def compare_text(comparison: Comparison, today: date, width: int = 80) -> str:
    """Say a comparison as lines of at most ``width`` columns where words allow.

    Args:
        comparison: the value.
        today: by which the age of prices is judged.
        width: columns of the terminal.
    """
    gpus = comparison.modes[0].serving.gpus
    title = f"{comparison.variant} on {gpus} x {comparison.accelerator} a replica, against hosts"
    blocks = [[title], *(list(_mode(mode, comparison, width)) for mode in comparison.modes)]
    prices = [host.price for mode in comparison.modes for host in mode.hosts]
    warnings = [*comparison.warnings, *age_warnings([comparison.rate], prices, today)]
    if warnings:
        blocks.append(
            ["Warnings", *(line for w in warnings for line in wrapped(w, width, "  ! ", "    "))]
        )
    blocks.append(list(_legend(width, any_unsure=_any_unsure(comparison))))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _mode(mode: Mode, comparison: Comparison, width: int) -> Iterator[str]:
    usage, serving = mode.usage, mode.serving
    tokens = f"{thousands(usage.input_tokens)} + {thousands(usage.output_tokens)}"
    if not usage.generated_tokens:
        tokens = thousands(usage.input_tokens)
    if usage.thinking_tokens:
        tokens = (
            f"{thousands(usage.input_tokens)} + {thousands(usage.thinking_tokens)} thinking +"
            f" {thousands(usage.output_tokens)}"
        )
    name = f"{mode.name.capitalize()} mode" if usage.generated_tokens else "Reading"
    yield f"{name}, {tokens} tokens a request"
    plan = serving.plan
    day = f"${serving.staircase.usd_per_day:,.2f} a day a replica"
    layout = f"{plan.quantization}, {plan.layout}, {plan.engine} {plan.engine_version}"
    hours = comparison.hours_per_day
    runs = f" x {hours:g} hours" if hours < HOURS_PER_DAY else ""
    facts = [
        ("Own", f"{layout}: {day}, {rate_text(comparison.rate)}{runs}"),
        (
            "Full at",
            f"{thousands(serving.capacity_per_day)} requests a day a replica"
            f" ({thousands(serving.capacity_low)} to {thousands(serving.capacity_high)}, 90 %"
            f" sure), {thousands(serving.concurrency)} in flight"
            + (f", the busiest hour {comparison.peak:g} x the mean" if comparison.peak > 1 else ""),
        ),
        ("Then", _when_full(mode)),
    ]
    if mode.at is not None:
        facts.append(("Asked", _asked(mode.at, mode)))
    for label, text in facts:
        yield from labelled(f"  {label}", text, width, _LABEL)
    yield ""
    rows = [_row(host, is_thinking=usage.thinking_tokens > 0) for host in mode.hosts]
    for line in render(HEADERS, rows, right=HEADERS[1:6]):
        yield f"  {line}"


HOURS_PER_DAY = 24.0


def _when_full(mode: Mode) -> str:
    serving = mode.serving
    kind = "output" if mode.usage.generated_tokens else "input"
    text = f"${serving.usd_per_million:.3g} a million {kind} tokens"
    if serving.kwh_per_million is not None:
        text += f" and {serving.kwh_per_million:.2g} kWh"
    return f"{text}, prompts included" if mode.usage.generated_tokens else text


def _asked(at: AtVolume, mode: Mode) -> str:
    point = at.point
    replicas = "1 replica" if point.replicas == 1 else f"{point.replicas:,} replicas"
    own = (
        f"{thousands(point.requests_per_day)} requests a day: own ${point.own_usd_per_day:,.2f}"
        f" ({replicas}, {at.busy:.0%} busy, ${at.own_usd_per_million:.3g} a million tokens)"
    )
    best = min(range(len(mode.hosts)), key=lambda index: point.host_usd_per_day[index])
    host = f"{mode.hosts[best].price.provider} ${point.host_usd_per_day[best]:,.2f}"
    verdict = "own GPUs are cheaper" if at.cheapest is None else "buying is cheaper"
    return f"{own}, {host}: {verdict}"


def _row(host: Host, *, is_thinking: bool) -> tuple[str, ...]:
    price, crossing = host.price, host.crossing
    output = price.usd_per_million_generated(is_thinking=is_thinking)
    return (
        price.provider,
        f"{price.usd_per_million_input:.3g}",
        f"{output:.3g}" if output else "-",
        _volume(crossing.cheaper_from),
        _volume(crossing.always_from),
        f"{host.share_of_capacity:.0%}{'' if host.is_sure else _UNSURE}",
        price.as_of or "-",
    )


def _volume(requests: int | None) -> str:
    return "never" if requests is None else thousands(requests)


def _any_unsure(comparison: Comparison) -> bool:
    return any(not host.is_sure for mode in comparison.modes for host in mode.hosts)


def _legend(width: int, *, any_unsure: bool) -> Iterator[str]:
    text = (
        "own from: requests a day from which own GPUs are cheaper, as long as one replica is"
        " enough; for good: from which they stay so when replicas are added; full: how full a"
        " replica is where both cost the same, above 100 % never."
    )
    if any_unsure:
        text += f" {_UNSURE}: the error of the capacity decides."
    yield from wrapped(text, width)
