"""Layouts as options of `vllm serve`, for tests that ask below the planner's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.plan import Layout


def words_of(layout: Layout) -> list[str]:
    """Return the options that ask for a layout on one node."""
    words = ["--tensor-parallel-size", str(layout.tensor)]
    words += ["--pipeline-parallel-size", str(layout.pipeline)]
    words += ["--data-parallel-size", str(layout.data)]
    return [*words, "--enable-expert-parallel"] if layout.expert > 1 else words
