"""Steps that only turn the engine's own screws."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from qwen3_planner.candidates import pools_of
from qwen3_planner.changes import SETTING_FIELDS
from qwen3_planner.plan import UNSET, Change
from qwen3_planner.remedies.trying import Stuck, one
from qwen3_planner.request import EngineName
from qwen3_planner.serving.registry import serving_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.request import PlanRequest
    from qwen3_planner.sizing.stages import Setting

HIGHEST_UTILIZATION = 0.97
"""Above this the CUDA context and the graphs' growth do not find room on 24 GiB GPUs."""

UTILIZATION_STEP = 100
"""Steps of one hundredth."""


def node_limit_step(stuck: Stuck) -> Change | None:
    """Let one replica span as many nodes as a plan that already fits needs."""
    if stuck.request.max_nodes_per_replica is None:
        return None
    spans = sorted(
        {
            refused.candidate.layout.nodes_per_replica
            for refused in stuck.solution.refused
            if refused.refusal.rule == "MultiNodeNotSupported" and refused.candidate
        }
    )
    return stuck.first(one("maxNodesPerReplica", span) for span in spans)


MOST_HUNDREDTHS_LESS = 20
"""So many hundredths less of the device are tried where the engine was given too much."""


def utilization_step(stuck: Stuck) -> Change | None:
    """Give the engine just enough more of the device, or enough less."""
    return _more_of_the_device(stuck) or _less_of_the_device(stuck)


def _less_of_the_device(stuck: Stuck) -> Change | None:
    """Leave more beside the share: SGLang's graphs and activations have to do with that."""
    given = stuck.request.tuning.gpu_memory_utilization
    if given is None or stuck.question.engine is not EngineName.SGLANG:
        return None
    highest = ceil(given * UTILIZATION_STEP) - 1
    return stuck.first(
        one("gpuMemoryUtilization", share / UTILIZATION_STEP)
        for share in range(highest, max(0, highest - MOST_HUNDREDTHS_LESS), -1)
    )


def _more_of_the_device(stuck: Stuck) -> Change | None:
    shares = sorted(
        {
            ceil(misfit.needed_bytes / misfit.candidate.pool.device_bytes * UTILIZATION_STEP)
            for refused in stuck.solution.refused
            if (misfit := refused.misfit) is not None
        }
    )
    limit = HIGHEST_UTILIZATION * UTILIZATION_STEP
    return stuck.first(
        one("gpuMemoryUtilization", share / UTILIZATION_STEP) for share in shares if share <= limit
    )


def sequences_step(stuck: Stuck) -> Change | None:
    """Schedule fewer sequences at once, but never fewer than are in flight."""
    settings = tuple(_settings(stuck))
    if not settings:
        return None
    most = max(setting.batch.seqs for setting in settings)
    in_flight = min(stuck.request.workload.concurrency, most)
    return stuck.largest("maxNumSeqs", in_flight, most - 1)


def batched_tokens_step(stuck: Stuck) -> Change | None:
    """Take fewer tokens into a step, or enough for every sequence where there were too few."""
    settings = tuple(_settings(stuck))
    if not settings:
        return None
    seqs = max(setting.batch.seqs for setting in settings)
    most = max(setting.batch.tokens for setting in settings)
    if most < seqs:
        return stuck.first([one("maxNumBatchedTokens", seqs)])
    return stuck.largest("maxNumBatchedTokens", seqs, most - 1)


ADAPTERS = "loras"
"""Assignment of the adapters themselves."""

TAKEN_BACK = (
    ("draftModel", "draftTokens"),
    ("fullyShardedLoras",),
    (ADAPTERS, "maxLoras", "maxLoraRank"),
    ("cpuOffloadGb",),
    ("kvCacheMemoryBytes",),
    ("enforceEager",),
)
"""Settings that a plan can do without, each with what means nothing alone."""


def taken_back(request: PlanRequest, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Assign nothing to those of these settings that were given."""
    given = (name for name in names if _is_given(request, name))
    return tuple((name, UNSET) for name in given)


def _is_given(request: PlanRequest, name: str) -> bool:
    if name == ADAPTERS:
        return bool(request.adapters)
    return getattr(request.tuning, SETTING_FIELDS[name]) is not None


def settings_step(stuck: Stuck) -> Change | None:
    """Take back one setting: a draft, adapters, offloading, a pool of a size, eager mode.

    Adapters rather take turns in fewer slots than go.
    """
    slots = stuck.question.tuning.max_loras or 0
    fewer = stuck.largest("maxLoras", 1, slots - 1) if slots > 1 else None
    groups = (taken_back(stuck.request, names) for names in TAKEN_BACK)
    return fewer or stuck.first(Change(group) for group in groups if group)


def _settings(stuck: Stuck) -> Iterator[Setting]:
    for pool in pools_of(stuck.inventory, stuck.request.accelerators):
        yield serving_of(stuck.question.engine).setting(stuck.question, pool)
