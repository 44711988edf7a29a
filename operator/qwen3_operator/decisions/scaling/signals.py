"""How many replicas a moment's load asks for.

Two kinds of signals. A *share* (KV cache, tokens per second) divides among the replicas: with twice
as many, each has half. So it says exactly how many are enough, in both directions. A *pressure*
(waiting requests, latencies) is nothing while replicas can bear the load and grows without bound
when they cannot: it says that more are needed, and where there is none, that one fewer may do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.decisions.scaling.samples import Sample
    from qwen3_planner.api.scaling import ScalingTargets

TOLERANCE = 0.1
"""Within a tenth of the target nothing changes; the HorizontalPodAutoscaler's default."""

GROWTH = 2
"""Times as many replicas as tell of themselves, at most, in one step: those that were asked for
and still load their weights have to show first what they bear."""

DEFAULT_WAITING_REQUESTS = 1
"""Target where none is given: an engine lets requests wait only when it has no room for them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one signal asks for at one moment.

    Attributes:
        field: of spec.scaling.targets.
        value: as it was read, in the unit of the field.
        target: of the field.
        is_pressure: which kind of signal it is.
    """

    field: str
    value: float
    target: float
    is_pressure: bool

    @property
    def ratio(self) -> float:
        """How much of the target there is; 1 is exactly it."""
        return self.value / self.target

    @property
    def is_pressed(self) -> bool:
        """Whether it is surely above its target."""
        return self.ratio > 1 + TOLERANCE

    def replicas(self, now: int) -> int:
        """Return how many replicas it asks for where there are `now`."""
        if self.is_pressure and not self.is_pressed:
            may_go = now > 1 and self.ratio * now / (now - 1) < 1 - TOLERANCE
            return now - 1 if may_go else now
        if abs(self.ratio - 1) <= TOLERANCE:
            return now
        return min(GROWTH * now, math.ceil(now * self.ratio))

    def __str__(self) -> str:
        """Say it for an Event."""
        return f"{self.field} is {self.value:.4g}, its target {self.target:.4g}"


def targets_in_words(targets: ScalingTargets) -> str:
    """Say what decides."""
    return ", ".join(f"{field} {target}" for field, target in _given(targets).items())


def unknown_fields(sample: Sample, targets: ScalingTargets) -> list[str]:
    """Name the targets about which this moment says nothing."""
    return [field for field in _given(targets) if _value(field, sample) is None]


def asked(sample: Sample, targets: ScalingTargets) -> tuple[Asked, ...]:
    """Return what each signal asks for, the strongest first."""
    found = tuple(_each(sample, targets))
    return tuple(sorted(found, key=lambda one: -one.replicas(sample.replicas)))


def _each(sample: Sample, targets: ScalingTargets) -> Iterator[Asked]:
    for field, target in _given(targets).items():
        value = _value(field, sample)
        if value is not None:
            yield Asked(field, value, float(target), is_pressure=field in _PRESSURES)


_PRESSURES = frozenset({"waitingRequests", "ttftMs", "tpotMs"})


def _given(targets: ScalingTargets) -> dict[str, int]:
    wishes = {
        "waitingRequests": targets.waiting_requests,
        "kvCacheUsagePercent": targets.kv_cache_usage_percent,
        "outputTokensPerSecond": targets.output_tokens_per_second,
        "ttftMs": targets.ttft_ms,
        "tpotMs": targets.tpot_ms,
    }
    given = {field: target for field, target in wishes.items() if target is not None}
    return given or {"waitingRequests": DEFAULT_WAITING_REQUESTS}


def _value(field: str, sample: Sample) -> float | None:
    """Return what was read, in the unit of the field; None where it is not known.

    An engine that has served nothing yet may lack its histograms: while nobody asks, nobody waits.
    """
    match field:
        case "waitingRequests":
            return sample.waiting / sample.replicas
        case "kvCacheUsagePercent":
            return None if sample.kv_cache is None else sample.kv_cache * 100
        case "outputTokensPerSecond":
            tokens = sample.tokens_per_s
            return None if tokens is None else tokens / sample.replicas
        case _:
            seconds = sample.ttft_s if field == "ttftMs" else sample.tpot_s
            if seconds is None:
                return 0.0 if sample.is_idle else None
            return seconds * 1000
