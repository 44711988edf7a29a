from __future__ import annotations

import pytest

from qwen3_planner.api.conversion import parse, parse_status, plan_request
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.request import (
    EngineName,
    EngineTuning,
    KvCacheDtype,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Workload,
)
from support.refused_rules import BAD_RULES
from support.refused_shapes import BAD_SHAPES
from support.resources import GOOD, Bad, resource
from support.surrounded import AROUND_BAD, AROUND_GOOD


def said_of(body: dict[str, object]) -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse(body)
    return caught.value


@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=bad.why) for bad in BAD_SHAPES + BAD_RULES + AROUND_BAD]
)
def test_a_bad_resource_is_refused_with_field_and_words(bad: Bad) -> None:
    error = said_of(bad.body())

    assert error.field == bad.path
    assert bad.message in str(error)


@pytest.mark.parametrize("spec", GOOD + AROUND_GOOD)
def test_a_good_resource_is_taken_and_survives_the_way_back(spec: str) -> None:
    body = resource(spec)

    parsed = parse(body)

    again = parse({**body, "spec": parsed.spec.to_kubernetes()})
    assert again.spec == parsed.spec


@pytest.mark.parametrize(
    ("spec", "field", "typed"),
    [
        pytest.param("replicas: '2'", "spec.replicas", "2", id="text"),
        pytest.param("maxModelLen: 1.50", "spec.maxModelLen", "1.5", id="number"),
        pytest.param("suspend: 1", "spec.suspend", "1", id="flag"),
        pytest.param("model: [a]", "spec.model", '["a"]', id="list"),
        pytest.param("engine: {image: x}", "spec.engine.version", "(missing)", id="absent"),
        pytest.param(
            "maxGpus: 1\nreplicas: 2", "spec.maxGpus", "1", id="the field that a rule is about"
        ),
    ],
)
def test_the_value_is_repeated_as_typed(spec: str, field: str, typed: str) -> None:
    error = said_of(resource(spec))

    assert (error.field, error.value) == (field, typed)


def test_choices_come_nearest_first() -> None:
    error = said_of(resource("model: {variant: qwen3-23b}"))

    assert error.choices[0] == "Qwen3-32B"
    assert len(error.choices) == 12


def test_a_misspelt_field_is_told_before_the_one_it_leaves_missing() -> None:
    error = said_of(resource("model: {varient: Qwen3-8B}"))

    assert error.field == "spec.model.varient"
    assert error.choices[0] == "variant"


def test_python_names_of_fields_are_no_names_of_the_resource() -> None:
    error = said_of(resource("max_model_len: 4096"))

    assert error.field == "spec.max_model_len"
    assert error.choices[0] == "maxModelLen"


def test_another_kind_is_refused() -> None:
    error = said_of({**resource(), "kind": "Deployment"})

    assert (error.field, error.value, error.choices) == (
        "kind",
        "Deployment",
        ("Qwen3Deployment",),
    )


def test_an_empty_document_is_refused_not_crashed_on() -> None:
    assert said_of({}).field == "metadata"
    assert said_of({"metadata": None, "spec": None}).field == "metadata"


def test_fields_of_metadata_that_are_not_ours_pass() -> None:
    body = resource()
    body["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"

    assert parse(body).metadata.creation_timestamp == "2026-01-01T00:00:00Z"


def test_an_unreadable_status_never_makes_a_resource_unreadable() -> None:
    body = {**resource(), "status": {"phase": "Dancing", "plan": [], "conditions": "none"}}

    assert parse(body).spec.replicas == 1
    assert parse_status(body).phase is None
    assert parse_status(body).conditions == ()


def test_a_status_is_read_as_it_was_written() -> None:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "",
        "observedGeneration": 3,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    written = {
        "observedGeneration": 3,
        "phase": "Ready",
        "replicas": 2,
        "readyReplicas": 1,
        "updatedReplicas": 2,
        "plan": {"schema": "plan/v1", "layout": {"tensor": 2}},
        "conditions": [condition],
    }

    status = parse_status({**resource(), "status": written})

    assert status.to_kubernetes() == written
    ready = status.condition("Ready")
    assert ready is not None
    assert ready.reason == "Ready"
    assert status.condition("Available") is None


def test_what_is_left_out_is_left_to_the_planner() -> None:
    request = plan_request(parse(resource()), load_catalog())

    assert request == PlanRequest(model="Qwen3-32B")


def test_what_is_given_reaches_the_planner() -> None:
    body = resource(
        """
        model: {variant: Qwen3-30B-A3B, source: 'hf://me/tuned', revision: v2, servedName: mine}
        engine:
          {name: vllm, version: 0.31.0, gpuMemoryUtilization: "0.85", maxNumSeqs: 64,
           maxNumBatchedTokens: 4096}
        quantization: fp8
        kvCacheDtype: fp8
        parallelism: {tensor: 4, pipeline: 2, data: 1, expert: 4}
        maxModelLen: 16384
        workload: {concurrency: 9, inputTokens: 1000, outputTokens: 200}
        replicas: 3
        maxGpus: 24
        accelerators: [H100-SXM-80GB]
        """
    )

    assert plan_request(parse(body), load_catalog()) == PlanRequest(
        model="Qwen3-30B-A3B",
        source="hf://me/tuned",
        revision="v2",
        served_name="mine",
        engine=EngineName.VLLM,
        engine_version="0.31.0",
        quantization=Quantization.FP8,
        kv_cache_dtype=KvCacheDtype.FP8,
        parallelism=ParallelismWish(tensor=4, pipeline=2, data=1, expert=4),
        replicas=3,
        max_model_len=16384,
        workload=Workload(concurrency=9, input_tokens=1000, output_tokens=200),
        tuning=EngineTuning(0.85, 64, 4096),
        accelerators=("H100-SXM-80GB",),
        max_gpus=24,
    )


def test_zero_replicas_are_planned_as_one() -> None:
    request = plan_request(parse(resource("replicas: 0")), load_catalog())

    assert request.replicas == 1


def test_accelerators_are_resolved_and_named_once() -> None:
    body = resource("accelerators: [h100-sxm-80gb, H100-SXM-80GB, a100-sxm-80gb]")

    request = plan_request(parse(body), load_catalog())

    assert request.accelerators == ("H100-SXM-80GB", "A100-SXM-80GB")


def test_an_unknown_accelerator_is_the_users_error_with_choices() -> None:
    body = resource("accelerators: [A100-SXM-80GB, H100-SMX-80GB]")

    with pytest.raises(SpecError) as caught:
        plan_request(parse(body), load_catalog())

    assert caught.value.field == "spec.accelerators[1]"
    assert caught.value.value == "H100-SMX-80GB"
    assert caught.value.choices[0] == "H100-SXM-80GB"
