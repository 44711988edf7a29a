"""What was read of the load, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_operator.decisions.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Sample:
    """The load at one moment, all replicas together unless said otherwise.

    Attributes:
        time_s: Unix time.
        replicas: that told of themselves.
        running: requests being worked on.
        waiting: requests that wait inside the engines.
        tokens_per_s: generated; None where the engines do not tell.
        kv_cache: used share, mean of the replicas, in [0, 1]; None likewise.
        ttft_s: percentile asked for; 0 where no request began, None where the engines do not tell.
        tpot_s: the same between output tokens.
    """

    time_s: float
    replicas: int
    running: float
    waiting: float
    tokens_per_s: float | None = None
    kv_cache: float | None = None
    ttft_s: float | None = None
    tpot_s: float | None = None

    @property
    def in_flight(self) -> float:
        """Requests that run or wait."""
        return self.running + self.waiting

    @property
    def is_idle(self) -> bool:
        """Whether surely nobody asks for anything."""
        return self.in_flight == 0 and self.tokens_per_s == 0


@dataclass(frozen=True, slots=True)
class Call:
    """What the wake query said at one moment; above 0 somebody asks for the model."""

    time_s: float
    value: float


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the load, oldest first.

    Attributes:
        samples: of the engines.
        calls: of the wake query.
        problem: why the last reading failed or made no sense; None where it did not.
        call_problem: the same of the wake query.
    """

    samples: tuple[Sample, ...] = ()
    calls: tuple[Call, ...] = ()
    problem: Verdict | None = None
    call_problem: Verdict | None = None


def since(samples: Sequence[Sample], start_s: float) -> tuple[Sample, ...]:
    """Return the samples from that time on."""
    return tuple(sample for sample in samples if sample.time_s >= start_s)


def covers(times_s: Sequence[float], start_s: float, now_s: float, gap_s: float) -> bool:
    """Whether readings reach from `start_s` until now without a gap longer than `gap_s`.

    >>> covers([0.0, 10.0, 20.0], 5.0, 25.0, 10.0), covers([0.0, 20.0], 5.0, 25.0, 10.0)
    (True, False)
    """
    before = [time for time in times_s if time <= start_s]
    inside = [time for time in times_s if start_s < time <= now_s]
    edges = [*before[-1:], *inside]
    if not edges or edges[0] > start_s + gap_s or edges[-1] < now_s - gap_s:
        return False
    return all(later - earlier <= gap_s for earlier, later in pairwise(edges))
