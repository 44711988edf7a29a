"""Speed and price of a plan, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.units import format_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.plan import Cost, Performance, Plan, ReadingPerformance

TEN = 10.0


def speed_facts(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield label and text of what is predicted of a plan's speed and price."""
    if plan.performance is not None:
        yield "Speed", _speed(plan.performance)
        yield "Throughput", _throughput(plan.performance)
    elif plan.reading is not None:
        yield "Speed", _reading(plan.reading)
        yield "Throughput", _read(plan.reading)
    if plan.cost is not None:
        yield "Price", _price(plan.cost)
    elif plan.usd_per_hour is not None:
        yield "Price", f"${plan.usd_per_hour:.2f} an hour"


def _speed(said: Performance) -> str:
    tpot = f"{format_ms(said.tpot_ms)} a token ({_between(said.tpot_ms_low, said.tpot_ms_high)})"
    ttft = (
        f"first after {format_ms(said.ttft_ms)} ({_between(said.ttft_ms_low, said.ttft_ms_high)})"
    )
    each = "1 request" if said.concurrency == 1 else f"{said.concurrency:,} requests"
    return (
        f"{tpot}, {ttft}, at {each} in flight of {said.input_tokens:,} + {said.output_tokens:,}"
        " tokens; 90 % sure"
    )


def _throughput(said: Performance) -> str:
    return (
        f"{_rate(said.output_tokens_per_second)} output tokens/s a replica; at most"
        f" {_rate(said.saturation_output_tokens_per_second)}, nearly so from"
        f" {said.saturation_concurrency:,} in flight"
    )


def _reading(said: ReadingPerformance) -> str:
    each = "1 request" if said.concurrency == 1 else f"{said.concurrency:,} requests"
    return (
        f"{format_ms(said.ttft_ms)} a request ({_between(said.ttft_ms_low, said.ttft_ms_high)}), at"
        f" {each} in flight of {said.input_tokens:,} tokens; 90 % sure"
    )


def _read(said: ReadingPerformance) -> str:
    return (
        f"{_rate(said.input_tokens_per_second)} tokens/s read, {_rate(said.requests_per_second)}"
        f" requests/s a replica; at most {_rate(said.saturation_input_tokens_per_second)} tokens/s,"
        f" nearly so from {said.saturation_concurrency:,} in flight"
    )


def _price(cost: Cost) -> str:
    text = f"${cost.usd_per_hour:.2f} an hour"
    if cost.usd_per_million_output_tokens is not None:
        text += f", ${_dollars(cost.usd_per_million_output_tokens)} a million output tokens"
    elif cost.usd_per_million_input_tokens is not None:
        text += f", ${_dollars(cost.usd_per_million_input_tokens)} a million tokens read"
    if cost.price_as_of:
        text += f" (going rate of {cost.price_as_of})"
    return text


def _between(low: float, high: float) -> str:
    return f"{format_ms(low)} to {format_ms(high)}"


def _rate(value: float) -> str:
    return f"{value:,.1f}" if value < TEN else f"{value:,.0f}"


def _dollars(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"
