from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.api.conversion import parse, plan_request
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.report.manifest import resource_name, to_manifest
from qwen3_planner.request import (
    Adapter,
    EngineName,
    EngineTuning,
    KvCacheDtype,
    MultiNode,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Workload,
)
from support.plan_builders import make_plan

CATALOG = load_catalog()
SIZES = st.none() | st.sampled_from([1, 2, 4, 8])
REQUESTS = st.builds(
    PlanRequest,
    model=st.sampled_from([row.name for row in CATALOG.models]),
    source=st.sampled_from([None, "hf://org/tuned", "pvc://models/qwen"]),
    served_name=st.sampled_from([None, "chat"]),
    engine=st.sampled_from(EngineName),
    engine_version=st.sampled_from([None, "0.32.0"]),
    quantization=st.sampled_from(Quantization),
    kv_cache_dtype=st.sampled_from(KvCacheDtype),
    parallelism=st.builds(ParallelismWish, tensor=SIZES, pipeline=SIZES, data=SIZES),
    replicas=st.integers(1, 9),
    max_model_len=st.none() | st.integers(8192, 131072),
    workload=st.builds(
        Workload,
        concurrency=st.integers(1, 999),
        input_tokens=st.none() | st.integers(1, 4096),
        output_tokens=st.none() | st.integers(1, 4096),
    ),
    tuning=st.builds(
        EngineTuning,
        gpu_memory_utilization=st.none() | st.sampled_from([0.5, 0.9, 0.925, 1.0]),
        max_num_seqs=st.none() | st.integers(1, 512),
        max_num_batched_tokens=st.none() | st.integers(512, 16384),
        kv_cache_memory_bytes=st.none() | st.integers(1, 2**50),
        cpu_offload_gib=st.none() | st.sampled_from([0.5, 4.0, 10.25, 300.0]),
        enforce_eager=st.none() | st.booleans(),
        draft_model=st.just("Qwen3-0.6B"),
        draft_tokens=st.none() | st.integers(1, 64),
        max_loras=st.integers(1, 9),
        max_lora_rank=st.none() | st.sampled_from([16, 64]),
        fully_sharded_loras=st.none() | st.booleans(),
        multi_node=st.none() | st.just(MultiNode.NATIVE),
    )
    | st.builds(EngineTuning, max_num_seqs=st.none() | st.integers(1, 512)),
    accelerators=st.just(("H100-SXM-80GB",)),
    max_gpus=st.just(None) | st.integers(4608, 9999),
    adapters=st.lists(
        st.builds(
            Adapter,
            name=st.sampled_from(["support", "sql", "legal-2"]),
            source=st.sampled_from(["hf://org/a", "modelscope://org/b"]),
            revision=st.sampled_from([None, "v1"]),
            rank=st.none() | st.integers(1, 16),
        ),
        max_size=3,
        unique_by=lambda adapter: adapter.name,
    ).map(tuple),
)


@given(REQUESTS)
def test_a_resource_asks_what_was_asked(request: PlanRequest) -> None:
    manifest = to_manifest(request, make_plan())

    assert plan_request(parse(manifest), CATALOG) == request


def test_the_manifest_is_no_longer_than_the_question() -> None:
    manifest = to_manifest(PlanRequest("Qwen3-8B"), make_plan(accelerator="L40S-48GB"))

    assert manifest == {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": "qwen3-8b"},
        "spec": {
            "model": {"variant": "Qwen3-8B"},
            "replicas": 1,
            "accelerators": ["L40S-48GB"],
        },
    }


def test_weights_in_a_local_folder_cannot_be_applied() -> None:
    with pytest.raises(SpecError, match="not from a local folder") as caught:
        to_manifest(PlanRequest("mine"), make_plan(source="file:///models/mine"))

    assert caught.value.value == "file:///models/mine"


def test_a_cache_is_refused_not_dropped() -> None:
    with pytest.raises(SpecError, match=r"spec[.]cache: .* is not repeated in a manifest"):
        to_manifest(PlanRequest("Qwen3-8B", weights_at="/models/"), make_plan())


def test_what_a_resource_has_no_field_for_is_refused_not_dropped() -> None:
    with pytest.raises(SpecError, match="--max-nodes-per-replica: 1"):
        to_manifest(PlanRequest("Qwen3-8B", max_nodes_per_replica=1), make_plan())


def test_an_adapter_in_a_local_folder_cannot_be_applied() -> None:
    request = PlanRequest("Qwen3-8B", adapters=(Adapter("a", "file:///home/me/a"),))

    with pytest.raises(SpecError, match="from a hub or a claim"):
        to_manifest(request, make_plan())


def test_no_setting_of_the_engine_is_dropped() -> None:
    told: dict[str, Any] = {
        "gpu_memory_utilization": 0.8,
        "max_num_seqs": 7,
        "max_num_batched_tokens": 99,
        "kv_cache_memory_bytes": 2**34,
        "cpu_offload_gib": 4.5,
        "enforce_eager": False,
        "draft_model": "Qwen3-0.6B",
        "draft_tokens": 3,
        "multi_node": MultiNode.RAY,
    }
    for field in fields(EngineTuning):
        request = PlanRequest(
            "Qwen3-8B", tuning=EngineTuning(**{field.name: told.get(field.name, 1)})
        )
        spec = to_manifest(request, make_plan())["spec"]
        part = spec["lora" if "lora" in field.name else "engine"]
        assert [str(value) for value in part.values()] == [str(told.get(field.name, 1))]


def test_a_draft_without_a_model_is_refused_as_the_api_server_does() -> None:
    manifest = to_manifest(PlanRequest("Qwen3-8B"), make_plan())
    manifest["spec"]["engine"] = {"draftTokens": 4}

    with pytest.raises(
        SpecError, match=r"spec.engine.draftTokens: 4: draftTokens needs draftModel"
    ):
        parse(manifest)


@pytest.mark.parametrize("typed", ["0", "-1", "1e3", "0.0", "ten"])
def test_weights_kept_on_the_host_are_an_amount_above_zero(typed: str) -> None:
    manifest = to_manifest(PlanRequest("Qwen3-8B"), make_plan())
    manifest["spec"]["engine"] = {"cpuOffloadGib": typed}

    with pytest.raises(SpecError, match=r"spec.engine.cpuOffloadGib"):
        parse(manifest)


@pytest.mark.parametrize("typed", ["0.6B", "-", "Ünïcödé", "x" * 99, "a--b", "team/chat.v2"])
def test_every_name_becomes_one_that_a_service_may_have(typed: str) -> None:
    manifest = to_manifest(PlanRequest("Qwen3-8B"), make_plan())
    manifest["metadata"]["name"] = resource_name(typed)

    assert parse(manifest).metadata.name == resource_name(typed)
