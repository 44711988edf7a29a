"""How much one replica serves, on the layout whose tokens are cheapest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.errors import SpecError
from qwen3_planner.plan import NoPlan, Performance, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import ParallelismWish, Quantization, Workload

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.comparing.wish import Wish
    from qwen3_planner.economics.hosts import Usage
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import ReadingPerformance
    from qwen3_planner.request import PlanRequest

MOST_IN_FLIGHT = 65_536
"""Requests at once that are looked at for the most that keeps the latency wanted."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one replica answers.

    Attributes:
        plan: of the replica.
        concurrency: requests in flight at that rate.
        requests_per_s: answered.
        low: share of it at the lower end of its 90 % interval.
        high: share of it at the upper end.
    """

    plan: Plan
    concurrency: int
    requests_per_s: float
    low: float
    high: float

    @property
    def per_gpu(self) -> float:
        """Requests a second of each GPU: what one pays for."""
        return self.requests_per_s / self.plan.layout.gpus_per_replica


def capacity_of(
    request: PlanRequest, inventory: Inventory, catalog: Catalog, usage: Usage, wish: Wish
) -> Capacity | NoPlan:
    """Plan the load and find how much one replica serves of it.

    Of layouts in the same weight format on the same accelerator the one with the cheapest tokens
    is taken: more GPUs hold more requests at once.

    Raises:
        SpecError: the speed of the model there cannot be predicted, or no layout keeps the latency.
    """
    load = Workload(wish.concurrency or 1, usage.input_tokens, usage.generated_tokens or None)
    asked = replace(request, workload=load, replicas=1)
    found = plan(asked, inventory, catalog)
    if isinstance(found, NoPlan):
        return found
    alike = [
        other
        for other in (found, *found.alternatives)
        if other.quantization == found.quantization
        and other.placement.accelerator == found.placement.accelerator
    ]
    limited = [
        capacity
        for capacity in (_limited(other, asked, inventory, catalog, wish) for other in alike)
        if capacity is not None
    ]
    if limited:
        return max(limited, key=lambda capacity: capacity.per_gpu)
    speed = found.performance or found.reading
    if speed is None:
        reason = "its speed on that hardware cannot be predicted, so its capacity is not known"
        raise SpecError("MODEL", found.variant, reason)
    name, limit, reached = _tightest(wish, speed)
    reason = f"not even one request at a time is that fast: {reached:g} ms"
    raise SpecError(name, f"{limit:g}", reason)


def _limited(
    found: Plan, asked: PlanRequest, inventory: Inventory, catalog: Catalog, wish: Wish
) -> Capacity | None:
    """Return how much a plan serves within the latency wanted; None where it never keeps it."""
    speed = found.performance or found.reading
    if speed is None:
        return None
    if wish.ttft_ms is None and wish.tpot_ms is None:
        return _full(found, speed, wish)
    pinned = _pinned(asked, found)

    def at(concurrency: int) -> Plan | None:
        load = replace(pinned.workload, concurrency=concurrency)
        answer = plan(replace(pinned, workload=load), inventory, catalog)
        return answer if isinstance(answer, Plan) and _keeps(wish, answer) else None

    low = wish.concurrency or 1
    best = at(low)
    if best is None:
        return None
    high = 2 * low if wish.concurrency is None else low
    while high <= MOST_IN_FLIGHT and wish.concurrency is None:
        answer = at(high)
        if answer is None:
            break
        best, low, high = answer, high, 2 * high
    while high - low > 1 and wish.concurrency is None:
        middle = (low + high) // 2
        answer = at(middle)
        best, low, high = (best, low, middle) if answer is None else (answer, middle, high)
    reached = best.performance or best.reading
    assert reached is not None  # noqa: S101 - at() returns no other
    return _at_concurrency(best, reached)


def _full(found: Plan, speed: Performance | ReadingPerformance, wish: Wish) -> Capacity:
    if wish.concurrency is not None:
        return _at_concurrency(found, speed)
    if isinstance(speed, Performance):
        rate = speed.saturation_output_tokens_per_second / speed.output_tokens
    else:
        rate = speed.saturation_input_tokens_per_second / speed.input_tokens
    return _capacity(found, speed, speed.saturation_concurrency, rate)


def _at_concurrency(found: Plan, speed: Performance | ReadingPerformance) -> Capacity:
    return _capacity(found, speed, speed.concurrency, speed.requests_per_second)


def _capacity(
    found: Plan, speed: Performance | ReadingPerformance, concurrency: int, rate: float
) -> Capacity:
    if isinstance(speed, Performance):
        tokens = speed.output_tokens_per_second
        low, high = speed.output_tokens_per_second_low, speed.output_tokens_per_second_high
    else:
        tokens = speed.input_tokens_per_second
        low, high = speed.input_tokens_per_second_low, speed.input_tokens_per_second_high
    return Capacity(found, concurrency, rate, low / tokens, high / tokens)


def _pinned(asked: PlanRequest, found: Plan) -> PlanRequest:
    """Fix what the plan chose, so that another load changes nothing but the load."""
    layout = found.layout
    groups = ParallelismWish(layout.tensor, layout.pipeline, layout.data, layout.expert)
    return replace(
        asked,
        quantization=Quantization(found.quantization),
        parallelism=groups,
        accelerators=(found.placement.accelerator,),
    )


def _keeps(wish: Wish, found: Plan) -> bool:
    """Whether a plan keeps the latency wanted; what yields no text has no time per token."""
    first = found.performance or found.reading
    if first is None or (wish.ttft_ms is not None and first.ttft_ms > wish.ttft_ms):
        return False
    speed = found.performance
    return speed is None or wish.tpot_ms is None or speed.tpot_ms <= wish.tpot_ms


def _tightest(wish: Wish, speed: Performance | ReadingPerformance) -> tuple[str, float, float]:
    """Return the limit that is missed, as option and value, and what is reached."""
    if wish.ttft_ms is not None and speed.ttft_ms > wish.ttft_ms:
        return "--ttft-ms", wish.ttft_ms, speed.ttft_ms
    tpot = speed.tpot_ms if isinstance(speed, Performance) else 0.0
    return "--tpot-ms", wish.tpot_ms or 0.0, tpot


def replicas_here(found: Plan, inventory: Inventory) -> int:
    """Return how many replicas of a plan the hardware has room for."""
    layout = found.layout
    groups = [g for g in inventory.groups if g.accelerator.name == found.placement.accelerator]
    if layout.nodes_per_replica > 1:
        nodes = sum(g.count for g in groups if g.accelerators_per_node >= layout.gpus_per_node)
        return nodes // layout.nodes_per_replica
    return sum(g.count * (g.accelerators_per_node // layout.gpus_per_replica) for g in groups)
