"""Replicas come whole: own GPUs cost a staircase, a host asks a straight line."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_REPLICAS = 1_000_000
"""That are looked at for a lasting advantage; one that needs more is as good as none."""


@dataclass(frozen=True, slots=True)
class Staircase:
    """What so many requests a day cost on own GPUs.

    Attributes:
        usd_per_day: of one replica, busy or not.
        requests_per_day: that one replica answers at the most; at least 1.
    """

    usd_per_day: float
    requests_per_day: int

    def replicas(self, requests: int) -> int:
        """Return the replicas that so many requests a day need; one stands ready for none.

        >>> stairs = Staircase(24.0, 1000)
        >>> stairs.replicas(0), stairs.replicas(1000), stairs.replicas(1001)
        (1, 1, 2)
        """
        return max(1, ceil_div(requests, self.requests_per_day))

    def usd(self, requests: int) -> float:
        """Return what a day of so many requests costs."""
        return self.replicas(requests) * self.usd_per_day

    @property
    def usd_per_request_when_full(self) -> float:
        """The least that a request can cost."""
        return self.usd_per_day / self.requests_per_day


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the staircase and the line cross.

    Attributes:
        cheaper_from: fewest requests a day at which own GPUs are cheaper; None: never.
        always_from: fewest from which they stay cheaper whatever comes; None: never. Between the
            two the host is cheaper again wherever another replica has just been added.
    """

    cheaper_from: int | None
    always_from: int | None


NEVER = Crossing(None, None)


def crossing(stairs: Staircase, usd_per_request: float) -> Crossing:
    """Find from which volume own GPUs are cheaper than a host.

    Args:
        stairs: what own GPUs cost.
        usd_per_request: of the host; above 0.

    >>> crossing(Staircase(24.0, 1000), 0.05)
    Crossing(cheaper_from=481, always_from=481)
    >>> crossing(Staircase(24.0, 1000), 0.03)
    Crossing(cheaper_from=801, always_from=3201)
    >>> crossing(Staircase(24.0, 1000), 0.02)
    Crossing(cheaper_from=None, always_from=None)
    """
    if stairs.usd_per_request_when_full >= usd_per_request:
        return NEVER
    first = _cheaper_from(stairs, usd_per_request, 1)
    if not _is_cheaper_at_once(stairs, usd_per_request, MOST_REPLICAS):
        return Crossing(first, None)
    low, high = 1, MOST_REPLICAS
    while low < high:
        middle = (low + high) // 2
        if _is_cheaper_at_once(stairs, usd_per_request, middle):
            high = middle
        else:
            low = middle + 1
    return Crossing(first, _cheaper_from(stairs, usd_per_request, max(1, low - 1)))


def _is_cheaper_at_once(stairs: Staircase, usd_per_request: float, replicas: int) -> bool:
    """Whether the first request that needs so many replicas costs less than the host's."""
    begins = (replicas - 1) * stairs.requests_per_day + 1
    return begins * usd_per_request > replicas * stairs.usd_per_day


def _cheaper_from(stairs: Staircase, usd_per_request: float, replicas: int) -> int:
    """Return the fewest requests for which the host asks more than so many replicas cost."""
    usd = replicas * stairs.usd_per_day
    requests = max(1, floor(usd / usd_per_request) + 1)
    while requests * usd_per_request <= usd:  # what rounding left
        requests += 1
    while requests > 1 and (requests - 1) * usd_per_request > usd:
        requests -= 1
    return requests


def corners(stairs: Staircase, most_requests: int) -> Iterator[int]:
    """Yield the volumes at which the staircase has its edges: the last of a step, the next one.

    >>> list(corners(Staircase(24.0, 1000), 2500))
    [1000, 1001, 2000, 2001]
    """
    for replicas in range(1, most_requests // stairs.requests_per_day + 1):
        edge = replicas * stairs.requests_per_day
        yield edge
        if edge < most_requests:
            yield edge + 1
