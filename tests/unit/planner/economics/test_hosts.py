"""What hosts ask for a request."""

from __future__ import annotations

import pytest

from qwen3_planner.catalog.figures import ApiPrice
from qwen3_planner.economics.hosts import Usage, usd_per_request

CHEAP = ApiPrice("Qwen3-32B", "host", 0.10, 0.30, "list", "2026-07-02")
THINKING_COSTS_MORE = ApiPrice(
    "qwen3-32b", "alibaba", 0.7, 2.8, "list", "2026-07-02", usd_per_million_reasoning=8.4
)
CHAT = Usage(1000, 500)


def test_thinking_is_billed_as_output_and_dearer_where_the_host_says_so() -> None:
    thinking = Usage(1000, 500, thinking_tokens=2000)
    assert usd_per_request(CHEAP, thinking) == pytest.approx((1000 * 0.1 + 2500 * 0.3) / 1e6)
    surcharge = usd_per_request(THINKING_COSTS_MORE, thinking)
    assert surcharge == pytest.approx((1000 * 0.7 + 2500 * 8.4) / 1e6)
    plain = usd_per_request(THINKING_COSTS_MORE, CHAT)
    assert plain == pytest.approx((1000 * 0.7 + 500 * 2.8) / 1e6)
