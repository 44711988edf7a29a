"""Models that only read: embeddings and rerankers, whose answer is ready with the prompt.

Requests that are in flight together are read together, as many tokens in a step as the scheduler
takes. So each of them takes as long as all of them: the arithmetic of all their tokens, or the
weights once for each step where that takes longer.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.performance.load import MILLI, Load, Service
from qwen3_planner.performance.prediction import Interval, with_intervals
from qwen3_planner.performance.prompts import batch_seconds

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Server

NEARLY_ALL = 0.95
"""Share of the largest throughput from which a replica counts as saturated."""

MOST_IN_FLIGHT = 4096
"""Requests in flight beyond which nobody asks for more."""


class Reading(NamedTuple):
    """What a load of prompts gets of one replica.

    Attributes:
        answer_s: mean time to the answer.
        input_tokens_per_s: read.
        requests_per_s: answered.
        relative_error: of the time to the answer, one standard deviation.
        saturation_concurrency: the fewest requests in flight that bring 95 % of the most tokens.
        saturation_input_tokens_per_s: the most tokens.
    """

    answer_s: Interval
    input_tokens_per_s: Interval
    requests_per_s: float
    relative_error: float
    saturation_concurrency: int
    saturation_input_tokens_per_s: float


def predict_reading(server: Server, load: Load) -> Reading:
    """Predict a closed loop: so many clients, each with one prompt in flight.

    Args:
        server: one replica.
        load: of it; its output tokens do not count.
    """
    answer = answer_seconds(server, load.input_tokens, load.concurrency)
    rate = load.concurrency / answer
    told = with_intervals(server, _service(answer, rate))
    most = MOST_IN_FLIGHT / answer_seconds(server, load.input_tokens, MOST_IN_FLIGHT)
    low, high = 1, MOST_IN_FLIGHT
    while low < high:
        middle = (low + high) // 2
        if middle / answer_seconds(server, load.input_tokens, middle) >= NEARLY_ALL * most:
            high = middle
        else:
            low = middle + 1
    value, tokens = told.ttft_s, rate * load.input_tokens
    return Reading(
        answer_s=value,
        input_tokens_per_s=Interval(
            tokens, tokens * value.value / value.high, tokens * value.value / value.low
        ),
        requests_per_s=rate,
        relative_error=told.ttft_sigma,
        saturation_concurrency=low,
        saturation_input_tokens_per_s=most * load.input_tokens,
    )


def answer_seconds(server: Server, tokens: int, requests: int) -> float:
    """Return how long so many prompts that are read together take."""
    each = ceil(requests / server.data)
    return server.efficiency.first_ms * MILLI + batch_seconds(server, tokens, each)


def _service(answer_s: float, rate: float) -> Service:
    """Say an answer in the terms of generated ones: all of it comes before the first token."""
    return Service(
        ttft_s=answer_s,
        tpot_s=answer_s,
        requests_per_s=rate,
        output_tokens_per_s=rate,
        running=1.0,
        decode_s=0.0,
        prompts_s=0.0,
        waiting_s=0.0,
        prompt_s=answer_s,
    )
