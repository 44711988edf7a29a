"""Kubernetes' quantities as exact numbers: ``"500m"`` CPU, ``"64Gi"`` memory, ``"1e3"``.

Grammar and suffixes: ``k8s.io/apimachinery@v0.37.2/pkg/api/resource/quantity.go`` (read
2026-11-23).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+))"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,3}))?"
)

_FACTORS: dict[str, Fraction] = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
    "Ei": Fraction(2**60),
}


@lru_cache(maxsize=4096)
def parse(quantity: str | float) -> Fraction:
    """Read a quantity as an exact number of its base unit.

    >>> parse("500m"), parse("64Gi") == 64 * 2**30, parse(1) == parse("1000m")
    (Fraction(1, 2), True, True)

    Raises:
        ValueError: the text is no quantity.
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"no quantity: {quantity!r}")
    number = Fraction(match["number"].rstrip(".") or "0")
    if match["exponent"]:
        return number * Fraction(10) ** int(match["exponent"])
    return number * _FACTORS[match["suffix"]] if match["suffix"] else number


def ceil(quantity: str | float, unit: Fraction | int = 1) -> int:
    """Count units, rounding up as Kubernetes does.

    >>> ceil("1500m"), ceil("0.1", Fraction(1, 1000))
    (2, 100)
    """
    return -((-parse(quantity)) // unit)
