"""How a plan's speed and price change with the requests in flight: what charts are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.performance.load import prompt_times
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.saturation import saturation
from qwen3_planner.question import understand
from qwen3_planner.solving import solve
from qwen3_planner.speed import load_of, server_of

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.performance.load import Load, Server
    from qwen3_planner.performance.prediction import Interval
    from qwen3_planner.performance.saturation import Saturation
    from qwen3_planner.plan import Plan
    from qwen3_planner.question import Question
    from qwen3_planner.request import PlanRequest
    from qwen3_planner.serving.verdicts import Fit

STEPS_AN_OCTAVE = 2
"""Points between a number of requests and twice as many."""

BEYOND_SATURATION = 4
"""How far a curve goes on, so that its end is seen to be flat."""

MOST_REQUESTS = 100_000
"""Where it stops at the latest."""


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
