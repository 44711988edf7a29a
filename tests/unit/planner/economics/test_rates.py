"""What an hour of a GPU costs: rented, bought, as the inventory says, as the user says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.catalog.figures import GpuPrice, PurchasePrice
from qwen3_planner.catalog.loading import load_catalog, load_purchase_prices
from qwen3_planner.economics.rates import Market, Owning, Paying, PriceLists, owned_rate, rate_of
from qwen3_planner.errors import SpecError

H100 = load_catalog().accelerator("H100-SXM-80GB")
LISTS = PriceLists(
    (
        GpuPrice(H100.name, "a", "on-demand", 4.0, "list a", "2026-11-01"),
        GpuPrice(H100.name, "b", "spot", 1.5, "list b", "2026-10-01", market="spot"),
    ),
    (PurchasePrice(H100.name, 20_000.0, 30_000.0, "new", "shop", "2026-05-25"),),
)


def test_each_market_has_its_own_price_with_date_and_source() -> None:
    rented = rate_of(H100, Paying(), LISTS)
    spot = rate_of(H100, Paying(market=Market.SPOT), LISTS)
    assert (rented.usd_per_hour, rented.as_of, rented.sources) == (4.0, "2026-11-01", ("list a",))
    assert (spot.usd_per_hour, spot.as_of, spot.sources) == (1.5, "2026-10-01", ("list b",))


def test_what_the_user_says_comes_before_the_inventory_and_that_before_the_catalog() -> None:
    assert rate_of(H100, Paying(usd_per_gpu_hour=9.0), LISTS, 5.0).usd_per_hour == 9.0
    assert rate_of(H100, Paying(), LISTS, 5.0).usd_per_hour == 5.0
    assert rate_of(H100, Paying(market=Market.ON_DEMAND), LISTS, 5.0).usd_per_hour == 4.0


def test_a_market_without_a_price_names_those_that_have_one() -> None:
    with pytest.raises(SpecError) as error:
        rate_of(H100, Paying(market=Market.RESERVED), LISTS)
    assert error.value.field == "--pricing"
    assert tuple(error.value.choices) == ("on-demand", "spot", "purchase")
    assert "--usd-per-gpu-hour" in error.value.reason


def test_a_bought_gpu_costs_its_share_of_the_price_and_its_electricity() -> None:
    owning = Owning(usd=35_064.0, years=4.0, watts=1000.0, usd_per_kwh=0.2, pue=1.5)
    rate = rate_of(H100, Paying(owning=owning), LISTS)
    assert rate.market is Market.PURCHASE
    assert rate.capital_usd_per_hour == pytest.approx(1.0)
    assert rate.power_usd_per_hour == pytest.approx(0.3)
    assert rate.usd_per_hour == pytest.approx(1.3)


def test_the_catalog_prices_the_card_and_its_share_of_a_server() -> None:
    rate = owned_rate(H100, Owning(), LISTS.purchases)
    assert rate is not None
    assert rate.capital_usd_per_hour == pytest.approx(1.4 * 25_000 / (4 * 8766))
    assert rate.low < rate.usd_per_hour < rate.high
    assert "assumed" in rate.source
    assert rate.as_of == "2026-05-25"


def test_a_device_whose_power_is_not_known_says_that_electricity_is_left_out() -> None:
    mac = load_catalog().accelerator("Apple-M2-Pro-32GB")
    rate = owned_rate(mac, Owning(usd=2000.0), ())
    told = owned_rate(mac, Owning(usd=2000.0, watts=40.0), ())
    assert rate is not None
    assert told is not None
    assert rate.power_usd_per_hour == 0
    assert "electricity left out" in rate.source
    assert told.power_usd_per_hour == pytest.approx(0.04 * 1.25 * 0.12)
    assert "40 W" in told.source


@given(st.floats(0.05, 1.0))
def test_what_is_bought_costs_the_same_a_day_however_little_it_runs(in_use: float) -> None:
    owning = Owning(usd=30_000.0, usd_per_kwh=0.0)
    busy, idle = (owned_rate(H100, owning, (), share) for share in (1.0, in_use))
    assert busy is not None
    assert idle is not None
    assert idle.usd_per_hour * in_use == pytest.approx(busy.usd_per_hour)


@pytest.mark.parametrize(
    "worse",
    [
        {"usd": 60_000.0},
        {"years": 2.0},
        {"watts": 2000.0},
        {"usd_per_kwh": 0.5},
        {"pue": 2.0},
    ],
)
def test_every_worse_term_costs_more(worse: dict[str, float]) -> None:
    terms = Owning(usd=30_000.0, watts=900.0)
    base, dear = (owned_rate(H100, owning, ()) for owning in (terms, replace(terms, **worse)))
    assert base is not None
    assert dear is not None
    assert dear.usd_per_hour > base.usd_per_hour


def test_every_purchase_price_that_ships_has_a_source_and_a_date() -> None:
    names = {row.name for row in load_catalog().accelerators}
    for row in load_purchase_prices():
        assert row.accelerator in names
        assert 0 < row.usd_low <= row.usd_high
        assert row.source
        assert row.as_of
        assert row.condition in {"new", "used"}
