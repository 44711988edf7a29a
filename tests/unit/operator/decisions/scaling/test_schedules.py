"""Minima that hold at certain times, wherever the clocks stand."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from qwen3_operator.decisions.scaling.schedules import minimum_at, seconds_until_change
from support.loads import wish

BERLIN, LOS_ANGELES = "Europe/Berlin", "America/Los_Angeles"
ZONES = {"UTC": UTC, BERLIN: ZoneInfo(BERLIN), LOS_ANGELES: ZoneInfo(LOS_ANGELES)}

OFFICE = {
    "start": "08:00",
    "end": "18:00",
    "days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
    "timeZone": BERLIN,
    "minReplicas": 3,
}
NIGHT = {"start": "22:00", "end": "06:00", "days": ["Fri"], "minReplicas": 5}
SATURDAY_NIGHT = {
    "start": "22:00",
    "end": "22:00",
    "days": ["Sat"],
    "timeZone": LOS_ANGELES,
    "minReplicas": 4,
}
ALWAYS = {"start": "00:00", "end": "24:00", "minReplicas": 2}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedules", "moment", "minimum"),
    [
        pytest.param([OFFICE], "2026-11-23T06:59:59", 1, id="Monday, just before eight in Berlin"),
        pytest.param([OFFICE], "2026-11-23T07:00:00", 3, id="Monday, eight in Berlin, in winter"),
        pytest.param([OFFICE], "2026-07-20T06:00:00", 3, id="Monday, eight in Berlin, in summer"),
        pytest.param([OFFICE], "2026-11-23T17:00:00", 1, id="its end is no part of it"),
        pytest.param([OFFICE], "2026-11-22T12:00:00", 1, id="Sunday"),
        pytest.param([NIGHT], "2026-11-27T23:00:00", 5, id="Friday night"),
        pytest.param([NIGHT], "2026-11-28T05:59:00", 5, id="Saturday morning belongs to Friday"),
        pytest.param([NIGHT], "2026-11-27T05:00:00", 1, id="Friday morning belongs to Thursday"),
        pytest.param([SATURDAY_NIGHT], "2026-11-23T05:00:00", 4, id="still Sunday in Los Angeles"),
        pytest.param([ALWAYS], "2026-11-27T23:59:59", 2, id="a whole day has no gap"),
        pytest.param([ALWAYS, OFFICE], "2026-11-23T09:00:00", 3, id="the largest counts"),
        pytest.param([], "2026-11-23T09:00:00", 1, id="none"),
    ],
)
def test_the_minimum_follows_the_clocks_of_the_zone(
    schedules: list[dict[str, object]], moment: str, minimum: int
) -> None:
    assert minimum_at(wish(schedules=schedules), at(moment), ZONES) == minimum


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        pytest.param("2026-11-23T06:00:00", 3600, id="until it begins"),
        pytest.param("2026-11-23T07:00:00", 36_000, id="until it ends"),
        pytest.param("2026-11-20T17:00:00", 62 * 3600, id="over the weekend"),
    ],
)
def test_the_next_change_is_known(moment: str, seconds: float) -> None:
    assert seconds_until_change(wish(schedules=[OFFICE]), at(moment), ZONES) == seconds


def test_without_schedules_nothing_changes_by_itself() -> None:
    assert seconds_until_change(wish(), at("2026-11-23T06:00:00"), ZONES) is None
