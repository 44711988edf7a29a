"""Joining what was planned with what was measured elsewhere: each counts by how sure it is."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Observation(NamedTuple):
    """A deviation that was measured.

    Attributes:
        value: measured minus planned.
        sigma: how far it may be off for the plan at hand, one standard deviation.
        is_same: whether it is of the very same start: what was planned then counts no more.
    """

    value: float
    sigma: float
    is_same: bool = False


class Joined(NamedTuple):
    """What a plan should add, and how sure that is.

    Attributes:
        value: to add.
        sigma: one standard deviation of what is still left; above that of the plan alone only
            where the very same was measured several times and scatters more.
    """

    value: float
    sigma: float


def join(prior_sigma: float, observations: Sequence[Observation], floor: float = 0.0) -> Joined:
    """Join a plan (deviation 0, its own sigma) with what was measured, by inverse variance.

    Args:
        prior_sigma: of the plan alone.
        observations: of like things.
        floor: below which the error does not fall, however many there are: what they share.

    >>> join(2.0, [Observation(1.0, 2.0)])
    Joined(value=0.5, sigma=1.414213562373095)
    >>> join(2.0, [Observation(1.0, 2.0)], floor=9.0)
    Joined(value=0.5, sigma=2.0)
    >>> join(2.0, [Observation(1.0, 0.1, is_same=True), Observation(9.0, 2.0)])
    Joined(value=1.0, sigma=0.1)
    """
    same = [each for each in observations if each.is_same]
    if same:
        return _of_same(prior_sigma, same)
    if prior_sigma == 0.0 or not observations:
        return Joined(0.0, prior_sigma)
    weights = [1.0 / each.sigma**2 for each in observations]
    whole = 1.0 / prior_sigma**2 + sum(weights)
    pairs = zip(weights, observations, strict=True)
    value = sum(weight * each.value for weight, each in pairs) / whole
    return Joined(value, min(prior_sigma, max(floor, 1.0 / sqrt(whole))))


def _of_same(prior_sigma: float, same: Sequence[Observation]) -> Joined:
    """Take the mean of repeated measurements; where they scatter more, that is how sure it is."""
    mean = sum(each.value for each in same) / len(same)
    scatter = sqrt(sum((each.value - mean) ** 2 for each in same) / len(same))
    sure = min(prior_sigma, max(each.sigma for each in same))
    return Joined(mean, max(sure, scatter))
