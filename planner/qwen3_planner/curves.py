"""How a plan's speed and price change with the requests in flight: what charts are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.estimating import estimate
from qwen3_planner.performance.load import prompt_times
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.saturation import saturation
from qwen3_planner.question import understand
from qwen3_planner.solving import solve
from qwen3_planner.speed import load_of, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.performance.load import Load, Server
    from qwen3_planner.performance.prediction import Interval
    from qwen3_planner.performance.saturation import Saturation
    from qwen3_planner.plan import Plan
    from qwen3_planner.question import Question
    from qwen3_planner.rank import Score
    from qwen3_planner.request import PlanRequest
    from qwen3_planner.serving.verdicts import Fit

STEPS_AN_OCTAVE = 2
"""Points between a number of requests and twice as many."""

BEYOND_SATURATION = 4
"""How far a curve goes on, so that its end is seen to be flat."""

MOST_REQUESTS = 100_000
"""Where it stops at the latest."""

MOST_CANDIDATES = 60
"""Layouts whose speeds are compared, best first; further ones differ by little."""


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """What one replica does with so many requests in flight; each interval holds 90 %.

    Attributes:
        concurrency: requests in flight.
        ttft_s: mean time to the first token, queueing included.
        tpot_s: mean time per output token after it.
        output_tokens_per_s: generated.
    """

    concurrency: int
    ttft_s: Interval
    tpot_s: Interval
    output_tokens_per_s: Interval


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """Speed against requests in flight, of one replica in a closed loop.

    Attributes:
        input_tokens: of each request.
        output_tokens: of each request.
        asked: requests in flight that the question is about; one of the points.
        saturation_concurrency: the fewest that bring 95 % of the most tokens; likewise.
        points: in the order of their concurrency.
    """

    input_tokens: int
    output_tokens: int
    asked: int
    saturation_concurrency: int
    points: tuple[LoadPoint, ...]


@dataclass(frozen=True, slots=True)
class TradeOff:
    """What one layout does with so many requests in flight.

    Attributes:
        name: weight format and layout.
        hardware: of one replica.
        concurrency: requests in flight per replica.
        tpot_s: time per output token.
        ttft_s: to the first token.
        tokens_per_s_per_gpu: output of one replica over its GPUs.
        usd_per_million: output tokens; None where no price is known.
        is_plan: whether it is the layout of the plan.
        is_asked: whether that is the load of the question.
        is_best: whether no other is better in one figure and as good in the others.
    """

    name: str
    hardware: str
    concurrency: int
    tpot_s: float
    ttft_s: float
    tokens_per_s_per_gpu: float
    usd_per_million: float | None
    is_plan: bool
    is_asked: bool
    is_best: bool = False


def trade_offs(
    plan: Plan, request: PlanRequest, inventory: Inventory, catalog: Catalog
) -> tuple[TradeOff, ...]:
    """Compare every layout that fits at growing load: latency, throughput and cost.

    Args:
        plan: that the planner made of the rest.
        request: what was asked.
        inventory: that it was planned on.
        catalog: what is known.

    Returns:
        Quickest first. Where several are as quick, throughput per GPU decides.
    """
    question = understand(request, inventory, catalog)
    scores = solve(question, inventory).scores
    chosen = next((score for score in scores if _is_of(plan, score.fit)), None)
    kept = dict.fromkeys((*([chosen] if chosen else []), *scores[:MOST_CANDIDATES]))
    found = [
        one
        for score in kept
        for one in _trade_offs_of(question, score, catalog, is_plan=score is chosen)
    ]
    found.sort(key=lambda one: (one.tpot_s, -one.tokens_per_s_per_gpu, one.name))
    return tuple(
        replace(one, is_best=not any(_beats(other, one) for other in found)) for one in found
    )


def _trade_offs_of(
    question: Question, score: Score, catalog: Catalog, *, is_plan: bool
) -> Iterator[TradeOff]:
    server = server_of(question, score.fit, catalog.efficiencies)
    if server is None:
        return
    candidate, load = score.fit.candidate, load_of(question)
    gpus, cost = candidate.layout.gpus_per_replica, estimate(question, score, catalog).cost
    prompts = prompt_times(server, load.input_tokens)
    full = saturation(server, load).concurrency
    counts = {2**power for power in range(full.bit_length()) if 2**power <= full}
    for count in sorted({*counts, full, *([load.concurrency] if is_plan else [])}):
        said = predict(server, replace(load, concurrency=count), prompts)
        tokens = said.output_tokens_per_s.value
        usd = None if cost is None else cost.usd_per_hour / question.request.replicas
        yield TradeOff(
            name=f"{candidate.choice.fmt.quantization.value} {candidate.layout}",
            hardware=f"{gpus} x {candidate.pool.accelerator.name}",
            concurrency=count,
            tpot_s=said.tpot_s.value,
            ttft_s=said.ttft_s.value,
            tokens_per_s_per_gpu=tokens / gpus,
            usd_per_million=None if usd is None else usd / SECONDS_PER_HOUR / tokens * MILLION,
            is_plan=is_plan,
            is_asked=is_plan and count == load.concurrency,
        )


SECONDS_PER_HOUR, MILLION = 3600.0, 1e6


def _beats(one: TradeOff, other: TradeOff) -> bool:
    """Whether one is at least as good in everything and better in something."""
    mine, theirs = _figures(one), _figures(other)
    return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def _figures(one: TradeOff) -> tuple[float, float, float]:
    return one.tpot_s, -one.tokens_per_s_per_gpu, one.usd_per_million or 0.0


def load_curve(
    plan: Plan, request: PlanRequest, inventory: Inventory, catalog: Catalog
) -> LoadCurve | None:
    """Predict a plan under growing load; None where nothing is known of its engine's efficiency.

    Args:
        plan: that the planner made of the rest.
        request: what was asked.
        inventory: that it was planned on.
        catalog: what is known.
    """
    question = understand(request, inventory, catalog)
    fit = _fit_of(plan, question, inventory)
    server = None if fit is None else server_of(question, fit, catalog.efficiencies)
    if server is None:
        return None
    load = load_of(question)
    full = saturation(server, load)
    return LoadCurve(
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        asked=load.concurrency,
        saturation_concurrency=full.concurrency,
        points=_points(server, load, full),
    )


def _fit_of(plan: Plan, question: Question, inventory: Inventory) -> Fit | None:
    """Find what the plan was told from, whatever put it first."""
    fits = (score.fit for score in solve(question, inventory).scores)
    return next((fit for fit in fits if _is_of(plan, fit)), None)


def _is_of(plan: Plan, fit: Fit) -> bool:
    candidate = fit.candidate
    return (
        candidate.layout == plan.layout
        and candidate.choice.fmt.quantization.value == plan.quantization
        and candidate.choice.source == plan.source
        and candidate.pool.accelerator.name == plan.placement.accelerator
        and fit.max_model_len == plan.max_model_len
    )


def _points(server: Server, load: Load, full: Saturation) -> tuple[LoadPoint, ...]:
    prompts = prompt_times(server, load.input_tokens)
    counts = concurrencies(full.concurrency, load.concurrency)
    predictions = [
        (count, predict(server, replace(load, concurrency=count), prompts)) for count in counts
    ]
    return tuple(
        LoadPoint(count, said.ttft_s, said.tpot_s, said.output_tokens_per_s)
        for count, said in predictions
    )


def concurrencies(saturated: int, asked: int) -> tuple[int, ...]:
    """Return the requests in flight to draw: evenly on a logarithmic axis, both arguments in it.

    >>> concurrencies(3, 1)
    (1, 2, 3, 4, 6, 8, 11, 16)
    """
    end = min(MOST_REQUESTS, max(BEYOND_SATURATION * saturated, asked))
    found = {1, saturated, asked}
    power = 0
    while (count := round(2 ** (power / STEPS_AN_OCTAVE))) < end:
        found.add(count)
        power += 1
    return tuple(sorted({*found, count}))
