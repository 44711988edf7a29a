"""A plan as the JSON document of contract ``plan/v1``.

Absent means not applicable: no nulls but ``placement.nodes[].name``. Bytes are integers. Fields
may be added, never renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.plan import NoPlan
from qwen3_planner.report.explanation_json import explanation_document
from qwen3_planner.report.offers import offer_document
from qwen3_planner.report.speed_json import cost_document, performance_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.explanation import Explanation
    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import (
        Change,
        GpuMemory,
        Layout,
        LoraRoom,
        Memory,
        Nearest,
        Plan,
        PlanResult,
        Provenance,
        Refusal,
    )
    from qwen3_planner.report.peers import Peers

SCHEMA = "plan/v1"

Document = dict[str, Any]


def to_document(
    result: PlanResult,
    explanation: Explanation | None = None,
    offers: Sequence[Offer] = (),
    peers: Peers = (),
) -> Document:
    """Say a plan, or why there is none, as ``qwen3 plan -o json`` prints it.

    Args:
        result: of the planner.
        explanation: how the figures add up, if that is wanted.
        offers: hardware that was compared, best first.
        peers: what other planners say of the plan.
    """
    if isinstance(result, NoPlan):
        document: Document = {
            "schema": SCHEMA,
            "feasible": False,
            "model": _model(result.variant, result.parameters, result.source),
            "refusals": [refusal_document(refusal) for refusal in result.refusals],
        }
        if result.nearest is not None:
            document["nearest"] = nearest_document(result.nearest)
        return document
    document = {
        "schema": SCHEMA,
        "feasible": True,
        **plan_document(result),
        "alternatives": [plan_document(plan) for plan in result.alternatives],
        "refusals": [refusal_document(refusal) for refusal in result.refusals],
    }
    if offers:
        document["hardware"] = [offer_document(offer) for offer in offers]
    if explanation is not None:
        document["explanation"] = explanation_document(explanation)
    if peers:
        from qwen3_planner.report.peers import peers_document  # noqa: PLC0415 - rare

        document["peers"] = peers_document(peers)
    return document


def plan_document(plan: Plan) -> Document:
    """Say one plan, without its alternatives and refusals."""
    model = _model(plan.variant, plan.parameters, plan.source)
    if plan.revision is not None:
        model["revision"] = plan.revision
    if plan.served_name != plan.variant:
        model["servedName"] = plan.served_name
    document: Document = {
        "model": model,
        "engine": {"name": plan.engine, "version": plan.engine_version},
        "quantization": plan.quantization,
        "kvCacheDtype": plan.kv_cache_dtype,
        "maxModelLen": plan.max_model_len,
        "replicas": plan.replicas,
        "layout": layout_document(plan.layout),
        "placement": {
            "accelerator": plan.placement.accelerator,
            "nodes": [{"name": n.name, "gpus": n.gpus} for n in plan.placement.nodes],
        },
        "memory": _memory(plan.memory),
    }
    if plan.performance is not None:
        document["performance"] = performance_document(plan.performance)
    elif plan.reading is not None:
        document["performance"] = performance_document(plan.reading)
    if plan.cost is not None:
        document["cost"] = cost_document(plan.cost)
    elif plan.usd_per_hour is not None:
        document["cost"] = {"usdPerHour": round(plan.usd_per_hour, 6)}
    if plan.lora is not None:
        document["lora"] = _lora(plan.lora)
    document["provenance"] = {p.figure: _provenance(p) for p in plan.provenance}
    document["command"] = list(plan.command)
    if plan.env:
        document["env"] = dict(plan.env)
    document["warnings"] = list(plan.warnings)
    return document


def nearest_document(nearest: Nearest) -> Document:
    """Say the smallest change that gives a plan, and that plan."""
    return {"change": change_document(nearest.change), "plan": plan_document(nearest.plan)}


def change_document(change: Change) -> Document:
    """Say a change as an object: ``{"quantization": "fp8", "maxModelLen": 32768}``."""
    return dict(change.assignments)


def layout_document(layout: Layout) -> Document:
    """Say a layout with the GPUs and nodes of one replica, and what stays in host memory."""
    document: Document = {
        "tensor": layout.tensor,
        "pipeline": layout.pipeline,
        "data": layout.data,
        "expert": layout.expert,
        "gpusPerReplica": layout.gpus_per_replica,
        "nodesPerReplica": layout.nodes_per_replica,
    }
    if layout.host_layers:
        document["hostLayers"] = layout.host_layers
    if layout.host_expert_layers:
        document["hostExpertLayers"] = layout.host_expert_layers
    return document


def refusal_document(refusal: Refusal) -> Document:
    """Say why one candidate cannot be."""
    document: Document = {}
    if refusal.layout is not None:
        document["layout"] = layout_document(refusal.layout)
    if refusal.accelerator is not None:
        document["accelerator"] = refusal.accelerator
    document |= {
        "quantization": refusal.quantization,
        "rule": refusal.rule,
        "message": refusal.message,
    }
    if refusal.needed_bytes is not None:
        document["neededBytes"] = refusal.needed_bytes
    if refusal.available_bytes is not None:
        document["availableBytes"] = refusal.available_bytes
    document["fixes"] = [str(fix) for fix in refusal.fixes]
    return document


def _model(variant: str, parameters: int, source: str) -> Document:
    return {"variant": variant, "parameters": parameters, "source": source}


def _lora(room: LoraRoom) -> Document:
    document: Document = {
        "slots": room.slots,
        "rank": room.rank,
        "bytesPerGpu": room.bytes_per_gpu,
    }
    if room.adapters:
        document["adapters"] = [{"name": n, "source": source} for n, source in room.adapters]
    return document


def _memory(memory: Memory) -> Document:
    document: Document = {
        "checkpointBytes": memory.checkpoint_bytes,
        "hostBytes": memory.host_bytes,
        "perGpu": [_gpu(gpu) for gpu in memory.per_gpu],
        "kvCacheTokens": memory.kv_cache_tokens,
        "kvCacheTokensLow": memory.kv_cache_tokens_low,
        "kvCacheTokensHigh": memory.kv_cache_tokens_high,
        "maxConcurrency": round(memory.max_concurrency, 4),
    }
    if memory.concurrency_by_context:
        document["concurrencyByContext"] = [
            {"context": context, "requests": requests}
            for context, requests in memory.concurrency_by_context
        ]
    return document


def _gpu(gpu: GpuMemory) -> Document:
    return {
        "rank": gpu.rank,
        "stage": gpu.stage,
        "weightsBytes": gpu.weights_bytes,
        "kvCacheBytes": gpu.kv_cache_bytes,
        "kvNeededBytes": gpu.kv_needed_bytes,
        "activationBytes": gpu.activation_bytes,
        "graphBytes": gpu.graph_bytes,
        "overheadBytes": gpu.overhead_bytes,
        "budgetBytes": gpu.budget_bytes,
        "deviceBytes": gpu.device_bytes,
    }


def _provenance(provenance: Provenance) -> Document:
    return {
        "basis": provenance.basis.value,
        "relativeError": round(provenance.relative_error, 6),
        "source": provenance.source,
    }
