"""Kubernetes' quantities as exact numbers: ``"500m"`` CPU, ``"64Gi"`` memory, ``"1e3"``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.inventory.quantities import parse_quantity

if TYPE_CHECKING:
    from fractions import Fraction


@lru_cache(maxsize=4096)
def parse(quantity: str | float) -> Fraction:
    """Read a quantity as an exact number of its base unit.

    >>> parse("500m"), parse("64Gi") == 64 * 2**30, parse(1) == parse("1000m")
    (Fraction(1, 2), True, True)

    Raises:
        ValueError: the text is no quantity.
    """
    amount = parse_quantity(quantity)
    if amount is None:
        raise ValueError(f"no quantity: {quantity!r}")
    return amount


def ceil(quantity: str | float, unit: Fraction | int = 1) -> int:
    """Count units, rounding up as Kubernetes does.

    >>> from fractions import Fraction
    >>> ceil("1500m"), ceil("0.1", Fraction(1, 1000))
    (2, 100)
    """
    return -((-parse(quantity)) // unit)
