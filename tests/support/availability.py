"""Skip what this machine cannot run; where everything must run, fail instead."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def must_run_everything() -> bool:
    """Say whether a skip counts as a failure here: `CI` is set to 1 or true."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def cannot_run(reason: str, command: str) -> NoReturn:
    """End the test that asked: skipped, or failed where everything must run.

    `command` is what makes it possible on this machine; it stands in the report beside the reason.
    """
    text = f"{reason} To enable: {command}"
    if must_run_everything():
        pytest.fail(f"CI is set, nothing may be skipped: {text}", pytrace=False)
    pytest.skip(text)
