"""The going rate of a GPU."""

from __future__ import annotations

from datetime import date

import pytest

from qwen3_planner.catalog.figures import GpuPrice
from qwen3_planner.catalog.loading import load_api_prices, load_catalog
from qwen3_planner.economics.renting import is_stale, owned_usd_per_hour, rent_of


def offer(provider: str, usd: float, as_of: str = "2026-11-01", card: str = "A") -> GpuPrice:
    return GpuPrice(card, provider, "on-demand", usd, "somewhere", as_of)


def test_each_provider_counts_once_with_its_newest_price() -> None:
    rows = [offer("x", 1.0, "2026-01-01"), offer("x", 3.0), offer("y", 2.0), offer("z", 10.0)]
    rent = rent_of(rows, "a")
    assert rent is not None
    assert (rent.usd_per_hour, rent.low, rent.high, rent.offers) == (3.0, 2.0, 10.0, 3)


def test_one_provider_out_of_line_does_not_widen_the_spread() -> None:
    rows = [offer(name, usd) for name, usd in (("v", 2.0), ("w", 2.2), ("x", 1.8), ("y", 2.1))]
    alike, odd = rent_of(rows, "A"), rent_of([*rows, offer("z", 50.0)], "A")
    assert alike is not None
    assert odd is not None
    assert 0 < alike.spread < 0.15
    assert odd.spread < 0.15


def test_of_equally_new_prices_the_lowest_tier_counts() -> None:
    rent = rent_of([offer("x", 4.0), offer("x", 2.5)], "A")
    assert rent is not None
    assert rent.usd_per_hour == 2.5


def test_spot_prices_are_no_going_rate() -> None:
    spot = GpuPrice("A", "x", "spot", 0.5, "somewhere", "2026-11-02", market="spot")
    rent = rent_of([offer("x", 2.0), spot], "A")
    assert rent is not None
    assert (rent.usd_per_hour, rent.sources) == (2.0, ("somewhere",))
    cheap = rent_of([offer("x", 2.0), spot], "A", "spot")
    assert cheap is not None
    assert cheap.usd_per_hour == 0.5


def test_an_undated_price_gives_way_to_a_dated_one() -> None:
    rent = rent_of([offer("x", 1.0, ""), offer("x", 2.0)], "A")
    assert rent is not None
    assert rent.usd_per_hour == 2.0


def test_a_card_that_nobody_offers_has_no_price() -> None:
    assert rent_of([offer("x", 1.0)], "B") is None


def test_old_and_undated_prices_are_stale() -> None:
    today = date(2026, 11, 23)
    assert not is_stale("2026-11-09", today)
    assert is_stale("2026-01-09", today)
    assert is_stale("", today)


def test_what_is_bought_costs_less_per_hour_the_more_it_is_used() -> None:
    busy = owned_usd_per_hour(30_000, years=4, in_use=0.9)
    idle = owned_usd_per_hour(30_000, years=4, in_use=0.3)
    assert idle == pytest.approx(3 * busy)


def test_electricity_and_upkeep_come_on_top() -> None:
    bare = owned_usd_per_hour(30_000, years=3)
    powered = owned_usd_per_hour(30_000, years=3, watts=1000, usd_per_kwh=0.2)
    kept = owned_usd_per_hour(30_000, years=3, upkeep_per_year=8766)
    assert powered == pytest.approx(bare + 0.2)
    assert kept == pytest.approx(bare + 1.0)


def test_every_price_that_ships_is_of_a_known_card_and_has_a_source() -> None:
    names = {row.name for row in load_catalog().accelerators}
    for row in load_catalog().prices:
        assert row.accelerator in names
        assert row.usd_per_hour > 0
        assert row.source


def test_hosts_never_pay_for_tokens() -> None:
    for row in load_api_prices():
        reads_only = any(part in row.variant for part in ("Embedding", "Reranker"))
        assert row.usd_per_million_input > 0
        assert reads_only or row.usd_per_million_input <= row.usd_per_million_output
        assert row.usd_per_million_reasoning is None or (
            row.usd_per_million_reasoning > row.usd_per_million_output
        )
