"""What the engine found against what was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_planner.api.status import Measured


def measured_document(
    plan: Mapping[str, Any] | None, tokens: Iterable[int], before: Measured | None, *, same: bool
) -> dict[str, Any] | None:
    """Say the engine's KV cache beside the plan's.

    Args:
        plan: ``status.plan``.
        tokens: what was read of the replicas that run this plan; the smallest counts.
        before: as the status has it now.
        same: whether that is about the same pods' template: it is kept until there is news.
    """
    smallest = min(tokens, default=None)
    planned = (plan or {}).get("memory", {}).get("kvCacheTokens")
    if smallest is None or not planned:
        return before.model_dump(by_alias=True, exclude_none=True) if before and same else None
    return {
        "kvCacheTokens": smallest,
        "plannedKvCacheTokens": planned,
        "difference": f"{percent_off(smallest, planned):+.1f}%",
    }


def percent_off(tokens: int, planned: int) -> float:
    """Return how far the engine's figure is from the plan's."""
    return (tokens / planned - 1) * 100
