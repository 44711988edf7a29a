"""A plan read back from its document: what decides pods, as it was written, judged by nobody.

A release that would plan otherwise, or refuse, can go on with a plan that another release made.
Figures that only inform (speed, price, provenance) are left in the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.plan import GpuMemory, Layout, Memory, PlacedNode, Placement, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping


def plan_of(document: Mapping[str, Any]) -> Plan | None:
    """Read a feasible plan; None where this version cannot read it.

    Args:
        document: as ``status.plan`` or ``qwen3 plan -o json`` shows it.
    """
    try:
        return _plan(document) if document["feasible"] else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _plan(document: Mapping[str, Any]) -> Plan:
    model, engine, placement = document["model"], document["engine"], document["placement"]
    return Plan(
        variant=model["variant"],
        parameters=int(model["parameters"]),
        source=model["source"],
        revision=model.get("revision"),
        served_name=model.get("servedName", model["variant"]),
        engine=engine["name"],
        engine_version=engine["version"],
        quantization=document["quantization"],
        kv_cache_dtype=document["kvCacheDtype"],
        max_model_len=int(document["maxModelLen"]),
        replicas=int(document["replicas"]),
        layout=_layout(document["layout"]),
        placement=Placement(
            placement["accelerator"],
            tuple(PlacedNode(node.get("name"), int(node["gpus"])) for node in placement["nodes"]),
        ),
        memory=_memory(document["memory"]),
        usd_per_hour=(document.get("cost") or {}).get("usdPerHour"),
        provenance=(),
        command=tuple(document["command"]),
        env=tuple(sorted((document.get("env") or {}).items())),
        warnings=tuple(document.get("warnings") or ()),
    )


def _layout(layout: Mapping[str, int]) -> Layout:
    return Layout(
        tensor=layout["tensor"],
        pipeline=layout["pipeline"],
        data=layout["data"],
        expert=layout["expert"],
        nodes_per_replica=layout["nodesPerReplica"],
        host_layers=layout.get("hostLayers", 0),
        host_expert_layers=layout.get("hostExpertLayers", 0),
    )


def _memory(memory: Mapping[str, Any]) -> Memory:
    tokens = int(memory["kvCacheTokens"])
    return Memory(
        checkpoint_bytes=int(memory["checkpointBytes"]),
        host_bytes=int(memory["hostBytes"]),
        per_gpu=tuple(_gpu(gpu) for gpu in memory["perGpu"]),
        kv_cache_tokens=tokens,
        kv_cache_tokens_low=int(memory.get("kvCacheTokensLow", tokens)),
        kv_cache_tokens_high=int(memory.get("kvCacheTokensHigh", tokens)),
        max_concurrency=float(memory["maxConcurrency"]),
    )


def _gpu(gpu: Mapping[str, int]) -> GpuMemory:
    return GpuMemory(
        rank=gpu["rank"],
        stage=gpu["stage"],
        weights_bytes=gpu["weightsBytes"],
        kv_cache_bytes=gpu["kvCacheBytes"],
        kv_needed_bytes=gpu["kvNeededBytes"],
        activation_bytes=gpu["activationBytes"],
        graph_bytes=gpu["graphBytes"],
        overhead_bytes=gpu["overheadBytes"],
        budget_bytes=gpu["budgetBytes"],
        device_bytes=gpu["deviceBytes"],
    )
