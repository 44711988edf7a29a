"""What is compared, and on what terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import ApiPrice
    from qwen3_planner.economics.hosts import Usage
    from qwen3_planner.economics.rates import Paying, PriceLists


@dataclass(frozen=True, slots=True)
class Wish:
    """One comparison.

    Attributes:
        usage: tokens of each request; thinking tokens are generated in thinking mode only.
        hosts: prices to compare with, at least one.
        paying: how own GPUs are paid for.
        lists: what GPUs cost.
        concurrency: requests in flight per replica at which it counts as full; None: saturation.
        ttft_ms: that must be kept on the mean; a replica is full before it is missed.
        tpot_ms: likewise.
        peak: how much busier the busiest hour is than the mean one; replicas are enough for it.
        requests_per_day: volume that is asked about.
        tokens_per_day: the same in input and generated tokens, if that is stated instead.
    """

    usage: Usage
    hosts: tuple[ApiPrice, ...]
    paying: Paying
    lists: PriceLists
    concurrency: int | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    peak: float = 1.0
    requests_per_day: int | None = None
    tokens_per_day: int | None = None
