"""Does a model run on the hardware that a claim names: as said, or only if something is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.claims.claim import Finding, FitsCheck, Verdict
from qwen3_planner.claims.speeds import slower_than_said, speed_line
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import EngineName, Quantization
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.plan import GpuMemory
    from qwen3_planner.request import PlanRequest


def judge_fit(check: FitsCheck, catalog: Catalog) -> Finding:
    """Plan what is claimed; where that fails, what resembles it most."""
    inventory = parse_hardware(check.hardware, catalog)
    found = plan(check.request, inventory, catalog)
    if isinstance(found, Plan):
        native = catalog.model(check.request.model).max_position_embeddings
        return _of_plan(check, found, check.request.max_model_len or native)
    sums = tuple(refusal.message for refusal in found.refusals[:2])
    for words, request in _milder(check.request):
        other = plan(request, inventory, catalog)
        if isinstance(other, Plan):
            return _only_if(check, found, other, words, sums)
    return Finding(Verdict.FALSE, _why_not(check, found), sums)


def _of_plan(check: FitsCheck, found: Plan, wanted_context: int) -> Finding:
    gpu, memory = _tightest(found), found.memory
    spare = gpu.kv_cache_bytes - gpu.kv_needed_bytes
    wanted = check.spare_share * gpu.budget_bytes
    sums = (*_sum(found, gpu), *speed_line(found))
    where = f"{found.variant} in {found.quantization} on {check.hardware}"
    conditions = []
    if (
        gpu.kv_needed_bytes * memory.kv_cache_tokens
        > gpu.kv_cache_bytes * memory.kv_cache_tokens_low
    ):
        conditions.append("the estimate errs on the right side, for it is narrow")
    if found.max_model_len < wanted_context:
        conditions.append(
            f"{found.max_model_len:,} of {wanted_context:,} tokens of context are enough"
        )
    if spare < wanted:
        conditions.append(
            f"room to spare may mean {format_gib(max(0, spare))} of {format_gib(gpu.budget_bytes)}"
        )
    conditions += slower_than_said(check, found)
    if conditions:
        return Finding(Verdict.ONLY_IF, f"{where}: only if {' and '.join(conditions)}.", sums)
    why = (
        f"{where} holds {memory.kv_cache_tokens:,} tokens of KV cache:"
        f" {memory.max_concurrency:g} x {found.max_model_len:,} tokens."
    )
    return Finding(Verdict.TRUE, why, sums)


def _milder(request: PlanRequest) -> Iterator[tuple[str, PlanRequest]]:
    """Yield what resembles the claim most: less precise weights, then layers in host memory."""
    free = replace(request, quantization=Quantization.AUTO)
    if request.quantization is not Quantization.AUTO:
        yield "less precise weights", free
    if request.engine is not EngineName.LLAMACPP:
        yield "llama.cpp and its formats", replace(free, engine=EngineName.LLAMACPP)


def _only_if(
    check: FitsCheck, refused: NoPlan, other: Plan, words: str, sums: tuple[str, ...]
) -> Finding:
    why = (
        f"Not as it is said ({_in_short(refused)}); only with {words}: {other.quantization},"
        f" {other.max_model_len:,} tokens of context on {check.hardware}."
    )
    slower = slower_than_said(check, other)
    if slower:
        why = f"{why[:-1]}, and if {' and '.join(slower)}."
    gpu = _tightest(other)
    return Finding(Verdict.ONLY_IF, why, (*sums, *_sum(other, gpu), *speed_line(other)))


def _why_not(check: FitsCheck, found: NoPlan) -> str:
    why = f"{found.variant} does not run on {check.hardware}: {_in_short(found)}."
    if found.nearest is not None:
        why += f" What would: {found.nearest.change}."
    return why


def _in_short(found: NoPlan) -> str:
    if not found.refusals:
        return "no format of it can be served there"
    refusal = found.refusals[0]
    if refusal.needed_bytes is not None and refusal.available_bytes is not None:
        return (
            f"{refusal.quantization} needs {format_gib(refusal.needed_bytes)} where there are"
            f" {format_gib(refusal.available_bytes)}"
        )
    return f"{refusal.quantization}: {refusal.rule}"


def _tightest(found: Plan) -> GpuMemory:
    return min(found.memory.per_gpu, key=lambda gpu: gpu.kv_cache_bytes - gpu.kv_needed_bytes)


def _sum(found: Plan, gpu: GpuMemory) -> Iterator[str]:
    """Say the sum for one GPU in bytes that add up."""
    count = len(found.memory.per_gpu)
    each = "the device" if count == 1 else f"each of {count} devices"
    other = gpu.activation_bytes + gpu.graph_bytes + gpu.overhead_bytes
    yield (
        f"{found.variant}, {found.quantization}, {found.engine} {found.engine_version}, on {each}:"
        f" {format_gib(gpu.weights_bytes)} weights + {format_gib(other)} activations and overhead"
        f" + {format_gib(gpu.kv_needed_bytes)} KV cache"
        f" = {format_gib(gpu.weights_bytes + other + gpu.kv_needed_bytes)}"
        f" of {format_gib(gpu.budget_bytes)} ({format_gib(gpu.device_bytes)} on the device)"
    )
