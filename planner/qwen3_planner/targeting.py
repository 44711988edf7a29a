"""Does a fit meet the targets: its speed under the load, and how many replicas that takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from qwen3_planner.candidates import replicas_that_fit
from qwen3_planner.performance.load import MILLI
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.saturation import predict_rate, saturation
from qwen3_planner.speed import load_of, reading_of, server_of

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Server
    from qwen3_planner.performance.prediction import Prediction
    from qwen3_planner.performance.reading import Reading
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit

TTFT, TPOT = "ttftMs", "tpotMs"
TOKENS, REQUESTS = "outputTokensPerSecond", "requestsPerSecond"
"""Names of the targets, as a change assigns them."""


@dataclass(frozen=True, slots=True)
class Aimed:
    """A fit that meets every target.

    Attributes:
        fit: the candidate and what it holds.
        replicas: that it takes.
        prediction: of one of them; None where nothing is known and nothing was asked.
    """

    fit: Fit
    replicas: int
    prediction: Prediction | None


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One target that is missed.

    Attributes:
        target: its name.
        wanted: at most (latencies, ms) or at least (rates, per second).
        reached: what it would be instead.
    """

    target: str
    wanted: float
    reached: float

    @property
    def is_latency(self) -> bool:
        """Whether less is better."""
        return self.target in (TTFT, TPOT)

    @property
    def share(self) -> float:
        """How far off, as a share of what was wanted: 0 is met, 1 is twice as slow."""
        if self.is_latency:
            return self.reached / self.wanted - 1.0
        return self.wanted / self.reached - 1.0 if self.reached else float("inf")


@dataclass(frozen=True, slots=True)
class Missed:
    """A fit that misses targets, with as many replicas as it may have.

    Attributes:
        fit: the candidate and what it holds.
        replicas: that were counted on.
        shortfalls: what is missed; empty where nothing is known of its speed.
    """

    fit: Fit
    replicas: int
    shortfalls: tuple[Shortfall, ...]


def has_aim(question: Question) -> bool:
    """Whether the speed of a fit decides anything."""
    request = question.request
    return request.targets.are_given or request.objective.needs_speed


def aim(question: Question, fit: Fit) -> Aimed | Missed:
    """Judge a fit by the targets, with the fewest replicas that meet them.

    Requests in flight are counted per replica, so more replicas help only where a throughput or a
    rate of arrival is asked for. The figures are those that the plan tells.
    """
    request = question.request
    read = reading_of(question, fit, question.efficiencies)
    if read is not None:
        return _judge_reading(question, fit, read[1])
    server = server_of(question, fit, question.efficiencies)
    if server is None:
        return _judge_unknown(question, fit)
    if not request.replicas_are_open:
        return _judge(question, fit, server, request.replicas)
    most = _most_replicas(question, fit)
    fewest = min(most, max(request.replicas, _needed(question, server)))
    found = _judge(question, fit, server, fewest)
    if isinstance(found, Aimed) or request.targets.requests_per_second is None or fewest == most:
        return found
    return _with_more(question, fit, server, (fewest, most))


def _with_more(
    question: Question, fit: Fit, server: Server, bounds: tuple[int, int]
) -> Aimed | Missed:
    """Find the fewest replicas that meet everything: fewer requests for each make it faster.

    Args:
        question: what is planned.
        fit: the candidate.
        server: one replica of it.
        bounds: replicas that miss, and the most there are.
    """
    fewest, most = bounds
    found = _judge(question, fit, server, most)
    while isinstance(found, Aimed) and fewest + 1 < most:
        middle = (fewest + most) // 2
        verdict = _judge(question, fit, server, middle)
        if isinstance(verdict, Aimed):
            most, found = middle, verdict
        else:
            fewest = middle
    return found


def _judge_unknown(question: Question, fit: Fit) -> Aimed | Missed:
    """Judge a fit whose speed nobody knows: it meets no target."""
    request = question.request
    if request.targets.are_given:
        return Missed(fit, request.replicas, ())
    return Aimed(fit, request.replicas, None)


def _judge_reading(question: Question, fit: Fit, said: Reading) -> Aimed | Missed:
    """Judge a model that only reads: its answer is its first and last."""
    wanted, replicas = question.request.targets.ttft_ms, question.request.replicas
    if wanted is not None:
        missing = Shortfall(TTFT, wanted, told(said.answer_s.value / MILLI))
        if missing.share > 0:
            return Missed(fit, replicas, (missing,))
    return Aimed(fit, replicas, None)


def prediction_of(question: Question, server: Server, replicas: int) -> Prediction | None:
    """Predict what one of so many replicas does; None where it cannot keep up with its share."""
    rate = question.request.targets.requests_per_second
    if rate is None:
        return predict(server, load_of(question))
    return predict_rate(server, load_of(question), rate / replicas)


def _needed(question: Question, server: Server) -> int:
    """Return how many replicas the throughput takes at least."""
    targets = question.request.targets
    load, needed = load_of(question), 1
    if targets.output_tokens_per_second is not None:
        each = predict(server, load).output_tokens_per_s.value
        needed = ceil(targets.output_tokens_per_second / each)
    if targets.requests_per_second is not None:
        needed = max(needed, ceil(targets.requests_per_second / _full(server, question)))
    return needed


def _full(server: Server, question: Question) -> float:
    return saturation(server, load_of(question)).requests_per_s


def _most_replicas(question: Question, fit: Fit) -> int:
    """Return how many replicas there is room for; at least those asked for."""
    request, candidate = question.request, fit.candidate
    layout, pool = candidate.layout, candidate.pool
    most = pool.gpus // layout.gpus_per_replica
    if request.max_gpus is not None:
        most = min(most, request.max_gpus // layout.gpus_per_replica)
    while most > request.replicas and not replicas_that_fit(
        pool, layout.gpus_per_node, layout.nodes_per_replica, most
    ):
        most -= 1
    return max(request.replicas, most)


def _judge(question: Question, fit: Fit, server: Server, replicas: int) -> Aimed | Missed:
    said = prediction_of(question, server, replicas)
    missing = _shortfalls(question, server, said, replicas)
    return Missed(fit, replicas, missing) if missing else Aimed(fit, replicas, said)


def _shortfalls(
    question: Question, server: Server, said: Prediction | None, replicas: int
) -> tuple[Shortfall, ...]:
    targets = question.request.targets
    rate = targets.requests_per_second
    if said is None:
        if rate is None:
            return ()
        return (Shortfall(REQUESTS, rate, _full(server, question) * replicas),)
    reached = (
        (TTFT, targets.ttft_ms, told(said.ttft_s.value / MILLI)),
        (TPOT, targets.tpot_ms, told(said.tpot_s.value / MILLI)),
        (
            TOKENS,
            targets.output_tokens_per_second,
            told(said.output_tokens_per_s.value) * replicas,
        ),
    )
    found = (
        Shortfall(name, wanted, value) for name, wanted, value in reached if wanted is not None
    )
    return tuple(one for one in found if one.share > 0)


SIGNIFICANT = 4
"""Digits told of a predicted figure: its error is in the second."""


def told(value: float) -> float:
    """Round to the digits that are told: a plan meets its targets by its own figures.

    >>> told(1234.567), told(0.0123456)
    (1235.0, 0.01235)
    """
    return float(f"{value:.{SIGNIFICANT}g}")
