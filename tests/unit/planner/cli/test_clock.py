from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from qwen3_planner.cli.clock import today


def test_the_environment_says_which_day_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    assert today() == date(2026, 11, 23)


@pytest.mark.parametrize("stated", ["", "tomorrow", "-5"])
def test_without_a_usable_one_it_is_today(stated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    before = datetime.now(UTC).date()
    assert before <= today() <= datetime.now(UTC).date()
