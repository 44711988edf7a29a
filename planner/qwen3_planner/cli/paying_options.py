"""Options that say how GPUs are paid for, shared by the commands that compare costs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.parameters import Amount, Named, Share
from qwen3_planner.economics.power import DEFAULT_PUE
from qwen3_planner.economics.rates import (
    DEFAULT_USD_PER_KWH,
    DEFAULT_YEARS,
    Market,
    Owning,
    Paying,
    PriceLists,
)
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.catalog.rows import Catalog


@dataclass(frozen=True, slots=True)
class PayingAsked:
    """The options; None where the user gave none."""

    pricing: Market | None
    usd_per_gpu_hour: float | None
    purchase_usd: float | None
    amortization_years: float | None
    utilization: float | None
    watts: float | None
    usd_per_kwh: float | None
    pue: float | None


def _option(name: str, kind: click.ParamType[Any], text: str) -> Callable[[Any], Any]:
    return click.option(f"--{name}", type=kind, default=None, help=text)


_PAYING = (
    _option("pricing", Named(Market), "How GPUs are paid for.  [default: inventory, on-demand]"),
    _option("usd-per-gpu-hour", Amount(), "Price of one GPU for an hour.  [default: price list]"),
    _option("purchase-usd", Amount(), "Price of one GPU with its share of the server."),
    _option("amortization-years", Amount(), f"Written off over.  [default: {DEFAULT_YEARS:g}]"),
    _option("utilization", Share(), "Share of the hours in which they run.  [default: 1]"),
    _option("watts", Amount(), "Drawn by one GPU, its server's share too.  [default: by its TDP]"),
    _option("usd-per-kwh", Amount(), f"Of electricity.  [default: {DEFAULT_USD_PER_KWH:g}]"),
    _option("pue", Amount(), f"Building's watts a server's watt.  [default: {DEFAULT_PUE:g}]"),
)


def paying_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add them to a command, in the order of its help."""
    for option in reversed(_PAYING):
        command = option(command)
    return command


def taken(kind: type[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401 - an instance of kind
    """Take the options of one kind out of all that were given."""
    return kind(**{field.name: options.pop(field.name) for field in fields(kind)})


def read_paying(asked: PayingAsked) -> Paying:
    """Turn what was typed into terms.

    Raises:
        SpecError: options contradict each other, or a building uses less than its servers.
    """
    buys = {"--purchase-usd": asked.purchase_usd, "--amortization-years": asked.amortization_years}
    is_renting = asked.pricing not in (None, Market.PURCHASE)
    for name, value in buys.items():
        if value is not None and is_renting:
            reason = f"belongs to --pricing {Market.PURCHASE.value}"
            raise SpecError(name, f"{value:g}", reason)
    if asked.usd_per_gpu_hour is not None and asked.purchase_usd is not None:
        reason = "an hour has one price: give it, or the purchase price"
        raise SpecError("--usd-per-gpu-hour", f"{asked.usd_per_gpu_hour:g}", reason)
    if asked.usd_per_gpu_hour is not None and asked.pricing is not None:
        reason = "the price is given already: leave --pricing out"
        raise SpecError("--usd-per-gpu-hour", f"{asked.usd_per_gpu_hour:g}", reason)
    if asked.pue is not None and asked.pue < 1:
        raise SpecError("--pue", f"{asked.pue:g}", "a building draws at least what its servers do")
    market = asked.pricing
    if market is None and asked.amortization_years is not None:
        market = Market.PURCHASE
    owning = Owning(
        usd=asked.purchase_usd,
        years=asked.amortization_years or DEFAULT_YEARS,
        watts=asked.watts,
        usd_per_kwh=asked.usd_per_kwh or DEFAULT_USD_PER_KWH,
        pue=asked.pue or DEFAULT_PUE,
    )
    return Paying(asked.usd_per_gpu_hour, market, owning, asked.utilization or 1.0)


def price_lists(catalog: Catalog) -> PriceLists:
    """Return what GPUs cost, rented and bought."""
    from qwen3_planner.catalog.loading import load_purchase_prices  # noqa: PLC0415 - reads a file

    return PriceLists(catalog.prices, load_purchase_prices())
