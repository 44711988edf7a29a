"""What an hour of one GPU costs: rented on some market, bought, or as the user says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from qwen3_planner.economics.power import DEFAULT_PUE, drawn_watts
from qwen3_planner.economics.renting import middle_of, owned_usd_per_hour, rent_of
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.figures import GpuPrice, PurchasePrice
    from qwen3_planner.catalog.rows import Accelerator

DEFAULT_YEARS = 4.0
"""Over which a bought GPU is written off. Assumed: hyperscalers write servers off over five to six
years, a new generation of accelerators comes every two."""

DEFAULT_USD_PER_KWH = 0.12
"""Assumed: between what industry pays in the United States and in Europe. Say your own."""

SERVER_SHARE = 1.4
"""Price of a GPU with its share of the server for each dollar of the card. Assumed: eight H100 at
$25,000 to $30,000 each in a server of $310,000 (August 2024) make 1.4."""


class Market(StrEnum):
    """How a GPU is paid for."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class Owning:
    """What owning a GPU depends on; ``None`` is the default, or the catalog's figure.

    Attributes:
        usd: price of one GPU with its share of the server.
        years: over which it is written off, evenly and to nothing.
        watts: drawn by one GPU while serving, its share of the server included.
        usd_per_kwh: of electricity.
        pue: power of the whole building for each watt of the servers.
    """

    usd: float | None = None
    years: float = DEFAULT_YEARS
    watts: float | None = None
    usd_per_kwh: float = DEFAULT_USD_PER_KWH
    pue: float = DEFAULT_PUE


@dataclass(frozen=True, slots=True)
class GpuRate:
    """What an hour of one GPU costs while it runs.

    Attributes:
        market: how it is paid for; None where the user or the inventory states the rate.
        usd_per_hour: of one GPU.
        low: the lowest that is asked.
        high: the highest.
        offers: how many prices it is the middle of.
        as_of: ISO date of the newest of them; empty where none states one.
        source: in words.
        sources: where the prices were read.
        capital_usd_per_hour: part of a bought GPU that is writing it off; None where it is rented.
        power_usd_per_hour: part that is electricity; None where it is rented.
    """

    market: Market | None
    usd_per_hour: float
    low: float
    high: float
    offers: int
    as_of: str
    source: str
    sources: tuple[str, ...] = ()
    capital_usd_per_hour: float | None = None
    power_usd_per_hour: float | None = None


def given_rate(usd_per_hour: float, source: str) -> GpuRate:
    """Return a rate that somebody states."""
    return GpuRate(None, usd_per_hour, usd_per_hour, usd_per_hour, 1, "", source)


def rented_rate(
    prices: Iterable[GpuPrice], accelerator: str, market: Market = Market.ON_DEMAND
) -> GpuRate | None:
    """Return the going rate on a market; None where nobody's price there is known."""
    rows = tuple(prices)
    rent = rent_of(rows, accelerator, market.value)
    if rent is None:
        return None
    return GpuRate(
        market=market,
        usd_per_hour=rent.usd_per_hour,
        low=rent.low,
        high=rent.high,
        offers=rent.offers,
        as_of=rent.as_of,
        source=f"{_providers(rent.offers)}, {market.value}",
        sources=rent.sources,
    )


def _providers(count: int) -> str:
    return "one provider's price" if count == 1 else f"middle of {count} providers' prices"


def owned_rate(
    accelerator: Accelerator,
    owning: Owning,
    prices: Iterable[PurchasePrice],
    in_use: float = 1.0,
) -> GpuRate | None:
    """Return what an hour of use of a bought GPU costs; None where its price is not known.

    Args:
        accelerator: what is bought.
        owning: on what terms.
        prices: that are known.
        in_use: share of the hours in which it serves; it is paid for in all of them.
    """
    bought = _purchase(accelerator, owning, prices)
    if bought is None:
        return None
    (low, middle, high), offers, as_of, source, sources = bought
    watts = owning.watts
    if watts is None and accelerator.tdp_w is not None:
        watts = drawn_watts(accelerator.tdp_w, 1)
    power = (watts or 0.0) * owning.pue / 1000.0 * owning.usd_per_kwh

    def capital(usd: float) -> float:
        return owned_usd_per_hour(usd, years=owning.years, in_use=in_use)

    return GpuRate(
        market=Market.PURCHASE,
        usd_per_hour=capital(middle) + power,
        low=capital(low) + power,
        high=capital(high) + power,
        offers=offers,
        as_of=as_of,
        source=f"{source} over {owning.years:g} years, {_electricity(watts, owning)}",
        sources=sources,
        capital_usd_per_hour=capital(middle),
        power_usd_per_hour=power,
    )


def _electricity(watts: float | None, owning: Owning) -> str:
    if watts is None:
        return "electricity left out: give --watts"
    return f"{watts:,.0f} W at PUE {owning.pue:g} and ${owning.usd_per_kwh:g} a kWh"


def _purchase(
    accelerator: Accelerator, owning: Owning, prices: Iterable[PurchasePrice]
) -> tuple[tuple[float, float, float], int, str, str, tuple[str, ...]] | None:
    """Return (low, middle, high) of one GPU with its server, how many prices, date and sources."""
    if owning.usd is not None:
        given = (owning.usd, owning.usd, owning.usd)
        return given, 1, "", f"${owning.usd:,.0f} as given", ()
    rows = [row for row in prices if row.accelerator == accelerator.name]
    if not rows:
        return None
    low, high = (
        SERVER_SHARE * min(row.usd_low for row in rows),
        SERVER_SHARE * max(row.usd_high for row in rows),
    )
    middles = sorted(0.5 * (row.usd_low + row.usd_high) for row in rows)
    middle = SERVER_SHARE * middle_of(middles)
    return (
        (low, middle, high),
        len(rows),
        max(row.as_of for row in rows),
        f"${middle:,.0f} with its share of a server ({SERVER_SHARE:g} x the card; assumed)",
        tuple(dict.fromkeys(row.source for row in rows)),
    )


@dataclass(frozen=True, slots=True)
class Paying:
    """How the GPUs are paid for.

    Attributes:
        usd_per_gpu_hour: that the user states; overrides everything else.
        market: where they are had; None: as the inventory states, else on demand.
        owning: terms of buying them.
        utilization: share of the hours in which they run, above 0 and at most 1. What is rented is
            given back meanwhile, what is bought is paid for all the same.
    """

    usd_per_gpu_hour: float | None = None
    market: Market | None = None
    owning: Owning = Owning()
    utilization: float = 1.0


@dataclass(frozen=True, slots=True)
class PriceLists:
    """Prices of accelerators.

    Attributes:
        rents: for an hour.
        purchases: for good.
    """

    rents: tuple[GpuPrice, ...]
    purchases: tuple[PurchasePrice, ...] = ()


def rate_of(
    accelerator: Accelerator, paying: Paying, lists: PriceLists, stated: float | None = None
) -> GpuRate:
    """Return what an hour of one GPU costs.

    Args:
        accelerator: that is used.
        paying: how.
        lists: prices that are known.
        stated: dollars an hour of one GPU that the inventory states; None: it states none.

    Raises:
        SpecError: no such price is known; the choices say for which markets one is.
    """
    if paying.usd_per_gpu_hour is not None:
        return given_rate(paying.usd_per_gpu_hour, "as given")
    is_buying = paying.market is Market.PURCHASE or (
        paying.market is None and paying.owning.usd is not None
    )
    if is_buying:
        found = owned_rate(accelerator, paying.owning, lists.purchases, paying.utilization)
    elif paying.market is None and stated is not None:
        return given_rate(stated, "the inventory")
    else:
        market = paying.market or Market.ON_DEMAND
        found = rented_rate(lists.rents, accelerator.name, market)
    if found is not None:
        return found
    raise _no_price(accelerator, paying, lists, is_buying=is_buying)


def _no_price(
    accelerator: Accelerator, paying: Paying, lists: PriceLists, *, is_buying: bool
) -> SpecError:
    known = [
        market.value
        for market in (Market.ON_DEMAND, Market.SPOT, Market.RESERVED)
        if rented_rate(lists.rents, accelerator.name, market) is not None
    ]
    if owned_rate(accelerator, paying.owning, lists.purchases) is not None:
        known.append(Market.PURCHASE.value)
    wanted = Market.PURCHASE if is_buying else paying.market or Market.ON_DEMAND
    remedy = "--purchase-usd" if is_buying else "--usd-per-gpu-hour or --purchase-usd"
    reason = f"no such price of {accelerator.name} is known here: give {remedy}"
    return SpecError("--pricing", wanted.value, reason, known)
