"""What a plan says of its speed: figures with 90 % intervals, and the terms behind them."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.performance.load import closed_loop, step_terms
from qwen3_planner.performance.steps import MICRO

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Load, PromptTimes, Server, Service

NINETY_PERCENT = 1.645
"""Standard deviations on each side of a 90 % interval."""

ASSUMED_RATE_SIGMA = 0.2
"""Added (in squares) where a rate of the machine is assumed: the network between nodes, PCIe, the
arithmetic of a chip whose maker states none."""

UNSEEN_PAIR_SIGMA = 0.12
"""Added likewise where the efficiencies were measured with another model or on another card of the
same class: other shapes meet other kernels."""

UNSEEN_FIRST_SIGMA = 0.4
"""More of the same for the time to the first token, which hangs on how clients start."""

UNSEEN_LAUNCH_SIGMA = 0.25
"""Added likewise for the share of a token's time that is launching and scheduling: that depends on
the host and on the engine's version more than on the card. Small models are made of it."""

OVERLOAD_SIGMA = 0.4
"""Added likewise where requests wait for room in the KV cache: engines then preempt and compute
prompts twice. From runs that send a thousand prompts at once (tests/unit/planner/accuracy)."""


OVERLOADED = 0.05
"""Share of the time to the first token from which waiting for room counts as that: requests that
arrive at random always wait a little."""


class Interval(NamedTuple):
    """A figure and its 90 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def around(cls, value: float, sigma: float) -> Interval:
        """Spread a figure by a standard deviation of its logarithm.

        >>> Interval.around(10.0, 0.0)
        Interval(value=10.0, low=10.0, high=10.0)
        """
        factor = exp(NINETY_PERCENT * sigma)
        return cls(value, value / factor, value * factor)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The speed of one replica under a load.

    Attributes:
        ttft_s: mean time to the first token, queueing included.
        tpot_s: mean time per output token after it.
        output_tokens_per_s: generated.
        requests_per_s: answered.
        relative_error: of the time per output token: one standard deviation.
        ttft_sigma: of the time to the first token, likewise.
        service: the parts of these times.
    """

    ttft_s: Interval
    tpot_s: Interval
    output_tokens_per_s: Interval
    requests_per_s: float
    relative_error: float
    ttft_sigma: float
    service: Service


def predict(server: Server, load: Load, prompts: PromptTimes | None = None) -> Prediction:
    """Predict a closed loop: so many clients, each with one request in flight.

    Args:
        server: one replica.
        load: of it.
        prompts: times of the load's prompts, where they were computed before.
    """
    return with_intervals(server, closed_loop(server, load, prompts=prompts))


def with_intervals(server: Server, service: Service) -> Prediction:
    """Put an interval around what a load gets."""
    row = server.efficiency
    extra = ASSUMED_RATE_SIGMA**2 if server.assumed else 0.0
    first = 0.0
    if not row.has_seen(server.subject):
        extra += (UNSEEN_LAUNCH_SIGMA * _launching(server, service) / service.tpot_s) ** 2
        if row.is_measured:
            extra += UNSEEN_PAIR_SIGMA**2
            first = UNSEEN_FIRST_SIGMA**2
    if service.waiting_s > OVERLOADED * service.ttft_s:
        extra += OVERLOAD_SIGMA**2
    tpot_sigma = sqrt(row.tpot_sigma**2 + extra)
    ttft_sigma = sqrt(row.ttft_sigma**2 + extra + first)
    return Prediction(
        ttft_s=Interval.around(service.ttft_s, ttft_sigma),
        tpot_s=Interval.around(service.tpot_s, tpot_sigma),
        output_tokens_per_s=Interval.around(
            service.output_tokens_per_s, sqrt(row.throughput_sigma**2 + extra)
        ),
        requests_per_s=service.requests_per_s,
        relative_error=tpot_sigma,
        ttft_sigma=ttft_sigma,
        service=service,
    )


def _launching(server: Server, service: Service) -> float:
    """Return the seconds of a token's time that are launching and scheduling."""
    each = service.running / (server.data * server.groups)
    return sum(
        MICRO
        * (
            stage.efficiency.step_us
            + stage.work.layers * stage.efficiency.layer_us
            + each * stage.efficiency.sequence_us
        )
        for stage in server.stages
    )


class Term(NamedTuple):
    """One part of a time, in seconds, and its share of the whole."""

    name: str
    seconds: float
    share: float


def tpot_terms(server: Server, load: Load, service: Service) -> tuple[Term, ...]:
    """Tell what an output token's time consists of, largest first; parts of nothing are left out.

    Args:
        server: the replica.
        load: that was predicted.
        service: what the prediction said.
    """
    steps = step_terms(server, load, service.running)
    parts = {
        "reading weights": sum(step.weights for step in steps),
        "reading experts": sum(step.experts for step in steps),
        "arithmetic beyond reading": sum(step.arithmetic for step in steps),
        "attention over the context": sum(step.attention for step in steps),
        "communication between GPUs": sum(step.communication for step in steps),
        "launching and scheduling": sum(step.overhead for step in steps),
        "prompts of other requests": service.prompts_s,
    }
    parts["sending between stages"] = service.tpot_s - sum(parts.values())
    total = service.tpot_s
    found = [
        Term(name, seconds, seconds / total)
        for name, seconds in parts.items()
        if seconds > total * SMALLEST_SHARE
    ]
    return tuple(sorted(found, key=lambda term: -term.seconds))


SMALLEST_SHARE = 1e-6
"""Parts below this are rounding."""
