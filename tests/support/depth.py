"""How many examples a property is tried on: a quarter by default, all in `make test`, or more.

QWEN3_TEST_DEPTH=20 pytest tests/unit   tries twenty times as many.
"""

from __future__ import annotations

import os

VARIABLE = "QWEN3_TEST_DEPTH"

QUICK = 0.25

DEPTH = float(os.environ.get(VARIABLE) or QUICK)


def examples(count: int) -> int:
    """Return how many examples to try where so many are enough for every run that decides."""
    return max(1, round(count * DEPTH))
