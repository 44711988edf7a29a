"""The story: modes of answering, what each costs on own GPUs and at hosts, at every volume."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from qwen3_planner.comparing.comparison import AtVolume, Comparison, CostPoint, Host, Mode, Serving
from qwen3_planner.comparing.serving import Capacity, capacity_of, replicas_here
from qwen3_planner.economics.hosts import MILLION, Usage, usd_per_request
from qwen3_planner.economics.power import drawn_watts
from qwen3_planner.economics.rates import GpuRate, rate_of
from qwen3_planner.economics.staircase import Staircase, corners, crossing
from qwen3_planner.economics.tokens import JOULES_PER_KWH
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import NoPlan
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.figures import ApiPrice
    from qwen3_planner.catalog.rows import Accelerator, Catalog, ModelArchitecture
    from qwen3_planner.comparing.wish import Wish
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Plan
    from qwen3_planner.request import PlanRequest

HOURS_PER_DAY = 24.0
SECONDS_PER_HOUR = 3600.0

SAMPLES = 48
"""Volumes of a curve beside its corners."""

MOST_CORNERS = 64
"""Steps that are drawn one by one; with more, a staircase looks like a slope."""

FEWEST_STEPS = 3
"""Replicas up to which a curve is drawn at least."""

MOST_STEPS = 8
"""Replicas up to which it is drawn to show a lasting advantage."""

MARGIN = 1.2
"""Of the volume that is asked about, so that it does not lie on the edge."""


def compare(
    request: PlanRequest, inventory: Inventory, catalog: Catalog, wish: Wish
) -> Comparison | NoPlan:
    """Compare own GPUs with hosts. Pure: equal questions have equal answers.

    Args:
        request: which model, and what is fixed about serving it.
        inventory: the hardware it may use; more of the same is bought where the volume asks for it.
        catalog: what is known.
        wish: usage, hosts and terms.

    Returns:
        The comparison; why there is none where the model does not fit.

    Raises:
        SpecError: no price or no speed is known, or the model cannot answer as asked.
    """
    model = catalog.model(request.model)
    modes: list[Mode] = []
    rate: GpuRate | None = None
    accelerator = ""
    for name, usage in modes_of(model, wish.usage):
        capacity = capacity_of(request, inventory, catalog, usage, wish)
        if isinstance(capacity, NoPlan):
            return capacity
        card = _accelerator(capacity.plan, inventory)
        accelerator = card.name
        rate = rate_of(card, wish.paying, wish.lists, _stated(capacity.plan))
        modes.append(_mode(name, usage, capacity, card, rate, inventory, wish))
    assert rate is not None  # noqa: S101 - every model has a mode
    return Comparison(
        variant=model.name,
        accelerator=accelerator,
        rate=rate,
        hours_per_day=HOURS_PER_DAY * wish.paying.utilization,
        peak=wish.peak,
        modes=tuple(modes),
        warnings=tuple(_warnings(model, modes, wish)),
    )


def modes_of(model: ModelArchitecture, usage: Usage) -> list[tuple[str, Usage]]:
    """Return the ways in which a model can answer, with the tokens of each.

    Raises:
        SpecError: the model never thinks although tokens for it are stated.
    """
    plain = Usage(usage.input_tokens, usage.output_tokens)
    never_thinks = model.is_pooling or model.thinking == "never"
    if never_thinks and usage.thinking_tokens:
        raise SpecError("--thinking-tokens", usage.thinking_tokens, f"{model.name} never thinks")
    if model.is_pooling:
        return [("reading", Usage(usage.input_tokens, 0))]
    if model.thinking == "never":
        return [("non-thinking", plain)]
    if model.thinking == "always":
        return [("thinking", usage)]
    return [("non-thinking", plain), *([("thinking", usage)] if usage.thinking_tokens else [])]


def _accelerator(found: Plan, inventory: Inventory) -> Accelerator:
    name = found.placement.accelerator
    return next(row for row in inventory.accelerators if row.name == name)


def _stated(found: Plan) -> float | None:
    """Return what the inventory says that one GPU costs an hour."""
    return None if found.usd_per_hour is None else found.usd_per_hour / found.gpus


def _mode(  # noqa: PLR0913, PLR0917 - what a mode's bills depend on
    name: str,
    usage: Usage,
    capacity: Capacity,
    card: Accelerator,
    rate: GpuRate,
    inventory: Inventory,
    wish: Wish,
) -> Mode:
    serving = _serving(usage, capacity, card, rate, inventory, wish)
    hosts = sorted(
        (_host(price, usage, serving) for price in wish.hosts),
        key=lambda host: (host.usd_per_request, host.price.provider, host.price.model),
    )
    asked = _asked(usage, wish)
    curve = tuple(
        _point(requests, usage, serving.staircase, hosts)
        for requests in _volumes(serving.staircase, hosts, asked)
    )
    at = None if asked is None else _at(asked, usage, serving, hosts)
    return Mode(name, usage, serving, tuple(hosts), curve, at)


def _serving(  # noqa: PLR0913, PLR0917 - as above
    usage: Usage,
    capacity: Capacity,
    card: Accelerator,
    rate: GpuRate,
    inventory: Inventory,
    wish: Wish,
) -> Serving:
    gpus = capacity.plan.layout.gpus_per_replica
    hours = HOURS_PER_DAY * wish.paying.utilization
    per_day = capacity.requests_per_s * SECONDS_PER_HOUR * hours / wish.peak
    answered = max(1, floor(per_day))
    stairs = Staircase(rate.usd_per_hour * gpus * hours, answered)
    kwh = None
    if card.tdp_w is not None:
        watts = drawn_watts(card.tdp_w, gpus) * wish.paying.owning.pue
        tokens_per_s = capacity.requests_per_s * usage.counted_tokens
        kwh = watts / tokens_per_s * MILLION / JOULES_PER_KWH
    return Serving(
        plan=capacity.plan,
        concurrency=capacity.concurrency,
        capacity_per_day=answered,
        capacity_low=max(1, floor(per_day * capacity.low)),
        capacity_high=max(1, floor(per_day * capacity.high)),
        gpus=gpus,
        staircase=stairs,
        kwh_per_million=kwh,
        usd_per_million=MILLION * stairs.usd_per_request_when_full / usage.counted_tokens,
        replicas_here=replicas_here(capacity.plan, inventory),
    )


def _host(price: ApiPrice, usage: Usage, serving: Serving) -> Host:
    asked = usd_per_request(price, usage)
    equal = serving.staircase.usd_per_day / asked
    return Host(
        price=price,
        usd_per_request=asked,
        crossing=crossing(serving.staircase, asked),
        share_of_capacity=equal / serving.capacity_per_day,
        share_low=equal / serving.capacity_high,
        share_high=equal / serving.capacity_low,
    )


def _asked(usage: Usage, wish: Wish) -> int | None:
    if wish.requests_per_day is not None:
        return wish.requests_per_day
    if wish.tokens_per_day is not None:
        return max(1, ceil_div(wish.tokens_per_day, usage.input_tokens + usage.generated_tokens))
    return None


def _volumes(stairs: Staircase, hosts: Sequence[Host], asked: int | None) -> list[int]:
    """Choose the volumes of a curve: evenly, with every corner and every crossing in sight."""
    most = FEWEST_STEPS * stairs.requests_per_day
    crossings = [
        volume
        for host in hosts
        for volume in (host.crossing.cheaper_from, host.crossing.always_from)
        if volume is not None and volume <= MOST_STEPS * stairs.requests_per_day
    ]
    most = max([most, floor(MARGIN * (asked or 0)), *(floor(MARGIN * v) for v in crossings)])
    chosen = {most * sample // SAMPLES for sample in range(SAMPLES + 1)}
    if most <= MOST_CORNERS * stairs.requests_per_day:
        chosen.update(corners(stairs, most))
    chosen.update(crossings)
    if asked is not None:
        chosen.add(asked)
    return sorted(chosen)


def _point(requests: int, usage: Usage, stairs: Staircase, hosts: Sequence[Host]) -> CostPoint:
    return CostPoint(
        requests_per_day=requests,
        tokens_per_day=requests * (usage.input_tokens + usage.generated_tokens),
        replicas=stairs.replicas(requests),
        own_usd_per_day=stairs.usd(requests),
        host_usd_per_day=tuple(requests * host.usd_per_request for host in hosts),
    )


def _at(requests: int, usage: Usage, serving: Serving, hosts: Sequence[Host]) -> AtVolume:
    stairs = serving.staircase
    point = _point(requests, usage, stairs, hosts)
    cheapest = min(range(len(hosts)), key=lambda index: point.host_usd_per_day[index])
    is_host_cheaper = point.host_usd_per_day[cheapest] <= point.own_usd_per_day
    return AtVolume(
        point=point,
        busy=requests / (point.replicas * stairs.requests_per_day),
        own_usd_per_million=MILLION * point.own_usd_per_day / point.tokens_per_day,
        cheapest=cheapest if is_host_cheaper else None,
    )


def _warnings(model: ModelArchitecture, modes: Sequence[Mode], wish: Wish) -> Iterator[str]:
    if model.thinking == "always" and not wish.usage.thinking_tokens:
        yield (
            f"{model.name} thinks before every answer: --thinking-tokens says how much; without it"
            " all its output counts as the answer."
        )
    if model.thinking == "hybrid" and not wish.usage.thinking_tokens:
        yield "Thinking mode is left out: --thinking-tokens says how many tokens it takes."
    for mode in modes:
        needed = mode.at.point.replicas if mode.at is not None else 1
        here = mode.serving.replicas_here
        if needed > here:
            yield (
                f"{needed:,} replicas in {mode.name} mode are more than the {here:,} that the"
                " hardware named has room for; more of the same is priced in."
            )
