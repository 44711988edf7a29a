"""From values to places on an axis, and where an axis is labelled."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

STEPS = (1.0, 2.0, 5.0, 10.0)
"""Between two ticks, times a power of ten."""

MOST_STEPS = 6
"""Of an axis with equal steps."""

SHORT_DECADES = 1.4
"""A logarithmic axis that spans fewer is labelled at 1, 2 and 5, up to twice as many at 1 and 3."""


class Scale(Protocol):
    """An axis: ``at`` returns the place of a value, ``ticks`` the values to label."""

    def at(self, value: float) -> float:
        """Return the place of a value; beyond the ends of the axis, that of the end."""
        ...

    def ticks(self) -> tuple[float, ...]:
        """Return the values to label, least first."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """Equal steps for equal differences.

    Attributes:
        low: value at the start.
        high: value at the end.
        start: place of the first.
        end: place of the last.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        kept = min(max(value, self.low), self.high)
        return self.start + (self.end - self.start) * (kept - self.low) / (self.high - self.low)

    def ticks(self) -> tuple[float, ...]:
        """Return round values, from four to seven of them.

        >>> Linear(0, 2600, 0, 1).ticks()
        (0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0)
        """
        step = _step((self.high - self.low) / MOST_STEPS)
        first, last = ceil(self.low / step), floor(self.high / step)
        return tuple(index * step for index in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """Equal steps for equal ratios; the same attributes, both values above zero."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        kept = min(max(value, self.low), self.high)
        along = log10(kept / self.low) / log10(self.high / self.low)
        return self.start + (self.end - self.start) * along

    def ticks(self) -> tuple[float, ...]:
        """Return round values, from three to seven of them.

        >>> Logarithmic(1, 500, 0, 1).ticks(), Logarithmic(3, 12, 0, 1).ticks()
        ((1.0, 3.0, 10.0, 30.0, 100.0, 300.0), (5.0, 10.0))
        """
        decades = log10(self.high / self.low)
        digits: tuple[float, ...] = (1.0,)
        if decades <= SHORT_DECADES:
            digits = (1.0, 2.0, 5.0)
        elif decades <= 2 * SHORT_DECADES:
            digits = (1.0, 3.0)
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        found = [float(f"{digit}e{power}") for power in powers for digit in digits]
        return tuple(value for value in found if self.low <= value <= self.high)


def linear(values: Iterable[float], start: float, end: float) -> Linear:
    """Return an axis from zero to a little above the values.

    >>> linear([3.0, 240.0], 0, 1).high
    250.0
    """
    most = max(values, default=0.0) or 1.0
    step = _step(most / MOST_STEPS) / 2
    return Linear(0.0, ceil(most * 1.02 / step) * step, start, end)


def logarithmic(values: Iterable[float], start: float, end: float) -> Logarithmic:
    """Return an axis that holds the values, and never less than a factor of three."""
    kept = [value for value in values if value > 0] or [1.0]
    low, high = min(kept), max(kept)
    if high < 3 * low:
        middle = (low * high) ** 0.5
        low, high = middle / 3**0.5, middle * 3**0.5
    return Logarithmic(low, high, start, end)


def _step(rough: float) -> float:
    """Return the round step next above a rough one.

    >>> _step(0.03), _step(480.0)
    (0.05, 500.0)
    """
    power = floor(log10(rough))
    return next(
        float(f"{digit}e{power}") for digit in STEPS if float(f"{digit}e{power}") >= rough * 0.999
    )
