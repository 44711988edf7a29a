"""The Pareto front: latency against throughput against cost, over layouts, weights and loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.candidates import cheapest_usd_per_hour
from qwen3_planner.economics.renting import rent_of
from qwen3_planner.economics.tokens import MILLION, SECONDS_PER_HOUR
from qwen3_planner.grid import evaluate
from qwen3_planner.performance.load import MILLI
from qwen3_planner.question import understand
from qwen3_planner.serving.verdicts import Fit
from qwen3_planner.targeting import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.candidates import Candidate
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.grid import Cell
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Layout
    from qwen3_planner.request import PlanRequest, Targets

CONCURRENCIES = tuple(2**power for power in range(11))
"""Requests in flight per replica at which every candidate is looked at; the asked ones too."""


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """What one replica of one candidate does with so many requests in flight.

    Attributes:
        accelerator: that it runs on.
        layout: of the replica.
        quantization: of its weights.
        concurrency: requests in flight.
        ttft_ms: mean time to the first token, queueing included.
        tpot_ms: mean time per output token after it.
        output_tokens_per_second: generated.
        usd_per_million_output_tokens: what its GPUs cost meanwhile; None where no price is known.
        is_narrow: whether it fits inside the error of the estimate only, so may not start.
    """

    accelerator: str
    layout: Layout
    quantization: str
    concurrency: int
    ttft_ms: float
    tpot_ms: float
    output_tokens_per_second: float
    usd_per_million_output_tokens: float | None
    is_narrow: bool = False

    @property
    def cost(self) -> float:
        """What is compared as cost: dollars, or GPU-seconds a million tokens without a price.

        Points with and without a price never stand side by side: see :func:`front_of`.
        """
        if self.usd_per_million_output_tokens is not None:
            return self.usd_per_million_output_tokens
        return MILLION * self.layout.gpus_per_replica / self.output_tokens_per_second

    @property
    def figures(self) -> tuple[float, float, float, float]:
        """What is compared, each the better the smaller."""
        return (self.tpot_ms, self.ttft_ms, -self.output_tokens_per_second, self.cost)

    @property
    def currency(self) -> str:
        """What its cost is counted in: dollars, or the seconds of an accelerator."""
        return "" if self.usd_per_million_output_tokens is not None else self.accelerator


def front(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> tuple[FrontPoint, ...]:
    """Return what no other candidate beats, the quickest per token first.

    Weights, layout and requests in flight are free unless the request fixes them; of the requests
    in flight that is where the curve goes, so they are free always. Limits on latencies bind.
    Empty where nothing fits, or where nothing is known of the engine's efficiency.

    Raises:
        SpecError: the request itself is wrong.
    """
    return front_of(points(request, inventory, catalog))


def points(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> Iterator[FrontPoint]:
    """Yield every candidate under every load that it holds within the limits on latencies.

    Raises:
        SpecError: the request itself is wrong.
    """
    question = understand(request, inventory, catalog)
    loads = sorted({*CONCURRENCIES, request.workload.concurrency})
    prices: dict[tuple[str, Layout], float | None] = {}
    for cell in evaluate(question, inventory, loads, catalog.efficiencies):
        if not isinstance(cell.verdict, Fit) or cell.prediction is None:
            continue
        candidate = cell.verdict.candidate
        key = candidate.pool.accelerator.name, candidate.layout
        if key not in prices:
            prices[key] = _usd_per_hour(candidate, catalog)
        point = _point(cell, cell.verdict, prices[key])
        if point is not None and _is_within(request.targets, point):
            yield point


def _point(cell: Cell, fit: Fit, usd_per_hour: float | None) -> FrontPoint | None:
    said, candidate = cell.prediction, fit.candidate
    if said is None:
        return None
    tokens = said.output_tokens_per_s.value
    usd = None if usd_per_hour is None else MILLION * usd_per_hour / SECONDS_PER_HOUR / tokens
    return FrontPoint(
        accelerator=candidate.pool.accelerator.name,
        layout=candidate.layout,
        quantization=candidate.choice.fmt.quantization.value,
        concurrency=cell.concurrency,
        ttft_ms=told(said.ttft_s.value / MILLI),
        tpot_ms=told(said.tpot_s.value / MILLI),
        output_tokens_per_second=told(tokens),
        usd_per_million_output_tokens=None if usd is None else told(usd),
        is_narrow=fit.is_narrow,
    )


def _usd_per_hour(candidate: Candidate, catalog: Catalog) -> float | None:
    """Take the inventory's price of one replica, else the going rate of the catalog."""
    stated = cheapest_usd_per_hour(candidate.pool, candidate.layout, 1)
    if stated is not None:
        return stated
    rent = rent_of(catalog.prices, candidate.pool.accelerator.name)
    return None if rent is None else rent.usd_per_hour * candidate.layout.gpus_per_replica


def _is_within(targets: Targets, point: FrontPoint) -> bool:
    ttft, tpot = targets.ttft_ms, targets.tpot_ms
    return (ttft is None or point.ttft_ms <= ttft) and (tpot is None or point.tpot_ms <= tpot)


def front_of(found: Iterable[FrontPoint]) -> tuple[FrontPoint, ...]:
    """Leave out every point that another one dominates.

    Each of the others is dominated by one that is returned.
    """
    kept: list[FrontPoint] = []
    # In this order a point is never dominated by a later one, so the kept ones are the front.
    for point in sorted(found, key=lambda one: (one.figures, str(one.layout), one.quantization)):
        if not any(dominates(better, point) for better in kept):
            kept.append(point)
    return tuple(kept)


def dominates(one: FrontPoint, other: FrontPoint) -> bool:
    """Whether one is as good as another in every figure and better in one.

    Points whose costs are counted differently say nothing of each other.
    """
    mine, theirs = one.figures, other.figures
    return (
        one.currency == other.currency
        and mine != theirs
        and all(a <= b for a, b in zip(mine, theirs, strict=True))
    )
