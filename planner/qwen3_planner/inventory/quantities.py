"""Kubernetes' notation of amounts: ``8``, ``500m``, ``64Gi``, ``1.5G``, ``1e3``."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(
    r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)"
)
_BINARY = {f"{letter}i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {letter: Fraction(1000) ** power for power, letter in enumerate("kMGTPE", 1)}
_SMALL = {letter: Fraction(1, 1000**power) for power, letter in enumerate("mun", 1)}
_FACTORS = {**_BINARY, **_DECIMAL, **_SMALL}


def parse_quantity(value: object) -> Fraction | None:
    """Read an amount exactly; None where it is absent or not one.

    >>> int(parse_quantity("64Gi")), float(parse_quantity("95500m")), int(parse_quantity(8))
    (68719476736, 95.5, 8)
    >>> parse_quantity("lots") is None
    True
    """
    match = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if match is None or isinstance(value, bool):
        return None
    number, exponent, suffix = match.groups()
    if exponent:
        return Fraction(number) * Fraction(10) ** int(exponent[1:])
    return Fraction(number) * _FACTORS.get(suffix or "", Fraction(1))
