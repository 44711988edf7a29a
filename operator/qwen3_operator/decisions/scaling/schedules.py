"""Which minimum holds at a moment, and when that changes next."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from qwen3_planner.api.scaling import Day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from qwen3_planner.api.scaling import ScalingSpec, ScheduledMinimum

WEEK = tuple(Day)
"""Monday first, as datetime counts."""


def minimum_at(wish: ScalingSpec, now: datetime, zones: Mapping[str, tzinfo]) -> int:
    """Return how many replicas there are at least at that moment."""
    held = (s.min_replicas for s in wish.schedules if _holds(s, now, zones[s.time_zone]))
    return max(wish.min_replicas, *held, 0)


def seconds_until_change(
    wish: ScalingSpec, now: datetime, zones: Mapping[str, tzinfo]
) -> float | None:
    """Return when a schedule begins or ends next; None where there is none."""
    edges = (
        edge
        for schedule in wish.schedules
        for span in _spans(schedule, now, zones[schedule.time_zone])
        for edge in span
    )
    ahead = [(edge - now).total_seconds() for edge in edges if edge > now]
    return min(ahead, default=None)


def _holds(schedule: ScheduledMinimum, now: datetime, zone: tzinfo) -> bool:
    return any(start <= now < end for start, end in _spans(schedule, now, zone))


def _spans(
    schedule: ScheduledMinimum, now: datetime, zone: tzinfo
) -> Iterator[tuple[datetime, datetime]]:
    """Yield when it holds, from yesterday's span to that of the same day next week."""
    today = now.astimezone(zone).date()
    for ahead in range(-1, 8):
        day = today + timedelta(days=ahead)
        if schedule.days and WEEK[day.weekday()] not in schedule.days:
            continue
        start = _moment(day, schedule.start, zone)
        end = _moment(day, schedule.end, zone)
        if end <= start:
            end = _moment(day + timedelta(days=1), schedule.end, zone)
        yield start, end


def _moment(day: date, text: str, zone: tzinfo) -> datetime:
    """Return when the clocks of that zone show that time of that day; 24:00 is its end."""
    hours, minutes = (int(part) for part in text.split(":"))
    days, hour = divmod(hours, 24)
    return datetime.combine(day + timedelta(days=days), time(hour, minutes), zone)
