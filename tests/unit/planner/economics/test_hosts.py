"""Own GPUs against hosts that sell tokens."""

from __future__ import annotations

import pytest

from qwen3_planner.catalog.figures import ApiPrice
from qwen3_planner.economics.hosts import Usage, break_even, usd_per_request

CHEAP = ApiPrice("Qwen3-32B", "host", 0.10, 0.30, "list", "2026-07-02")
THINKING_COSTS_MORE = ApiPrice(
    "qwen3-32b", "alibaba", 0.7, 2.8, "list", "2026-07-02", usd_per_million_reasoning=8.4
)
CHAT = Usage(1000, 500)


def test_at_break_even_both_bills_are_equal() -> None:
    found = break_even(4.0, 10.0, CHEAP, CHAT)
    assert found.requests_per_hour * usd_per_request(CHEAP, CHAT) == pytest.approx(4.0)
    assert found.tokens_per_day == pytest.approx(24 * 1500 * found.requests_per_hour)


def test_gpus_that_cannot_serve_the_volume_never_pay() -> None:
    slow, fast = break_even(4.0, 1.0, CHEAP, CHAT), break_even(4.0, 100.0, CHEAP, CHAT)
    assert not slow.is_reachable
    assert fast.is_reachable
    assert slow.share_of_capacity == pytest.approx(100 * fast.share_of_capacity)


def test_the_dearer_the_host_the_sooner_gpus_pay() -> None:
    cheap = break_even(4.0, 10.0, CHEAP, CHAT)
    dear = break_even(4.0, 10.0, THINKING_COSTS_MORE, CHAT)
    assert dear.requests_per_hour < cheap.requests_per_hour


def test_thinking_is_billed_as_output_and_dearer_where_the_host_says_so() -> None:
    thinking = Usage(1000, 500, thinking_tokens=2000)
    assert usd_per_request(CHEAP, thinking) == pytest.approx((1000 * 0.1 + 2500 * 0.3) / 1e6)
    surcharge = usd_per_request(THINKING_COSTS_MORE, thinking)
    assert surcharge == pytest.approx((1000 * 0.7 + 2500 * 8.4) / 1e6)
    plain = usd_per_request(THINKING_COSTS_MORE, CHAT)
    assert plain == pytest.approx((1000 * 0.7 + 500 * 2.8) / 1e6)
