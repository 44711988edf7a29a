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
