"""What a GPU costs per hour, from a catalog of dated prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from qwen3_planner.catalog.figures import GpuPrice

STALE_AFTER_DAYS = 120
"""GPU-hour prices moved by a third within such a time in 2026 (RunPod's H100 between August and
November)."""


MIDDLE_OF_NORMAL = 0.674
"""Standard deviations within which half of a normal distribution lies."""


@dataclass(frozen=True, slots=True)
class Rent:
    """The going rate of one GPU.

    Attributes:
        usd_per_hour: the middle of what providers ask, each counted once with its newest price.
        low: the lowest of them.
        high: the highest of them.
        spread: standard deviation of what they ask, relative, as their middle deviation shows it.
        offers: how many providers.
        as_of: the newest date among them; empty where none states one.
        sources: where they were read, each once.
    """

    usd_per_hour: float
    low: float
    high: float
    spread: float
    offers: int
    as_of: str
    sources: tuple[str, ...] = ()


def rent_of(prices: Iterable[GpuPrice], accelerator: str, market: str = "on-demand") -> Rent | None:
    """Return the going rate of an accelerator; None where nobody's price is known.

    Args:
        prices: of all accelerators and markets.
        accelerator: catalog name; case does not matter.
        market: ``on-demand``, ``spot`` or ``reserved``.
    """
    newest: dict[str, GpuPrice] = {}
    for row in prices:
        if row.accelerator.lower() != accelerator.lower() or row.market != market:
            continue
        known = newest.get(row.provider)
        is_newer = known is None or row.as_of > known.as_of
        is_cheaper = (
            known is not None and row.as_of == known.as_of and row.usd_per_hour < known.usd_per_hour
        )
        if is_newer or is_cheaper:
            newest[row.provider] = row
    if not newest:
        return None
    asked = sorted(row.usd_per_hour for row in newest.values())
    as_of = max(row.as_of for row in newest.values())
    middle = middle_of(asked)
    deviation = middle_of(sorted(abs(usd - middle) for usd in asked))
    spread = deviation / MIDDLE_OF_NORMAL / middle
    sources = tuple(dict.fromkeys(row.source for row in newest.values()))
    return Rent(middle, asked[0], asked[-1], spread, len(asked), as_of, sources)


def middle_of(ordered: list[float]) -> float:
    """Return the median of figures in order; there is at least one.

    >>> middle_of([1.0, 2.0, 9.0]), middle_of([1.0, 3.0])
    (2.0, 2.0)
    """
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half])


def is_stale(as_of: str, today: date) -> bool:
    """Whether a price is too old to rely on; one without a date is.

    >>> from datetime import date
    >>> is_stale("2026-11-09", date(2026, 11, 23)), is_stale("", date(2026, 11, 23))
    (False, True)
    """
    return not as_of or (today - today.fromisoformat(as_of)).days > STALE_AFTER_DAYS


def age_warning(as_of: str, today: date) -> str:
    """Say that a GPU's price is too old to rely on; empty where it is not.

    >>> from datetime import date
    >>> age_warning("2026-11-09", date(2026, 11, 23))
    ''
    """
    if not is_stale(as_of, today):
        return ""
    return f"the price of the GPUs is {age_of(as_of, today)}: look it up again"


def age_of(as_of: str, today: date) -> str:
    """Say how old a price is.

    >>> from datetime import date
    >>> age_of("2026-07-02", date(2026, 11, 23))
    'of 2026-07-02, 144 days old (stale after 120)'
    """
    if not as_of:
        return "of no stated day"
    days = (today - today.fromisoformat(as_of)).days
    return f"of {as_of}, {days} days old (stale after {STALE_AFTER_DAYS})"


def owned_usd_per_hour(  # noqa: PLR0913 - what owning costs depends on each
    purchase_usd: float,
    *,
    years: float,
    in_use: float = 1.0,
    watts: float = 0.0,
    usd_per_kwh: float = 0.0,
    upkeep_per_year: float = 0.0,
) -> float:
    """Return what an hour of use of a device that was bought costs.

    Args:
        purchase_usd: of the device with its share of the server.
        years: over which it is written off, evenly and to nothing.
        in_use: share of the hours in which it serves.
        watts: drawn while serving, cooling included.
        usd_per_kwh: of electricity.
        upkeep_per_year: hosting, support and staff.

    >>> round(owned_usd_per_hour(30000, years=4, watts=900, usd_per_kwh=0.15), 3)
    0.991
    """
    hours = years * HOURS_PER_YEAR * in_use
    upkeep = upkeep_per_year * years
    return (purchase_usd + upkeep) / hours + watts / 1000.0 * usd_per_kwh


HOURS_PER_YEAR = 8766.0
"""365.25 days."""
