"""A status that stays small: the API server keeps whole objects and sends them to every watcher."""

from __future__ import annotations

import json
from typing import Any

from qwen3_planner.report.plan_status import shortened

MAX_BYTES = 16 * 1024
"""Of the whole status."""

MAX_MESSAGE = 900
"""Characters of a condition's message: 6 of them and a plan of 11 KiB stay below 16 KiB."""


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is None or an empty text."""
    return {name: value for name, value in document.items() if value is not None and value != ""}


def small(document: dict[str, Any]) -> dict[str, Any]:
    """Shorten messages until the whole fits; letters outside ASCII take more than one byte."""
    limit = MAX_MESSAGE
    while len(json.dumps(document, ensure_ascii=False).encode()) >= MAX_BYTES and limit > 1:
        limit //= 2
        for condition in document["conditions"]:
            condition["message"] = shortened(condition["message"], limit)
    return document
