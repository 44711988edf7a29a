"""What the engine found against what was planned, and what later plans could learn from it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.measurements import Origin
from qwen3_planner.corrections.document import to_document
from qwen3_planner.corrections.learning import memory_row_of_plan
from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from qwen3_operator.status import Facts
    from qwen3_planner.api.status import Measured, Qwen3DeploymentStatus

TOLERANCE_PERCENT = 5.0
"""Beyond it an Event says so: the planner promises 3 % in the median and 8 % nine times in ten."""

FORMAT = "engine-metrics"
"""What an entry of the overlay calls its origin: figures that the engine itself exposes."""

FIXED_BY = ("--kv-cache-memory-bytes", "--max-total-tokens", "--ctx-size")
"""Options that say how large the cache is: nothing is learned from finding it so."""


def measured_document(
    plan: Mapping[str, Any] | None, facts: Facts, previous: Qwen3DeploymentStatus, now: datetime
) -> dict[str, Any] | None:
    """Say the engine's KV cache beside the plan's, with an overlay where they are far apart.

    It is kept until there is news: the date of an overlay is that of the measurement.

    Args:
        plan: ``status.plan`` as it will be.
        facts: with what was read of the replicas that run this plan; the smallest counts.
        previous: the status as it was.
        now: the present; its date is the measurement's.
    """
    before = previous.measured
    same = facts.plan_hash in ("", previous.plan_hash)
    tokens = min(facts.observed.kv_cache_tokens.values(), default=None)
    planned = (plan or {}).get("memory", {}).get("kvCacheTokens")
    if tokens is None or not planned:
        return _dumped(before) if before is not None and same else None
    percent = percent_off(tokens, planned)
    overlay = None
    if abs(percent) > TOLERANCE_PERCENT:
        known = before is not None and same and before.kv_cache_tokens == tokens
        overlay = before.calibration if known and before is not None else None
        overlay = overlay or overlay_of(facts, tokens, now)
    document = {
        "kvCacheTokens": tokens,
        "plannedKvCacheTokens": planned,
        "difference": f"{percent:+.1f}%",
    }
    return {**document, "calibration": overlay} if overlay else document


def overlay_of(facts: Facts, tokens: int, now: datetime) -> dict[str, Any] | None:
    """Say as an overlay document what was learned; None where nothing can be.

    ``qwen3 calibrate`` and every command that plans take it as it is.
    """
    plan = facts.chosen.result if facts.chosen is not None else None
    if not isinstance(plan, Plan) or facts.model is None or plan.memory.kv_cache_tokens < 1:
        return None
    if any(word in FIXED_BY for word in plan.command) or _fits_no_gpu(plan, tokens):
        return None
    read = f"{facts.key} {facts.plan_hash} {tokens}"
    digest = sha256(read.encode()).hexdigest()
    origin = Origin(str(facts.key), FORMAT, digest, now.date().isoformat())
    return to_document([memory_row_of_plan(plan, facts.model, tokens, origin)])


def _fits_no_gpu(plan: Plan, tokens: int) -> bool:
    """Whether a cache is larger than the GPU that it is planned on: then it lies elsewhere.

    So it is where an image computes on the CPU, whatever GPU its pod holds.
    """
    share = tokens / plan.memory.kv_cache_tokens
    return any(gpu.kv_cache_bytes * share > gpu.device_bytes for gpu in plan.memory.per_gpu)


def percent_off(tokens: int, planned: int) -> float:
    """Return how far the engine's figure is from the plan's."""
    return (tokens / planned - 1) * 100


def _dumped(measured: Measured) -> dict[str, Any]:
    return measured.model_dump(by_alias=True, exclude_none=True)
