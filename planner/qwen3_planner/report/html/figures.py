"""Figures as people read them on a page."""

from __future__ import annotations

from qwen3_planner.units import gib

THOUSAND, MILLION, BILLION = 1e3, 1e6, 1e9
SECOND_MS, MINUTE_S = 1e3, 60.0
TEN_MINUTES_S = 600.0
HUNDRED = 100.0

NARROW = "\u202f"
"""Between a number and its unit: a space at which no line ends."""

DASH = "\u2013"


def compact(value: float) -> str:
    """Write a number in four characters or so, for the ticks of an axis.

    >>> compact(0), compact(0.5), compact(1500), compact(250_000), compact(3e6), compact(2e9)
    ('0', '0.5', '1.5k', '250k', '3M', '2G')
    """
    for size, letter in ((BILLION, "G"), (MILLION, "M"), (THOUSAND, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """Say a time with its unit.

    >>> duration(0.0147).replace(NARROW, " "), duration(0.25).replace(NARROW, " ")
    ('14.7 ms', '250 ms')
    >>> duration(4.678).replace(NARROW, " "), duration(600).replace(NARROW, " ")
    ('4.68 s', '10 min')
    """
    if seconds >= TEN_MINUTES_S:
        return f"{seconds / MINUTE_S:.3g}{NARROW}min"
    if seconds >= 1:
        return f"{seconds:.3g}{NARROW}s"
    return f"{seconds * SECOND_MS:.3g}{NARROW}ms"


def tick_duration(seconds: float) -> str:
    """Say a time beside an axis, where there is room for little.

    >>> tick_duration(1000).replace(NARROW, " "), tick_duration(0.3).replace(NARROW, " ")
    ('17 min', '300 ms')
    """
    if seconds >= TEN_MINUTES_S:
        return f"{seconds / MINUTE_S:.0f}{NARROW}min"
    return duration(seconds)


def milliseconds(value: float) -> str:
    """Say a time that is given in milliseconds."""
    return duration(value / SECOND_MS)


def whole(value: float) -> str:
    """Write a figure: three digits below a hundred, whole above, thousands set apart.

    >>> whole(3.14159), whole(66.62), whole(862.3), whole(12345.6)
    ('3.14', '66.6', '862', '12,346')
    """
    return f"{value:.3g}" if abs(value) < HUNDRED else f"{value:,.0f}"


def dollars(value: float) -> str:
    """Say an amount of money.

    >>> dollars(0.0734), dollars(7.05), dollars(123.4), dollars(45678)
    ('$0.0734', '$7.05', '$123', '$45,678')
    """
    if value and abs(value) < 1:
        return f"${value:.3g}"
    return f"${value:.2f}" if abs(value) < HUNDRED else f"${value:,.0f}"


def size(n_bytes: float) -> str:
    """Say a size in GiB with its unit.

    >>> size(32_840_919_040).replace(NARROW, " ")
    '30.59 GiB'
    """
    return f"{bare_size(n_bytes)}{NARROW}GiB"


def bare_size(n_bytes: float) -> str:
    """Say a size in GiB without the unit."""
    return f"{gib(n_bytes):.2f}"


def share(part: float, whole_: float) -> str:
    """Say a part as a share of the whole.

    >>> share(1, 3), share(1, 1000), share(0, 5)
    ('33%', '0.1%', '0%')
    """
    percent = 100 * part / whole_ if whole_ else 0.0
    return f"{percent:.0f}%" if percent >= 1 or percent == 0 else f"{percent:.1f}%"


def between(low: str, high: str) -> str:
    """Say an interval.

    >>> between("1.2", "3.4") == f"1.2{DASH}3.4"
    True
    """
    return f"{low}{DASH}{high}"
