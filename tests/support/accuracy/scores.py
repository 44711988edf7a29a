"""Errors summed up: median, ninetieth percentile, worst; coverage; the verdicts as a table."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from support.accuracy.comparing import Comparison, Figure, Verdict


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of a group of figures, without their sign, as shares."""

    rows: int
    median: float
    p90: float
    worst: float
    worst_id: str


def score(figures: Sequence[Figure]) -> Score:
    """Sum up the errors of at least one figure.

    Raises:
        ValueError: there is none.
    """
    if not figures:
        raise ValueError("no figure")
    errors = sorted((abs(figure.error), figure.id) for figure in figures)
    sizes = [size for size, _ in errors]
    worst, worst_id = errors[-1]
    return Score(len(sizes), median(sizes), percentile(sizes, 90), worst, worst_id)


def percentile(ordered: Sequence[float], share: int) -> float:
    """Return the smallest value that this share (in per cent) of the values does not exceed.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 90), percentile([1.0, 2.0], 50)
    (4.0, 1.0)
    """
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the truth lies in the 90 % interval, and how wide that is."""

    rows: int
    inside: int
    median_width: float

    @property
    def share(self) -> float:
        """Of the rows that lie inside."""
        return self.inside / self.rows


def coverage(figures: Iterable[Figure]) -> Coverage | None:
    """Sum up the intervals; None where no figure has one."""
    with_one = [figure for figure in figures if figure.is_inside is not None]
    if not with_one:
        return None
    widths = [figure.width for figure in with_one if figure.width is not None]
    inside = sum(figure.is_inside is True for figure in with_one)
    return Coverage(len(with_one), inside, median(widths))


@dataclass(frozen=True, slots=True)
class Confusion:
    """Verdicts by what happened and what the planner says."""

    starts_rightly: int
    refuses_rightly: int
    starts_wrongly: tuple[Verdict, ...]
    refuses_wrongly: tuple[Verdict, ...]

    @property
    def rows(self) -> int:
        """All verdicts."""
        wrong = len(self.starts_wrongly) + len(self.refuses_wrongly)
        return self.starts_rightly + self.refuses_rightly + wrong

    @property
    def share_right(self) -> float:
        """Of all verdicts."""
        return (self.starts_rightly + self.refuses_rightly) / self.rows


def confusion(verdicts: Iterable[Verdict]) -> Confusion:
    """Sort verdicts into right and wrong ones."""
    told = tuple(verdicts)
    return Confusion(
        starts_rightly=sum(v.started and v.planned for v in told),
        refuses_rightly=sum(not v.started and not v.planned for v in told),
        starts_wrongly=tuple(v for v in told if v.planned and not v.started),
        refuses_wrongly=tuple(v for v in told if v.started and not v.planned),
    )


@dataclass(frozen=True, slots=True)
class Target:
    """What the planner promises of its tested rows, and what it keeps.

    Attributes:
        name: what is promised.
        limit: the promise, as a share.
        value: what is measured; None where there is no row.
        at_least: whether more is better.
        at_most: an upper end beside a lower one; None where there is none.
        digits: after the point, in per cent.
        rows: that it is measured on.
    """

    name: str
    limit: float
    value: float | None
    at_least: bool = False
    at_most: float | None = None
    digits: int = 2
    rows: int = 0

    @property
    def is_met(self) -> bool | None:
        """Whether it is kept; None where there is no row."""
        if self.value is None:
            return None
        if not self.at_least:
            return self.value <= self.limit
        return self.limit <= self.value <= (1.0 if self.at_most is None else self.at_most)


def targets(comparison: Comparison) -> tuple[Target, ...]:
    """Judge the tested rows by what was promised."""
    tested = [figure for figure in comparison.figures if not figure.is_fitted]
    plain = [f for f in tested if f.part == "weights" and f.quantization in ("bf16", "fp16")]
    other = [f for f in tested if f.part == "weights" and f not in plain]
    cache = [f for f in tested if f.part == "kv" and f.is_stated]
    gguf = [f for f in tested if f.part == "size" and f.quantization.startswith("gguf:")]
    covered = coverage(cache)
    told = confusion(v for v in comparison.verdicts if not v.is_fitted)
    return (
        Target(
            "weights per GPU, 16 bit: median", 0.001, _of(plain, _median), digits=3, rows=len(plain)
        ),
        Target(
            "weights per GPU, 16 bit: worst", 0.005, _of(plain, _worst), digits=3, rows=len(plain)
        ),
        Target(
            "weights per GPU, quantized: median",
            0.005,
            _of(other, _median),
            digits=3,
            rows=len(other),
        ),
        Target(
            "weights per GPU, quantized: worst", 0.02, _of(other, _worst), digits=3, rows=len(other)
        ),
        Target("KV cache: median", 0.03, _of(cache, _median), rows=len(cache)),
        Target("KV cache: 90th percentile", 0.08, _of(cache, _p90), rows=len(cache)),
        Target(
            "KV cache: truth inside the 90 % interval",
            0.85,
            covered.share if covered else None,
            at_least=True,
            at_most=0.97,
            rows=len(cache),
        ),
        Target(
            "starts or not: right",
            0.95,
            told.share_right if told.rows else None,
            at_least=True,
            rows=told.rows,
        ),
        Target("GGUF files: worst", 0.005, _of(gguf, _worst), digits=3, rows=len(gguf)),
    )


def _of(figures: Sequence[Figure], view: Callable[[Score], float]) -> float | None:
    return view(score(figures)) if figures else None


def _median(found: Score) -> float:
    return found.median


def _p90(found: Score) -> float:
    return found.p90


def _worst(found: Score) -> float:
    return found.worst
