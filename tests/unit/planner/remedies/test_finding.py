"""Every fix and every nearest change, applied, gives a plan; and nothing smaller does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import event, given, settings

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.changes import apply_change
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Change, Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import understand
from qwen3_planner.remedies.finding import FIXING_KINDS
from qwen3_planner.request import (
    EngineName,
    EngineTuning,
    KvCacheDtype,
    PlanRequest,
    Quantization,
)
from qwen3_planner.solving import solve
from support.depth import examples
from support.planner_builders import hardware, refused
from support.planner_strategies import hardware_texts, requests

if TYPE_CHECKING:
    from qwen3_planner.inventory.hardware import Inventory


@pytest.mark.thorough
@settings(max_examples=examples(80), deadline=None, derandomize=True)
@given(request=requests, text=hardware_texts)
def test_every_fix_and_every_nearest_gives_a_plan_and_nothing_smaller_does(
    request: PlanRequest, text: str
) -> None:
    catalog, inventory = load_catalog(), hardware(text)
    found = plan(request, inventory, catalog)
    event(type(found).__name__)
    if isinstance(found, Plan):
        return
    event(found.refusals[0].rule)
    event("nearest" if found.nearest else "no nearest")
    assert {refusal.rule for refusal in found.refusals} <= set(FIXING_KINDS)
    fixes = {fix for refusal in found.refusals for fix in refusal.fixes}
    if found.nearest:
        fixes.add(found.nearest.change)
        asked = apply_change(request, inventory, found.nearest.change, catalog)
        assert plan(*asked, catalog) == found.nearest.plan
        smaller = smaller_step(request, found.nearest.change)
        assert smaller is None or not fits_after(request, inventory, smaller), smaller
    for fix in fixes:
        assert fits_after(request, inventory, fix), (fix, request)
        for part in parts_of(fix):
            assert not fits_after(request, inventory, part), (part, fix, request)


def parts_of(change: Change) -> list[Change]:
    """List the change without each of its assignments, where there are several."""
    several = change.assignments if len(change.assignments) > 1 else ()
    return [Change(tuple(one for one in several if one != left_out)) for left_out in several]


def fits_after(request: PlanRequest, inventory: Inventory, change: Change) -> bool:
    """Whether a candidate fits once this is changed, which is what makes a plan."""
    changed, after = apply_change(request, inventory, change, load_catalog())
    try:
        return solve(understand(changed, after, load_catalog()), after).best is not None
    except SpecError:
        return False  # half of a pair that means nothing alone


SMALLER_STEPS = {
    "gpuMemoryUtilization": -0.01,
    "maxNumSeqs": 1,
    "maxNumBatchedTokens": 1,
    "concurrency": 1,
    "inputTokens": 1,
    "outputTokens": 1,
    "maxModelLen": 16,
    "replicas": 1,
    "maxGpus": -1,
    "maxNodesPerReplica": -1,
}


def smaller_step(request: PlanRequest, change: Change) -> Change | None:
    """Return the next smaller change of the same kind, where numbers have one."""
    ((name, value), *others) = change.assignments
    if others or name not in SMALLER_STEPS:
        return None
    raises_context = name == "maxModelLen" and (request.max_model_len or 10**9) < float(value)
    raises_tokens = name == "maxNumBatchedTokens" and (
        request.tuning.max_num_batched_tokens or 10**9
    ) < float(value)
    step = SMALLER_STEPS[name]
    smaller = round(float(value) + (-step if raises_context or raises_tokens else step), 2)
    if smaller <= 0 or (name == "maxNodesPerReplica" and smaller == request.max_nodes_per_replica):
        return None
    event(name)
    return Change(((name, smaller if name == "gpuMemoryUtilization" else int(smaller)),))


@pytest.mark.parametrize(
    ("model", "on", "fields", "expected"),
    [
        ("Qwen3-32B", "8xH100-SXM-80GB", {"tensor": 3}, "--tensor 2"),
        ("Qwen3-14B", "8xH100-SXM-80GB", {"tensor": 10}, "--tensor 8"),
        ("Qwen3-8B", "8xH100-SXM-80GB", {"expert": 2}, "--expert 1"),
        ("Qwen3-8B", "1xH100-SXM-80GB", {"max_model_len": 200000}, "--max-model-len 131072"),
        (
            "Qwen3-32B",
            "1xRTX-4090-24GB",
            {"quantization": Quantization.BF16},
            "--quantization awq-int4",
        ),
        ("Qwen3-8B", "1xT4-16GB", {"quantization": Quantization.BF16}, "--quantization fp8"),
        ("Qwen3-0.6B", "1xT4-16GB", {"kv_cache_dtype": KvCacheDtype.FP8}, "--kv-cache-dtype bf16"),
        ("Qwen3-32B", "RaspberryPi5-8GB", {}, "--hardware 1xRTX-4090-24GB"),
        (
            "Qwen3-30B-A3B",
            "1xH100-SXM-80GB",
            {"quantization": Quantization.AWQ_INT4},
            "--quantization gptq-int4",
        ),
        ("Qwen3-8B", "1xH100-SXM-80GB", {"replicas": 3}, "--replicas 1"),
        (
            "Qwen3-32B",
            "8xH100-SXM-80GB",
            {"max_gpus": 1, "quantization": Quantization.BF16, "max_model_len": 40960},
            "--gpu-memory-utilization 0.94",
        ),
        (
            "Qwen3-8B",
            "8xH100-SXM-80GB",
            {"accelerators": ("L4-24GB",)},
            "--accelerators H100-SXM-80GB",
        ),
    ],
)
def test_the_nearest_change_is_what_a_person_would_say(
    model: str, on: str, fields: dict[str, object], expected: str
) -> None:
    found = refused(model, on, **fields)
    assert found.nearest is not None
    assert str(found.nearest.change) == expected


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("tuning", "change"),
    [
        (EngineTuning(draft_model="Qwen3-14B", draft_tokens=3), "--draft-model none"),
        (EngineTuning(max_loras=64, max_lora_rank=512), "--max-loras none --max-lora-rank none"),
        (EngineTuning(kv_cache_memory_bytes=10**12), "--kv-cache-memory-bytes none"),
    ],
)
def test_a_setting_that_stands_in_the_way_is_taken_back(tuning: EngineTuning, change: str) -> None:
    found = refused(
        "Qwen3-8B",
        "1xA10G-24GB",
        tuning=tuning,
        quantization=Quantization.BF16,
        max_model_len=16384,
    )

    fixes = [str(fix) for refusal in found.refusals for fix in refusal.fixes]
    assert any(fix.startswith(change) for fix in fixes), fixes


def test_what_cannot_be_put_as_a_change_is_given_up_soon() -> None:
    tuning = EngineTuning(kv_cache_memory_bytes=10**9, max_loras=4, gpu_memory_utilization=0.3)
    question = {
        "kv_cache_dtype": KvCacheDtype.IQ4_NL,
        "data": 4,
        "max_model_len": 131072,
        "concurrency": 8,
    }
    found = refused("Qwen3-Coder-30B-A3B-Instruct", "8xA10G-24GB", tuning=tuning, **question)

    assert found.nearest is not None
    assert "--kv-cache-dtype auto" in str(found.nearest.change)


@pytest.mark.parametrize(
    ("model", "on", "fields", "unneeded"),
    [
        (
            "Qwen3-30B-A3B",
            "4x4xA100-PCIe-40GB",
            {"engine": EngineName.SGLANG, "quantization": Quantization.GGUF_Q4_K_M},
            "engine",
        ),
        (
            "Qwen3-Embedding-8B",
            "1x1xT4-16GB,2x1xRTX-A5000-24GB",
            {
                "engine": EngineName.SGLANG,
                "quantization": Quantization.GPTQ_INT4,
                "pipeline": 2,
            },
            "pipeline",
        ),
    ],
)
def test_nothing_is_changed_that_could_stay(
    model: str, on: str, fields: dict[str, object], unneeded: str
) -> None:
    found = refused(model, on, **fields)
    fixes = [dict(fix.assignments) for refusal in found.refusals for fix in refusal.fixes]
    assert fixes
    assert not any(unneeded in fix and "quantization" in fix for fix in fixes)


def test_an_offload_of_nothing_is_taken_back_where_an_engine_has_none() -> None:
    tuning = EngineTuning(cpu_offload_gib=0.0)
    found = refused(
        "Qwen3-8B", "1xRTX-4090-24GB", quantization=Quantization.GGUF_Q4_K_M, tuning=tuning
    )
    assert found.nearest is not None
    assert str(found.nearest.change) == "--cpu-offload-gb none"
