"""The figures of one plan under two versions, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.explaining import PARTS, tightest_gpu
from qwen3_planner.plan import Plan
from qwen3_planner.upgrading.values import Figure

if TYPE_CHECKING:
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.upgrading.checking import Side


def figures_of(before: Side, after: Side) -> tuple[Figure, ...]:
    """Put the figures of both sides beside each other.

    Raises:
        ValueError: a side has no plan.
    """
    old, new = _figures(before), _figures(after)
    return tuple(Figure(name, unit, old[name, unit], new[name, unit]) for name, unit in old)


def _figures(side: Side) -> dict[tuple[str, str], float]:
    """Name the figures of a plan, in the order in which they are told."""
    plan, fit = side.answer, side.fit
    if not isinstance(plan, Plan) or fit is None:
        raise ValueError("there is no plan")
    gpu = tightest_gpu(fit, plan)
    memory = plan.memory
    parts = {(name, "bytes"): float(getattr(gpu, attribute)) for name, _, attribute in PARTS}
    return {
        ("utilization", "share"): gpu.budget_bytes / gpu.device_bytes,
        ("budget", "bytes"): float(gpu.budget_bytes),
        **parts,
        ("needed by the load", "bytes"): float(gpu.kv_needed_bytes),
        ("KV cache", "tokens"): float(memory.kv_cache_tokens),
        ("KV cache, at least", "tokens"): float(memory.kv_cache_tokens_low),
        ("at once", "requests"): memory.max_concurrency,
        **_batch(fit),
    }


def _batch(fit: Fit) -> dict[tuple[str, str], float]:
    batch = fit.setting.batch
    return {
        ("tokens of a step", "tokens"): float(batch.tokens),
        ("sequences at once", "requests"): float(batch.seqs),
    }
