"""The cheapest way to serve a variant as wanted: formats, accelerators, GPUs and replicas tried.

What is tried depends on the hardware alone; a budget only cuts it short. So more money never takes
an option away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.economics.rates import rate_of
from qwen3_planner.engines.ladders import PRECISION, ladder_of
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import settle_engine, understand
from qwen3_planner.recommend.recommendation import Preference
from qwen3_planner.request import EngineName, PlanRequest, Quantization, Workload
from qwen3_planner.solving import has_fit
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Accelerator, Catalog
    from qwen3_planner.economics.rates import GpuRate
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.recommend.recommendation import Wish

MOST_GPUS = 1024
"""Of one variant; a larger deployment is planned by itself."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is wanted of one variant, with the defaults of its need filled in.

    Attributes:
        wish: as stated.
        context: tokens of the longest request; None: native.
        ttft_ms: limit; None: none.
        tpot_ms: limit; None: none.
        output_tokens: generated per request, thinking included; None: not stated.
    """

    wish: Wish
    context: int | None
    ttft_ms: float | None
    tpot_ms: float | None
    output_tokens: int | None

    @property
    def limits_speed(self) -> bool:
        """Whether some latency must be kept."""
        return self.ttft_ms is not None or self.tpot_ms is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A way to serve a variant.

    Attributes:
        plan: of all its replicas.
        rate: of one GPU; None where no price is known.
        is_shortened: whether it holds less than the context wanted.
    """

    plan: Plan
    rate: GpuRate | None
    is_shortened: bool

    @property
    def usd_per_hour(self) -> float | None:
        """Of all its GPUs."""
        return None if self.rate is None else self.rate.usd_per_hour * self.plan.gpus

    def order(self, preference: Preference) -> tuple[bool, float, float, int, str]:
        """Order ways: whole context first, then precision and money, or money and precision."""
        usd = float("inf") if self.usd_per_hour is None else self.usd_per_hour
        imprecision = float(PRECISION.index(Quantization(self.plan.quantization)))
        both = (imprecision, usd) if preference is Preference.PRECISION else (usd, imprecision)
        return (self.is_shortened, *both, self.plan.gpus, self.plan.placement.accelerator)


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search came to.

    Attributes:
        found: the best way; None where there is none.
        fastest: that fits but misses a limit, within the budget where there is such a one.
        cheapest: that keeps the limits, but is beyond the budget.
        is_unpriced: whether something fits whose price is not known, while a budget is set.
        is_untimed: whether something fits whose speed cannot be predicted, while one is limited.
    """

    found: Found | None
    fastest: Found | None = None
    cheapest: Found | None = None
    is_unpriced: bool = False
    is_untimed: bool = False


def search(variant: str, terms: Terms, inventory: Inventory, catalog: Catalog) -> Searched:
    """Try every format, accelerator, number of GPUs and of replicas; keep the best.

    Args:
        variant: catalog name.
        terms: that must be kept.
        inventory: hardware that may be used.
        catalog: what is known; checkpoints that may not be used are left out of it.
    """
    sums = _Sums(terms)
    for card in inventory.accelerators:
        rate = known_rate(card, terms.wish, inventory)
        for tried in _ways(variant, terms, card, inventory, catalog):
            sums.add(tried, rate, catalog)
            if sums.is_settled(card):
                break
    return sums.result


def known_rate(card: Accelerator, wish: Wish, inventory: Inventory) -> GpuRate | None:
    """Return what a GPU costs; None where no price is known."""
    stated = next(
        (
            group.usd_per_hour / group.accelerators_per_node
            for group in inventory.pool(card)
            if group.usd_per_hour is not None
        ),
        None,
    )
    try:
        return rate_of(card, wish.paying, wish.lists, stated)
    except SpecError:
        return None


class _Sums:
    """Sorts what was tried into what holds, what is too slow and what is too dear."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.found: list[Found] = []
        self.slow: list[Found] = []
        self.dear: list[Found] = []
        self.is_unpriced = False
        self.is_untimed = False

    def add(self, tried: Plan, rate: GpuRate | None, catalog: Catalog) -> None:
        wanted = self.terms.context or catalog.model(tried.variant).max_position_embeddings
        found = Found(tried, rate, tried.max_model_len < wanted)
        budget, usd = self.terms.wish.usd_per_hour, found.usd_per_hour
        if self.terms.limits_speed and tried.performance is None and tried.reading is None:
            self.is_untimed = True
        elif not self._keeps(tried):
            self.slow.append(found)
        elif budget is not None and usd is None:
            self.is_unpriced = True
        elif budget is not None and usd is not None and usd > budget:
            self.dear.append(found)
        else:
            self.found.append(found)

    def _keeps(self, tried: Plan) -> bool:
        return lateness(tried, self.terms) <= 1.0

    def is_settled(self, card: Accelerator) -> bool:
        """Whether whatever comes later on this accelerator is no more precise and no cheaper."""
        return self.terms.wish.prefers is Preference.PRECISION and any(
            found.plan.placement.accelerator == card.name
            and not found.is_shortened
            and Quantization(found.plan.quantization) is ladder_of(EngineName(found.plan.engine))[0]
            for found in self.found
        )

    @property
    def result(self) -> Searched:
        prefers = self.terms.wish.prefers
        return Searched(
            found=min(self.found, key=lambda one: one.order(prefers), default=None),
            fastest=min(self.slow, key=self._distance, default=None),
            cheapest=min(self.dear, key=lambda one: one.usd_per_hour or 0.0, default=None),
            is_unpriced=self.is_unpriced,
            is_untimed=self.is_untimed,
        )

    def _distance(self, one: Found) -> tuple[bool, float]:
        """Order what is too slow: within the budget first, then by the factor it is late by."""
        budget, usd = self.terms.wish.usd_per_hour, one.usd_per_hour
        is_beyond = budget is not None and (usd is None or usd > budget)
        return is_beyond, lateness(one.plan, self.terms)


def lateness(tried: Plan, terms: Terms) -> float:
    """Return by which factor a plan misses the limit that it misses most; 1 or less: it keeps all.

    Models that yield no text have no time per token.
    """
    late = [0.0]
    first = tried.performance or tried.reading
    if first is not None and terms.ttft_ms is not None:
        late.append(first.ttft_ms / terms.ttft_ms)
    if tried.performance is not None and terms.tpot_ms is not None:
        late.append(tried.performance.tpot_ms / terms.tpot_ms)
    return max(late)


def _ways(
    variant: str, terms: Terms, card: Accelerator, inventory: Inventory, catalog: Catalog
) -> Iterator[Plan]:
    """Yield plans, the most precise format first, then few GPUs, then few replicas."""
    gpus = sum(group.accelerators_per_node * group.count for group in inventory.pool(card))
    asked = PlanRequest(variant, accelerators=(card.name,), max_model_len=terms.context)
    formats: tuple[Quantization, ...] = (Quantization.AUTO,)
    if terms.limits_speed or terms.wish.prefers is Preference.PRICE:
        formats = ladder_of(settle_engine(asked, inventory))
    for quantization in formats:
        for most in counts(min(gpus, MOST_GPUS)):
            for replicas in counts(min(most, terms.wish.users)):
                load = Workload(
                    ceil_div(terms.wish.users, replicas),
                    terms.wish.input_tokens,
                    terms.output_tokens,
                )
                request = replace(
                    asked,
                    quantization=quantization,
                    max_gpus=most,
                    replicas=replicas,
                    workload=load,
                )
                yield from _plans(request, inventory, catalog)


def counts(most: int) -> list[int]:
    """Return the numbers that are tried: powers of two, and all there are.

    >>> counts(6), counts(8)
    ([1, 2, 4, 6], [1, 2, 4, 8])
    """
    powers = [1 << shift for shift in range(most.bit_length()) if 1 << shift <= most]
    return powers if powers[-1:] == [most] else [*powers, most]


def _plans(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> Iterator[Plan]:
    if not has_fit(understand(request, inventory, catalog), inventory):
        return  # plan() would say at length why not
    answer = plan(request, inventory, catalog)
    if isinstance(answer, Plan):
        yield answer
        yield from answer.alternatives
