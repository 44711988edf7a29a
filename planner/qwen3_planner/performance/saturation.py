"""Requests that arrive at a rate, and the rate at which a replica is full."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from typing import TYPE_CHECKING

from qwen3_planner.performance.load import (
    MILLI,
    PromptTimes,
    Service,
    closed_loop,
    prompt_times,
    prompts_in_the_way,
    room,
)
from qwen3_planner.performance.prediction import with_intervals

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Load, Server
    from qwen3_planner.performance.prediction import Prediction

NEARLY_ALL = 0.95
"""Share of the largest throughput from which a replica counts as saturated."""

BUSIEST = 0.999
"""Share of its time that a server is busy at most: queues grow without end at 1."""

HALVINGS = 50
"""Of the interval in which the running requests are sought: far below one request."""


class Bound(StrEnum):
    """What keeps a replica from answering more.

    Attributes:
        KV_CACHE: no more requests fit, while more of them would bring more.
        SCHEDULER: the scheduler runs no more at once (``max-num-seqs``), likewise.
        HARDWARE: more requests in flight bring no more tokens.
    """

    KV_CACHE = "kvCache"
    SCHEDULER = "scheduler"
    HARDWARE = "hardware"


@dataclass(frozen=True, slots=True)
class Saturation:
    """Where more load brings no more tokens.

    Attributes:
        requests_per_s: the most that one replica answers.
        output_tokens_per_s: the most that it generates.
        concurrency: the fewest requests in flight that bring 95 % of that.
        room: requests that can run at once; more wait.
        bound: what ends it.
    """

    requests_per_s: float
    output_tokens_per_s: float
    concurrency: int
    room: int
    bound: Bound


def saturation(server: Server, load: Load) -> Saturation:
    """Find the end of a replica's throughput for requests of one size."""
    most = max(1, int(room(server, load)))
    prompts = prompt_times(server, load.input_tokens)
    full = closed_loop(server, load, most, prompts)
    wanted = NEARLY_ALL * full.requests_per_s
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if _rate(server, load, middle, prompts) >= wanted:
            high = middle
        else:
            low = middle + 1
    return Saturation(
        full.requests_per_s,
        full.output_tokens_per_s,
        low,
        most,
        _bound(server, load, most, prompts),
    )


MORE = 2.0
"""Times as many requests at once, that would have to bring more for their number to be the end."""


def _bound(server: Server, load: Load, most: int, prompts: PromptTimes) -> Bound:
    """Say what ends the throughput: twice the room would bring a tenth more, or it would not."""
    free = _with_room(server, most)
    if NEARLY_ALL * _rate(free, load, MORE * most, prompts) <= _rate(free, load, most, prompts):
        return Bound.HARDWARE
    limits = server.limits
    held = load.input_tokens + 0.5 * load.output_tokens
    return Bound.KV_CACHE if limits.kv_tokens / held < limits.sequences else Bound.SCHEDULER


def _with_room(server: Server, most: int) -> Server:
    ample = int(MORE * most) + 1
    limits = replace(server.limits, sequences=ample, kv_tokens=ample * MOST_TOKENS)
    return replace(server, limits=limits)


MOST_TOKENS = 10**7
"""Of one request; more than any model takes."""


def predict_rate(server: Server, load: Load, requests_per_s: float) -> Prediction | None:
    """Predict an open loop: requests arrive at a rate; None where the replica cannot keep up."""
    service = open_loop(server, load, requests_per_s)
    return None if service is None else with_intervals(server, service)


@dataclass(frozen=True, slots=True)
class AtRate:
    """What one replica does with requests that arrive at random at a rate.

    Attributes:
        requests_per_s: that arrive.
        prediction: what they get; None where the replica cannot keep up.
        full: where it saturates.
    """

    requests_per_s: float
    prediction: Prediction | None
    full: Saturation

    @property
    def utilization(self) -> float:
        """Share of what the replica can answer at most; 1 and more: it falls behind."""
        return self.requests_per_s / self.full.requests_per_s


def performance_at_rate(server: Server, load: Load, requests_per_s: float) -> AtRate:
    """Predict what requests get that arrive at a rate, and how near the replica is to its end.

    Args:
        server: one replica (of :func:`qwen3_planner.speed.server_of`).
        load: sizes of the requests; its concurrency does not count.
        requests_per_s: that reach this replica; above 0.

    Raises:
        ValueError: the rate is not above 0.
    """
    if not requests_per_s > 0:
        raise ValueError(f"{requests_per_s} requests/s are no load")
    full = saturation(server, load)
    return AtRate(requests_per_s, predict_rate(server, load, requests_per_s), full)


def open_loop(server: Server, load: Load, requests_per_s: float) -> Service | None:
    """Return what requests get that arrive at random at this rate; None beyond saturation.

    So many are in flight as arrive during the life of one (Little's law). Before its own, a prompt
    waits for those that arrived shortly before it, as in a queue with one server and equal jobs;
    and for a place among the running, as in a queue with as many servers as there is room (of
    Sakasegawa's approximation, with equal jobs).
    """
    most = room(server, load)
    prompts = prompt_times(server, load.input_tokens)
    largest = _rate(server, load, most, prompts)
    if largest <= requests_per_s:
        return None
    low, high = 0.0, most
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if _rate(server, load, middle, prompts) < requests_per_s:
            low = middle
        else:
            high = middle
    running = high
    closed = closed_loop(server, load, running, prompts)
    busy = min(BUSIEST, prompts_in_the_way(server, requests_per_s) * prompts.added_s)
    queued = 0.5 * busy / (1.0 - busy) * prompts.added_s
    efficiency = server.efficiency
    first = efficiency.first_ms * MILLI + prompts.alone_s + queued
    first += efficiency.first_steps * closed.decode_s * min(1.0, running)
    life = first + (load.output_tokens - 1) * closed.tpot_s
    waiting = _wait_for_room(requests_per_s / largest, most) * life
    return closed._replace(
        ttft_s=first + waiting,
        requests_per_s=requests_per_s,
        output_tokens_per_s=requests_per_s * load.output_tokens,
        running=running,
        waiting_s=waiting,
    )


def _wait_for_room(busy: float, places: float) -> float:
    """Return the mean wait for one of so many places, in lives of a request."""
    share = min(BUSIEST, busy)
    return float(0.5 * share ** (sqrt(2.0 * (places + 1.0)) - 1.0) / (places * (1.0 - share)))


def _rate(server: Server, load: Load, running: float, prompts: PromptTimes) -> float:
    return closed_loop(server, load, running, prompts).requests_per_s
