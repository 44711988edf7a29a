"""The day, for the age of prices: the planner itself has no clock."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

DAY_VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 that stand for now (https://reproducible-builds.org/specs/source-date-epoch):
so that what is printed depends on the question alone."""


def today() -> date:
    """Return the day in UTC; what the environment says comes first."""
    stated = os.environ.get(DAY_VARIABLE, "")
    if stated.isascii() and stated.isdigit():
        return datetime.fromtimestamp(int(stated), UTC).date()
    return datetime.now(UTC).date()
