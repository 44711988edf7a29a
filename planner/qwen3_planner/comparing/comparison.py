"""The answer to "serve it ourselves, or buy tokens?" as frozen values.

Volumes are whole requests a day, so that every boundary is one that can be counted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.economics.staircase import Crossing, Staircase

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import ApiPrice
    from qwen3_planner.economics.hosts import Usage
    from qwen3_planner.economics.rates import GpuRate
    from qwen3_planner.plan import Plan

__all__ = ["AtVolume", "Comparison", "CostPoint", "Crossing", "Host", "Mode", "Serving"]


@dataclass(frozen=True, slots=True)
class Serving:
    """Own GPUs that serve one kind of request.

    Attributes:
        plan: of one replica.
        concurrency: requests in flight per replica at the capacity that counts.
        capacity_per_day: requests that one replica answers in the hours it runs, peaks allowed for.
        capacity_low: lower end of its 90 % interval.
        capacity_high: upper end.
        gpus: of one replica.
        staircase: what so many requests a day cost; a step up for every replica.
        kwh_per_million: energy over the tokens that count, at capacity: those generated, or those
            read where none are; None where the power of the device is not known.
        usd_per_million: all that is paid over the same tokens, at capacity.
        replicas_here: that the hardware named has room for.
    """

    plan: Plan
    concurrency: int
    capacity_per_day: int
    capacity_low: int
    capacity_high: int
    gpus: int
    staircase: Staircase
    kwh_per_million: float | None
    usd_per_million: float
    replicas_here: int


@dataclass(frozen=True, slots=True)
class Host:
    """A host that sells the same tokens.

    Attributes:
        price: that it asks, with source and date.
        usd_per_request: of one request of the kind.
        crossing: where its bill crosses that of own GPUs.
        share_of_capacity: of one replica, at which both bills are equal; above 1 own GPUs are
            dearer per token even when they are full.
        share_low: with the upper end of the capacity.
        share_high: with the lower end.
    """

    price: ApiPrice
    usd_per_request: float
    crossing: Crossing
    share_of_capacity: float
    share_low: float
    share_high: float

    @property
    def is_sure(self) -> bool:
        """Whether the whole interval of the capacity gives the same verdict."""
        return (self.share_low < 1.0) == (self.share_high < 1.0)


@dataclass(frozen=True, slots=True)
class CostPoint:
    """Both bills at one volume, for a curve.

    Attributes:
        requests_per_day: volume.
        tokens_per_day: input and generated tokens at that volume.
        replicas: of own GPUs.
        own_usd_per_day: what they cost.
        host_usd_per_day: what each host asks, in the order of :attr:`Mode.hosts`.
    """

    requests_per_day: int
    tokens_per_day: int
    replicas: int
    own_usd_per_day: float
    host_usd_per_day: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AtVolume:
    """Both bills at the volume that was asked about.

    Attributes:
        point: the bills.
        busy: share of the replicas' capacity that is used.
        own_usd_per_million: of own GPUs, over input and generated tokens together.
        cheapest: index of the cheapest host; None where own GPUs are cheaper than every one.
    """

    point: CostPoint
    busy: float
    own_usd_per_million: float
    cheapest: int | None


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of answering: with or without thinking, or none: reading alone.

    Attributes:
        name: ``thinking``, ``non-thinking``, or ``reading`` of models that generate no tokens.
        usage: tokens of each request.
        serving: own GPUs.
        hosts: cheapest first.
        curve: volume against cost, least volume first; every step of the stairs is in it as two
            neighbouring points.
        at: the volume that was asked about; None where none was.
    """

    name: str
    usage: Usage
    serving: Serving
    hosts: tuple[Host, ...]
    curve: tuple[CostPoint, ...]
    at: AtVolume | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole answer.

    Attributes:
        variant: catalog name.
        accelerator: catalog name.
        rate: what an hour of one GPU costs, and why.
        hours_per_day: that the GPUs run.
        peak: how much busier the busiest hour is than the mean one.
        modes: non-thinking first.
        warnings: what the reader should know.
    """

    variant: str
    accelerator: str
    rate: GpuRate
    hours_per_day: float
    peak: float
    modes: tuple[Mode, ...]
    warnings: tuple[str, ...] = ()
