"""Prices with their sources and their age, for documents and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.economics.renting import age_of, age_warning, is_stale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from qwen3_planner.catalog.figures import ApiPrice
    from qwen3_planner.economics.rates import GpuRate

Document = dict[str, Any]


def rate_document(rate: GpuRate) -> Document:
    """Say what an hour of one GPU costs; what does not apply is left out.

    >>> from qwen3_planner.economics.rates import given_rate
    >>> rate_document(given_rate(2.5, "as given"))
    {'usdPerGpuHour': 2.5, 'source': 'as given'}
    """
    document: Document = {"usdPerGpuHour": rounded(rate.usd_per_hour)}
    if rate.market is not None:
        document |= {
            "market": rate.market.value,
            "usdPerGpuHourLow": rounded(rate.low),
            "usdPerGpuHourHigh": rounded(rate.high),
            "offers": rate.offers,
        }
    if rate.capital_usd_per_hour is not None and rate.power_usd_per_hour is not None:
        document["capitalUsdPerGpuHour"] = rounded(rate.capital_usd_per_hour)
        document["powerUsdPerGpuHour"] = rounded(rate.power_usd_per_hour)
    if rate.as_of:
        document["asOf"] = rate.as_of
    document["source"] = rate.source
    if rate.sources:
        document["sources"] = list(rate.sources)
    return document


def price_document(price: ApiPrice) -> Document:
    """Say what a host asks, with source and date."""
    document: Document = {
        "provider": price.provider,
        "model": price.model,
        "usdPerMillionInput": price.usd_per_million_input,
        "usdPerMillionOutput": price.usd_per_million_output,
    }
    if price.usd_per_million_reasoning is not None:
        document["usdPerMillionThinking"] = price.usd_per_million_reasoning
    if price.as_of:
        document["asOf"] = price.as_of
    document["source"] = price.source
    return document


def rate_text(rate: GpuRate) -> str:
    """Say what an hour costs and why, for people."""
    text = f"${rate.usd_per_hour:.2f} a GPU-hour ({rate.source}"
    if rate.offers > 1 and rate.low != rate.high:
        text += f", ${rate.low:.2f} to ${rate.high:.2f}"
    return f"{text}{f', {rate.as_of}' if rate.as_of else ''})"


def age_warnings(rates: Iterable[GpuRate], hosts: Iterable[ApiPrice], today: date) -> Iterator[str]:
    """Yield a warning for prices that are too old to rely on, each kind once."""
    for rate in dict.fromkeys(rates):
        warning = age_warning(rate.as_of, today) if rate.sources else ""
        if warning:
            yield f"{warning[:1].upper()}{warning[1:]}."
    old = [price for price in hosts if price.source and is_stale(price.as_of, today)]
    old = [price for price in old if price.as_of or price.provider != AS_GIVEN]
    if old:
        oldest = min(price.as_of for price in old)
        names = dict.fromkeys(price.provider for price in old)
        yield (
            f"Prices of {_listed(list(names))} are {age_of(oldest, today)}: look them up again, or"
            " give --usd-per-million-input and --usd-per-million-output."
        )


AS_GIVEN = "as given"
"""Provider of a price that the user states; the user knows how old it is."""

MOST_NAMES = 3


def _listed(names: list[str]) -> str:
    if len(names) <= MOST_NAMES:
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"


def rounded(value: float) -> float:
    """Round to the digits that a price is told with.

    >>> rounded(3.52500001), rounded(0.000123456)
    (3.525, 0.0001235)
    """
    return float(f"{value:.4g}")
