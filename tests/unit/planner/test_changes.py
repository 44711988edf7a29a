"""Applying a change gives the question that the same options would."""

from __future__ import annotations

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.changes import SETTING_FIELDS, apply_change, assign
from qwen3_planner.plan import CHANGE_NAMES, Change
from qwen3_planner.request import EngineTuning, KvCacheDtype, PlanRequest, Quantization
from support.planner_builders import a_request, hardware

VALUES: dict[str, str | int | float] = {
    "quantization": "fp8",
    "kvCacheDtype": "fp8",
    "engine": "vllm",
    "engineVersion": "0.11.0",
    "accelerators": "L4-24GB,T4-16GB",
    "gpuMemoryUtilization": 0.95,
    "hardware": "2xL4-24GB",
    "multiNode": "ray",
    "loras": "a=hf://t/a;b=pvc://c/b,rank=8",
}


@pytest.mark.parametrize("name", CHANGE_NAMES)
def test_every_name_can_be_assigned(name: str) -> None:
    request, inventory = a_request(), hardware()
    value = VALUES.get(name, 2)
    after = apply_change(request, inventory, Change(((name, value),)), load_catalog())
    assert after != (request, inventory)
    assert (request, inventory) == (a_request(), hardware())


def test_assignments_reach_the_field_they_name() -> None:
    change = Change(
        (
            ("quantization", "fp8"),
            ("kvCacheDtype", "fp8"),
            ("tensor", 4),
            ("concurrency", 7),
            ("gpuMemoryUtilization", 0.95),
            ("maxNumSeqs", 64),
            ("accelerators", "L4-24GB,T4-16GB"),
            ("hardware", "2xL4-24GB"),
        )
    )
    request, inventory = apply_change(a_request(), hardware(), change, load_catalog())
    assert request.quantization is Quantization.FP8
    assert request.kv_cache_dtype is KvCacheDtype.FP8
    assert request.parallelism.tensor == 4
    assert request.workload.concurrency == 7
    assert (request.tuning.gpu_memory_utilization, request.tuning.max_num_seqs) == (0.95, 64)
    assert request.accelerators == ("L4-24GB", "T4-16GB")
    assert inventory == hardware("2xL4-24GB")


def test_an_unknown_name_is_a_defect() -> None:
    with pytest.raises(KeyError):
        apply_change(a_request(), hardware(), Change((("colour", 1),)), load_catalog())


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("draftModel", "none", "--draft-model none"),
        ("enforceEager", "none", "--no-enforce-eager"),
        ("fullyShardedLoras", "none", "--no-fully-sharded-loras"),
        ("cpuOffloadGb", "none", "--cpu-offload-gb none"),
    ],
)
def test_a_setting_is_taken_back_by_none(name: str, value: str, option: str) -> None:
    given = EngineTuning(draft_model="Qwen3-0.6B", enforce_eager=True, cpu_offload_gib=2.0)

    tuning = assign(PlanRequest("Qwen3-8B", tuning=given), name, value).tuning

    assert getattr(tuning, SETTING_FIELDS[name]) is None
    assert str(Change(((name, value),))) == option
