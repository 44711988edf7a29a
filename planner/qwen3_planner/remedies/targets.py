"""Steps that ask for less speed: each target as near to what was asked as anything reaches."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from qwen3_planner.plan import Change
from qwen3_planner.remedies.trying import one
from qwen3_planner.targeting import REQUESTS, TOKENS, TPOT, TTFT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.remedies.trying import Stuck
    from qwen3_planner.targeting import Missed, Shortfall

DIGITS = 3
"""Of a target that is proposed; it is rounded to the side that is surely reached."""

MOST_TRIED = 8
"""Candidates whose figures are tried together, the nearest first."""


def ttft_step(stuck: Stuck) -> Change | None:
    """Allow more time to the first token."""
    return _relaxed(stuck, TTFT)


def tpot_step(stuck: Stuck) -> Change | None:
    """Allow more time per output token."""
    return _relaxed(stuck, TPOT)


def tokens_step(stuck: Stuck) -> Change | None:
    """Ask for fewer output tokens per second."""
    return _relaxed(stuck, TOKENS)


def requests_step(stuck: Stuck) -> Change | None:
    """Let fewer requests arrive."""
    return _relaxed(stuck, REQUESTS)


def more_replicas_step(stuck: Stuck) -> Change | None:
    """Run more copies, where what is asked of all of them together is missed."""
    request, found = stuck.request, set[int]()
    for missed in _missed(stuck):
        for short in missed.shortfalls:
            if not short.is_latency and short.reached:
                found.add(ceil(request.replicas * short.wanted / short.reached))
    more = sorted(count for count in found if count > request.replicas)
    return stuck.first(one("replicas", count) for count in more)


def targets_step(stuck: Stuck) -> Change | None:
    """Relax several targets at once, to what the nearest candidate reaches."""
    nearest = sorted(_missed(stuck), key=lambda missed: max(s.share for s in missed.shortfalls))
    changes = (
        Change(tuple((short.target, _reachable(short)) for short in missed.shortfalls))
        for missed in nearest[:MOST_TRIED]
        if len(missed.shortfalls) > 1 and all(short.reached for short in missed.shortfalls)
    )
    return stuck.first(changes)


def _relaxed(stuck: Stuck, target: str) -> Change | None:
    """Relax one target to the best value that a candidate reaches which misses nothing else."""
    alone = (
        missed.shortfalls[0]
        for missed in _missed(stuck)
        if [short.target for short in missed.shortfalls] == [target]
    )
    values = sorted(
        {_reachable(short) for short in alone if short.reached},
        reverse=target in (TOKENS, REQUESTS),
    )
    return stuck.first(one(target, value) for value in values[:MOST_TRIED] if value > 0)


def _reachable(short: Shortfall) -> float:
    """Round what is reached to the side that it surely meets.

    >>> from qwen3_planner.targeting import Shortfall
    >>> _reachable(Shortfall("tpotMs", 10.0, 12.341)), _reachable(
    ...     Shortfall("outputTokensPerSecond", 5000.0, 1234.5))
    (12.4, 1230.0)
    """
    grain = 10.0 ** (floor(log10(short.reached)) - DIGITS + 1)
    steps = short.reached / grain
    whole = ceil(steps - 1e-9) if short.is_latency else floor(steps + 1e-9)
    return float(f"{whole * grain:.{DIGITS}g}")


def _missed(stuck: Stuck) -> Iterator[Missed]:
    for refused in stuck.solution.refused:
        if refused.missed is not None and refused.missed.shortfalls:
            yield refused.missed
