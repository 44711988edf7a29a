"""Applying one change to a question: the same assignments that ``qwen3 plan`` takes as options."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from qwen3_planner.engines.adapters import parse_adapter
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import UNSET
from qwen3_planner.request import EngineName, KvCacheDtype, MultiNode, Quantization

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Change
    from qwen3_planner.request import Adapter, PlanRequest

Value: TypeAlias = str | int | float

PARALLELISM_NAMES = ("tensor", "pipeline", "data", "expert")
"""Assignments that fix a group's size."""

_REQUEST_FIELDS: dict[str, tuple[str, Callable[[str], object]]] = {
    "quantization": ("quantization", Quantization),
    "kvCacheDtype": ("kv_cache_dtype", KvCacheDtype),
    "engine": ("engine", EngineName),
    "engineVersion": ("engine_version", str),
    "replicas": ("replicas", int),
    "maxModelLen": ("max_model_len", int),
    "maxGpus": ("max_gpus", int),
    "maxNodesPerReplica": ("max_nodes_per_replica", int),
}

_WORKLOAD_FIELDS = {
    "concurrency": "concurrency",
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
}

_TUNING_FIELDS: dict[str, tuple[str, Callable[[str], object]]] = {
    "gpuMemoryUtilization": ("gpu_memory_utilization", float),
    "maxNumSeqs": ("max_num_seqs", int),
    "maxNumBatchedTokens": ("max_num_batched_tokens", int),
    "kvCacheMemoryBytes": ("kv_cache_memory_bytes", int),
    "cpuOffloadGb": ("cpu_offload_gib", float),
    "enforceEager": ("enforce_eager", lambda text: text.lower() == "true"),
    "maxLoras": ("max_loras", int),
    "maxLoraRank": ("max_lora_rank", int),
    "fullyShardedLoras": ("fully_sharded_loras", lambda text: text.lower() == "true"),
    "draftModel": ("draft_model", str),
    "draftTokens": ("draft_tokens", int),
    "multiNode": ("multi_node", MultiNode),
}


def _adapters(text: str) -> tuple[Adapter, ...]:
    return () if text == UNSET else tuple(map(parse_adapter, text.split(";")))


_LIST_FIELDS: dict[str, tuple[str, Callable[[str], tuple[object, ...]]]] = {
    "accelerators": ("accelerators", lambda text: tuple(text.split(","))),
    "loras": ("adapters", _adapters),
}

TARGET_FIELDS = {
    "ttftMs": "ttft_ms",
    "tpotMs": "tpot_ms",
    "outputTokensPerSecond": "output_tokens_per_second",
    "requestsPerSecond": "requests_per_second",
}
"""Targets of speed: name of the assignment, field of the request."""

SETTING_FIELDS = {name: field for name, (field, _) in _TUNING_FIELDS.items()}
"""Settings of the engine: name of the assignment, field of the request."""


def apply_change(
    request: PlanRequest, inventory: Inventory, change: Change, catalog: Catalog
) -> tuple[PlanRequest, Inventory]:
    """Return the question after a change; the one given stays as it is.

    Args:
        request: what was asked.
        inventory: on which hardware.
        change: assignments by the names of :data:`qwen3_planner.plan.CHANGE_NAMES`.
        catalog: resolves the products of a ``hardware`` assignment.

    Raises:
        KeyError: an assignment has no such name.
        SpecError: a hardware text is wrong.
    """
    for name, value in change.assignments:
        if name == "hardware":
            inventory = parse_hardware(str(value), catalog)
        else:
            request = assign(request, name, value)
    return request, inventory


def assign(request: PlanRequest, name: str, value: Value) -> PlanRequest:
    """Return the request with one field set.

    Raises:
        KeyError: there is no such field.
    """
    if name in _LIST_FIELDS:
        field, read = _LIST_FIELDS[name]
        return replace(request, **{field: read(str(value))})  # type: ignore[arg-type]  # a pair
    if name in PARALLELISM_NAMES:
        wish = replace(request.parallelism, **{name: int(value)})
        return replace(request, parallelism=wish)
    if name in _WORKLOAD_FIELDS:
        load = replace(request.workload, **{_WORKLOAD_FIELDS[name]: int(value)})
        return replace(request, workload=load)
    if name in TARGET_FIELDS:
        wanted = None if value == UNSET else float(value)
        targets = replace(request.targets, **{TARGET_FIELDS[name]: wanted})
        return replace(request, targets=targets)
    if name in _TUNING_FIELDS:
        field, convert = _TUNING_FIELDS[name]
        given = None if value == UNSET else convert(str(value))
        tuning = replace(request.tuning, **{field: given})  # type: ignore[arg-type]  # field and type are a pair
        return replace(request, tuning=tuning)
    field, convert = _REQUEST_FIELDS[name]
    return replace(request, **{field: convert(str(value))})  # type: ignore[arg-type]  # likewise
