"""What holds whatever the load does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_operator.decisions.scaling import MEMORY_S, decide
from qwen3_operator.decisions.scaling.samples import History, Sample
from support.depth import examples
from support.loads import INTERVAL_S, NOW, NOW_S, situation, wish

if TYPE_CHECKING:
    from qwen3_planner.api.scaling import ScalingSpec

TARGETS = (
    {"waitingRequests": 2},
    {"kvCacheUsagePercent": 80},
    {"outputTokensPerSecond": 500},
    {"ttftMs": 500, "latencyPercentile": 90},
    {"waitingRequests": 4, "kvCacheUsagePercent": 70, "tpotMs": 40},
)

targets = st.sampled_from(TARGETS)
loads = st.tuples(
    st.floats(0, 300), st.floats(0, 300), st.floats(0, 1), st.floats(0, 9000), st.floats(0, 5)
)
Load = tuple[float, float, float, float, float]


def sample_of(load: Load, age_s: float, replicas: int) -> Sample:
    running, waiting, kv_cache, tokens, seconds = load
    return Sample(
        NOW_S - age_s, replicas, running, waiting, tokens, kv_cache, seconds, seconds / 10
    )


def history_of(every: list[Load], replicas: int) -> History:
    """Make a history of these loads, the last one now, without a hole."""
    ages = [INTERVAL_S * number for number in range(len(every) - 1, -1, -1)]
    return History(
        tuple(sample_of(load, age, replicas) for load, age in zip(every, ages, strict=True))
    )


@given(
    target=targets,
    every=st.lists(loads, min_size=1, max_size=40),
    current=st.integers(0, 12),
    ready=st.integers(1, 12),
    fits=st.integers(0, 12),
    bounds=st.tuples(st.integers(1, 8), st.integers(1, 8)),
)
def test_never_above_what_is_allowed_or_fits_never_below_the_minimum(  # noqa: PLR0913, PLR0917 - all of it varies
    target: dict[str, int],
    every: list[Load],
    current: int,
    ready: int,
    fits: int,
    bounds: tuple[int, int],
) -> None:
    low, high = min(bounds), max(bounds)
    scaling = wish(minReplicas=low, maxReplicas=high, targets=target)
    on = situation(
        scaling, current=current, ready=ready, fits=fits, history=history_of(every, ready)
    )
    replicas = decide(on).replicas
    if current == 0:
        assert replicas == 0
        return
    assert low <= replicas <= high
    if replicas > max(current, low):
        assert replicas <= fits


@given(
    target=targets,
    every=st.lists(st.tuples(loads, loads), min_size=1, max_size=30),
    current=st.integers(1, 9),
)
def test_more_load_never_asks_for_fewer(
    target: dict[str, int], every: list[tuple[Load, Load]], current: int
) -> None:
    """Each moment of the second history bears at least what that of the first one does."""
    scaling = wish(targets=target)
    less = [first for first, _ in every]
    more = [
        (
            first[0] + extra[0],
            first[1] + extra[1],
            min(1.0, first[2] + extra[2]),
            first[3] + extra[3],
            first[4] + extra[4],
        )
        for first, extra in every
    ]
    on = situation(scaling, current=current, history=history_of(less, current))
    heavier = replace(on, history=history_of(more, current))
    assert decide(heavier).replicas >= decide(on).replicas


@given(
    target=targets,
    every=st.lists(loads, min_size=1, max_size=30),
    current=st.integers(1, 9),
    age_s=st.floats(61, 10_000),
)
def test_old_readings_move_nothing(
    target: dict[str, int], every: list[Load], current: int, age_s: float
) -> None:
    on = situation(wish(targets=target), current=current, history=history_of(every, current))
    later = replace(on, now=on.now + timedelta(seconds=age_s))
    decision = decide(later)
    assert (decision.replicas, decision.is_active) == (current, False)


@dataclass
class Fleet:
    """Servers that bear so many requests each and let the others wait, and what decides.

    Attributes:
        scaling: the wish.
        bears: requests that one server works on at a time.
        starts_in: readings until a new server answers.
    """

    scaling: ScalingSpec
    bears: float
    starts_in: int
    current: int = 1
    step_s: int = 60
    history: deque[Sample] = field(default_factory=deque)
    counts: list[int] = field(default_factory=list)

    def live(self, load: float, steps: int) -> None:
        """Bear a load for so many readings."""
        for _ in range(steps):
            number = len(self.counts)
            since = self.counts[max(0, number - self.starts_in) :]
            answering = max(1, min([*since, self.current]))
            time_s = NOW_S + number * self.step_s
            running = min(load, answering * self.bears)
            usage = running / (answering * self.bears)
            self.history.append(
                Sample(
                    time_s,
                    answering,
                    running,
                    load - running,
                    tokens_per_s=running * 30,
                    kv_cache=usage,
                    ttft_s=0.2 + (load - running) / self.bears,
                    tpot_s=0.02 + 0.02 * usage,
                )
            )
            while self.history[0].time_s < time_s - MEMORY_S:
                self.history.popleft()
            on = situation(
                self.scaling,
                current=self.current,
                ready=answering,
                now=NOW + timedelta(seconds=number * self.step_s),
                interval_s=self.step_s,
                history=History(tuple(self.history)),
            )
            self.current = decide(on).replicas
            self.counts.append(self.current)

    def turns(self) -> int:
        """Count how often the number went the other way."""
        changes = [after - before for before, after in pairwise(self.counts)]
        moves = [change for change in changes if change]
        return sum(before * after < 0 for before, after in pairwise(moves))


PRESSED = st.sampled_from(
    ({"waitingRequests": 2}, {"ttftMs": 900}, {"waitingRequests": 3, "kvCacheUsagePercent": 85})
)


@pytest.mark.thorough
@settings(max_examples=examples(40), deadline=None)
@given(
    target=PRESSED,
    load=st.floats(0, 90),
    bears=st.floats(4, 20),
    starts_in=st.integers(0, 8),
    begins_with=st.integers(1, 10),
)
def test_under_a_steady_load_the_number_comes_to_rest(
    target: dict[str, int], load: float, bears: float, starts_in: int, begins_with: int
) -> None:
    """With one less is tried at most once an hour whether that would do; else nothing moves."""
    fleet = Fleet(wish(targets=target), bears, starts_in, current=begins_with)
    hours = 3
    fleet.live(load, steps=hours * 60)
    assert fleet.turns() <= 1 + 2 * hours


@settings(max_examples=examples(30), deadline=None)
@given(load=st.floats(0, 90), bears=st.floats(4, 20), starts_in=st.integers(0, 8))
def test_a_share_comes_to_rest_for_good(load: float, bears: float, starts_in: int) -> None:
    """What divides among the replicas says at once how many are enough: nothing goes back."""
    fleet = Fleet(wish(targets={"outputTokensPerSecond": 250}), bears, starts_in, current=5)
    fleet.live(load, steps=60)
    rested = fleet.counts[-20:]
    assert len(set(rested)) == 1


@pytest.mark.thorough
@settings(max_examples=examples(30), deadline=None)
@given(load=st.floats(20, 90), bears=st.floats(4, 20), starts_in=st.integers(0, 8))
def test_it_grows_until_nothing_waits_and_goes_back_when_nobody_asks(
    load: float, bears: float, starts_in: int
) -> None:
    fleet = Fleet(wish(maxReplicas=40), bears, starts_in)
    fleet.live(load, steps=120)
    assert fleet.current * bears >= load - fleet.current * 1.1, "more would wait than is allowed"
    fleet.live(0, steps=400)
    assert fleet.current == 1
