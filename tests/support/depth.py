"""How many examples a property is tried on: few by default, more on demand.

QWEN3_TEST_DEPTH=20 pytest tests/unit   tries twenty times as many.
"""

from __future__ import annotations

import os

DEPTH = max(1, int(os.environ.get("QWEN3_TEST_DEPTH", "1")))


def examples(count: int) -> int:
    """Return how many examples to try where so many are enough for every run."""
    return count * DEPTH
