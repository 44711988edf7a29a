"""One case, one row: what was asked, and what the planner says. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.resolving import (
    agree_on_quantization,
    resolve_accelerator,
    resolve_model,
)
from qwen3_planner.changes import assign
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import PlanRequest
from qwen3_planner.sweep.cases import REQUIRED, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.plan import NoPlan
    from qwen3_planner.sweep.cases import Value

Row = dict[str, Any]

COLUMNS = (
    "case",
    "feasible",
    "error",
    "engine",
    "engineVersion",
    "quantization",
    "kvCacheDtype",
    "accelerator",
    "layout",
    "gpus",
    "maxModelLen",
    "kvCacheTokens",
    "kvCacheTokensLow",
    "kvCacheTokensHigh",
    "maxConcurrency",
    "weightsBytes",
    "kvCacheBytes",
    "activationBytes",
    "graphBytes",
    "overheadBytes",
    "budgetBytes",
    "hostBytes",
    "ttftMs",
    "tpotMs",
    "outputTokensPerSecond",
    "usdPerHour",
    "usdPerMillionOutputTokens",
    "rule",
    "message",
    "nearest",
)
"""Of every row, in this order; what does not apply is absent in JSONL and empty in CSV."""


def answer(fields: Mapping[str, Value], catalog: Catalog) -> Row:
    """Answer one case; what is wrong with it is said in its row, so that the others go on."""
    row: Row = {"case": dict(fields)}
    try:
        found = plan(*_question(fields, catalog))
    except SpecError as error:
        return {**row, "error": str(error)}
    told = _of_plan(found) if isinstance(found, Plan) else _of_refusal(found)
    return {**row, **{name: value for name, value in told.items() if value is not None}}


def is_row_of(row: object, fields: Mapping[str, Value]) -> bool:
    """Whether a row that was written earlier answers this case."""
    return isinstance(row, dict) and same(fields, row.get("case"))


def _question(fields: Mapping[str, Value], catalog: Catalog) -> tuple[Any, Any, Catalog]:
    for name in REQUIRED:
        if name not in fields:
            raise SpecError(name, "(missing)", "every case needs it")
    resolved = resolve_model(str(fields["model"]), catalog, field="model")
    request = PlanRequest(resolved.name, source=resolved.source)
    for name, value in fields.items():
        if name not in REQUIRED:
            request = _assigned(request, name, value, catalog)
    quantization = agree_on_quantization(
        resolved, request.quantization, typed_model=str(fields["model"]), field="quantization"
    )
    inventory = parse_hardware(str(fields["hardware"]), resolved.catalog)
    return replace(request, quantization=quantization), inventory, resolved.catalog


def _assigned(request: PlanRequest, name: str, value: Value, catalog: Catalog) -> PlanRequest:
    if name == "accelerators":
        typed = [part.strip() for part in str(value).split(",")]
        names = [resolve_accelerator(one, catalog.accelerators, field=name).name for one in typed]
        value = ",".join(names)
    try:
        return assign(request, name, value)
    except ValueError:
        raise SpecError(name, value, "is not of the kind that this field takes") from None


def _of_plan(found: Plan) -> Row:
    memory, tightest = found.memory, _tightest(found)
    speed, cost = found.performance, found.cost
    return {
        "feasible": True,
        "engine": found.engine,
        "engineVersion": found.engine_version,
        "quantization": found.quantization,
        "kvCacheDtype": found.kv_cache_dtype,
        "accelerator": found.placement.accelerator,
        "layout": str(found.layout),
        "gpus": found.gpus,
        "maxModelLen": found.max_model_len,
        "kvCacheTokens": memory.kv_cache_tokens,
        "kvCacheTokensLow": memory.kv_cache_tokens_low,
        "kvCacheTokensHigh": memory.kv_cache_tokens_high,
        "maxConcurrency": memory.max_concurrency,
        "weightsBytes": tightest.weights_bytes,
        "kvCacheBytes": tightest.kv_cache_bytes,
        "activationBytes": tightest.activation_bytes,
        "graphBytes": tightest.graph_bytes,
        "overheadBytes": tightest.overhead_bytes,
        "budgetBytes": tightest.budget_bytes,
        "hostBytes": memory.host_bytes,
        "ttftMs": None if speed is None else speed.ttft_ms,
        "tpotMs": None if speed is None else speed.tpot_ms,
        "outputTokensPerSecond": None if speed is None else speed.output_tokens_per_second,
        "usdPerHour": found.usd_per_hour,
        "usdPerMillionOutputTokens": (None if cost is None else cost.usd_per_million_output_tokens),
    }


def _tightest(found: Plan) -> Any:  # noqa: ANN401 - a GpuMemory
    return min(found.memory.per_gpu, key=lambda gpu: gpu.kv_cache_bytes - gpu.kv_needed_bytes)


def _of_refusal(found: NoPlan) -> Row:
    first = found.refusals[0] if found.refusals else None
    return {
        "feasible": False,
        "quantization": None if first is None else first.quantization,
        "rule": None if first is None else first.rule,
        "message": None if first is None else first.message,
        "nearest": None if found.nearest is None else str(found.nearest.change),
    }
