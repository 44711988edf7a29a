"""Bytes and how to say them. Every size inside the planner is an integer number of bytes."""

KIB = 1024
MIB = 1024**2
GIB = 1024**3


def gib(n_bytes: float) -> float:
    """Convert bytes to GiB.

    >>> gib(3 * GIB)
    3.0
    """
    return n_bytes / GIB


def format_gib(n_bytes: float) -> str:
    """Say a size in GiB with one decimal, two below 10 GiB.

    >>> format_gib(65524249600), format_gib(1202590843)
    ('61.0 GiB', '1.12 GiB')
    """
    value = gib(n_bytes)
    return f"{value:.2f} GiB" if abs(value) < 10 else f"{value:.1f} GiB"  # noqa: PLR2004 - three significant digits


SECOND_MS = 1000.0
THREE_DIGITS = 100.0
"""From here on a number has three digits before the point."""


def format_ms(value: float) -> str:
    """Say a time: three digits at most.

    >>> format_ms(7.384), format_ms(153.2), format_ms(4678.0)
    ('7.4 ms', '153 ms', '4.7 s')
    """
    if value >= SECOND_MS:
        return f"{value / SECOND_MS:.1f} s"
    return f"{value:.1f} ms" if value < THREE_DIGITS else f"{value:.0f} ms"


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide integers, rounding up.

    >>> ceil_div(40960, 16), ceil_div(40961, 16)
    (2560, 2561)
    """
    return -(-numerator // denominator)


def round_up(value: int, multiple: int) -> int:
    """Round an integer up to a multiple.

    >>> round_up(151936, 64), round_up(3, 2)
    (151936, 4)
    """
    return ceil_div(value, multiple) * multiple
