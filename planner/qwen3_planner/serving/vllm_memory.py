"""Memory of each pipeline stage's tightest rank under vLLM: its formulas put together."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS, Runner
from qwen3_planner.sizing.activation import (
    Batch,
    forward_peak,
    logits_peak,
    matmul_workspace,
    moe_workspaces,
    sampler_peak,
    sampler_state,
)
from qwen3_planner.sizing.graphs import graph_bytes, graph_sizes
from qwen3_planner.sizing.kv_cache import token_bytes
from qwen3_planner.sizing.overhead import UNEXPLAINED_BYTES, non_torch_bytes
from qwen3_planner.sizing.stages import Device, Setting, StageMemory
from qwen3_planner.sizing.weights import rank_weights, stage_layers

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.vllm.semantics import VllmSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.formats import WeightFormat


@lru_cache(maxsize=16384)
def memory_of_stages(  # noqa: PLR0913 - the cache's key: all that memory depends on, and nothing else
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    *,
    semantics: VllmSemantics,
    setting: Setting,
    device: Device,
    positions: int,
    kv_bytes_per_32: int,
) -> tuple[StageMemory, ...]:
    """Compute the tightest rank of each stage: of unevenly split experts, one that holds more.

    Args:
        model: the architecture.
        fmt: how linear weights are held.
        layout: of one replica.
        semantics: of the engine's version.
        setting: of the engine.
        device: the accelerator's memory and units.
        positions: length of the rotary table.
        kv_bytes_per_32: of 32 elements of the KV cache.
    """
    batch = setting.batch
    budget = ceil(device.n_bytes * setting.utilization)
    overhead = _overhead(model, layout, semantics, batch, device.capability)
    graphs = _graphs(semantics, batch, device.capability)
    stages = []
    for stage, layers in enumerate(stage_layers(model.layers, layout.pipeline)):
        is_last = stage == layout.pipeline - 1
        weights = rank_weights(
            model,
            fmt,
            layout,
            stage=stage,
            expert_rank=0,
            positions=positions,
            expanded_scales=not device.has_fp8_units,
        )
        stages.append(
            StageMemory(
                stage=stage,
                weights=weights,
                activation=_activation(model, layout, semantics, batch, is_last=is_last),
                graphs=graphs,
                overhead=overhead + (_sampler_state(model, semantics, batch) if is_last else 0),
                block=BLOCK_TOKENS * token_bytes(model, layout.tensor, layers, kv_bytes_per_32),
                budget=budget,
            )
        )
    return tuple(stages)


def _activation(
    model: ModelArchitecture,
    layout: Layout,
    semantics: VllmSemantics,
    batch: Batch,
    *,
    is_last: bool,
) -> int:
    forward = forward_peak(model, layout.tensor, batch)
    if not semantics.expert_buffers_stay:
        forward += _expert_buffers(model, layout, batch)
    if semantics.runner is Runner.V1:
        return max(forward, sampler_peak(model, batch)) if is_last else forward
    return max(forward, logits_peak(model, layout.tensor, batch)) if is_last else forward


def _overhead(
    model: ModelArchitecture,
    layout: Layout,
    semantics: VllmSemantics,
    batch: Batch,
    capability: tuple[int, int] | None,
) -> int:
    """Sum what stays allocated beside the weights on every rank."""
    kept = _expert_buffers(model, layout, batch) if semantics.expert_buffers_stay else 0
    workspace = matmul_workspace(capability[0] if capability else None)
    profiling = UNEXPLAINED_BYTES[semantics.runner]
    return non_torch_bytes(layout.gpus_per_replica) + workspace + profiling + kept


def _expert_buffers(model: ModelArchitecture, layout: Layout, batch: Batch) -> int:
    """Return the fused experts' buffers; data-parallel ranks exchange their tokens."""
    inner = 1 if layout.expert > 1 else layout.tensor * layout.data
    return moe_workspaces(model, inner, Batch(batch.tokens * layout.data, batch.seqs))


def _sampler_state(model: ModelArchitecture, semantics: VllmSemantics, batch: Batch) -> int:
    return sampler_state(model, batch) if semantics.runner is Runner.V2 else 0


def _graphs(semantics: VllmSemantics, batch: Batch, capability: tuple[int, int] | None) -> int:
    if not semantics.graphs_in_budget:
        return 0
    return graph_bytes(graph_sizes(batch.seqs, batch.tokens, semantics.graph_strides, capability))
