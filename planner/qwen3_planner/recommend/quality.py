"""Which variant answers better: by published scores alone, compared benchmark by benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_planner.catalog.choosing import Score

Key = tuple[str, str]
"""Variant and mode."""


def scores_by_key(scores: Sequence[Score], benchmark: str) -> dict[Key, Score]:
    """Return the scores on one benchmark."""
    return {(row.variant, row.mode): row for row in scores if row.benchmark == benchmark}


def ordered(
    keys: Sequence[Key],
    scores: Sequence[Score],
    benchmarks: Sequence[str],
    parameters: Mapping[str, int],
) -> list[tuple[Key, Score | None]]:
    """Order variants, best first, each with the score that gave it its place.

    Those with a score on the first benchmark stand by it. One that has none is put in by the next
    benchmark on which it has one: before the first of those already placed that it beats there.
    Those without any score come last, the largest first: no score says that they are better.

    Args:
        keys: variants with the mode in which they answer.
        scores: that were published.
        benchmarks: in the order in which they decide.
        parameters: of each variant, for ties and for those without a score.
    """
    tables = [scores_by_key(scores, benchmark) for benchmark in benchmarks]
    placed: list[tuple[Key, Score | None]] = []
    left = sorted(keys, key=lambda key: (-parameters[key[0]], key))
    for table in tables:
        for key in sorted((key for key in left if key in table), key=lambda key: -table[key].score):
            placed.insert(_place(placed, table, table[key].score), (key, table[key]))
            left.remove(key)
    return placed + [(key, None) for key in left]


def _place(
    placed: Sequence[tuple[Key, Score | None]], table: Mapping[Key, Score], score: float
) -> int:
    """Return the index before the first that is beaten on this benchmark; the end if none is."""
    for index, (key, _) in enumerate(placed):
        if key in table and table[key].score < score:
            return index
    return len(placed)
