"""Models that embed or score: which of the two, whatever the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture


def is_reranker(model: ModelArchitecture) -> bool:
    """Whether a pooling model scores pairs: its shapes are those of the embedding models."""
    return model.is_pooling and "Reranker" in model.name
