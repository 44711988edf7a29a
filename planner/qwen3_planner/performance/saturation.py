"""Requests that arrive at a rate, and the rate at which a replica is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.performance.load import (
    MILLI,
    PromptTimes,
    Service,
    closed_loop,
    prompt_times,
    room,
)
from qwen3_planner.performance.prediction import with_intervals

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Load, Server
    from qwen3_planner.performance.prediction import Prediction

NEARLY_ALL = 0.95
"""Share of the largest throughput from which a replica counts as saturated."""

HALVINGS = 50
"""Of the interval in which the running requests are sought: far below one request."""


@dataclass(frozen=True, slots=True)
class Saturation:
    """Where more load brings no more tokens.

    Attributes:
        requests_per_s: the most that one replica answers.
        output_tokens_per_s: the most that it generates.
        concurrency: the fewest requests in flight that bring 95 % of that.
    """

    requests_per_s: float
    output_tokens_per_s: float
    concurrency: int


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
    return Saturation(full.requests_per_s, full.output_tokens_per_s, low)


def predict_rate(server: Server, load: Load, requests_per_s: float) -> Prediction | None:
    """Predict an open loop: requests arrive at a rate; None where the replica cannot keep up."""
    service = open_loop(server, load, requests_per_s)
    return None if service is None else with_intervals(server, service)


def open_loop(server: Server, load: Load, requests_per_s: float) -> Service | None:
    """Return what requests get that arrive at random at this rate; None beyond saturation.

    So many are in flight as arrive during the life of one (Little's law). Before its own, a prompt
    waits for those that arrived shortly before it, as in a queue with one server and equal jobs.
    """
    most = room(server, load)
    prompts = prompt_times(server, load.input_tokens)
    if _rate(server, load, most, prompts) < requests_per_s:
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
    busy = min(NEARLY_ALL, requests_per_s * prompts.added_s)
    queued = 0.5 * busy / (1.0 - busy) * prompts.added_s
    efficiency = server.efficiency
    first = efficiency.first_ms * MILLI + prompts.alone_s + queued
    first += efficiency.first_steps * closed.decode_s * min(1.0, running)
    return closed._replace(
        ttft_s=first,
        requests_per_s=requests_per_s,
        output_tokens_per_s=requests_per_s * load.output_tokens,
        running=running,
        waiting_s=0.0,
    )


def _rate(server: Server, load: Load, running: float, prompts: PromptTimes) -> float:
    return closed_loop(server, load, running, prompts).requests_per_s
