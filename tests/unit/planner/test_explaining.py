"""The sums behind a plan add up to the plan's own integers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.explaining import complete
from qwen3_planner.explanation import Explanation, Term
from qwen3_planner.plan import Plan
from qwen3_planner.planning import explain, plan
from qwen3_planner.report.explanation_text import explanation_lines, origin_lines, time_lines
from qwen3_planner.report.plan_json import to_document
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from support.planner_builders import a_request, hardware

if TYPE_CHECKING:
    from qwen3_planner.request import PlanRequest

QUESTIONS = [
    pytest.param(a_request("Qwen3-32B"), "2xH100-SXM-80GB", id="dense"),
    pytest.param(a_request("Qwen3-0.6B"), "1xT4-16GB", id="tied"),
    pytest.param(
        a_request("Qwen3-32B", pipeline=4, tensor=1), "4xL40S-48GB", id="uneven stages"
    ),
    pytest.param(
        a_request("Qwen3-235B-A22B", concurrency=64, input_tokens=4096, output_tokens=1024),
        "8xH100-SXM-80GB",
        id="experts",
    ),
    pytest.param(
        a_request("Qwen3-30B-A3B", tensor=2, data=2, expert=4), "4xH100-SXM-80GB", id="expert data"
    ),
    pytest.param(
        a_request("Qwen3-8B", quantization=Quantization.AWQ_INT4), "1xRTX-4090-24GB", id="int4"
    ),
    pytest.param(
        a_request("Qwen3-8B", quantization=Quantization.FP8), "1xA10G-24GB", id="fp8 on ampere"
    ),
    pytest.param(
        a_request("Qwen3-8B", tuning=EngineTuning(gpu_memory_utilization=0.6)),
        "1xL40S-48GB",
        id="given utilization",
    ),
    pytest.param(a_request("Qwen3-14B", engine_version="0.11.0"), "1xL40S-48GB", id="first runner"),
    pytest.param(a_request("Qwen3-VL-8B-Instruct"), "1xH100-SXM-80GB", id="images"),
    pytest.param(a_request("Qwen3-Next-80B-A3B-Instruct"), "4xH100-SXM-80GB", id="hybrid"),
    pytest.param(a_request("Qwen3-Embedding-8B"), "1xL40S-48GB", id="pooling"),
    pytest.param(
        a_request(
            "Qwen3-32B",
            tuning=EngineTuning(cpu_offload_gib=10, max_loras=2, max_lora_rank=32),
        ),
        "1xH100-SXM-80GB",
        id="offload and adapters",
    ),
    pytest.param(
        a_request("Qwen3-8B", tuning=EngineTuning(kv_cache_memory_bytes=10 * 2**30)),
        "1xL40S-48GB",
        id="given pool",
    ),
]  # fmt: skip
SGLANG = [
    pytest.param(a_request("Qwen3-32B", engine=EngineName.SGLANG), "2xH100-SXM-80GB", id="sglang"),
    pytest.param(
        a_request("Qwen3-30B-A3B", engine=EngineName.SGLANG, tensor=1, data=2, concurrency=8),
        "2xH100-SXM-80GB",
        id="sglang, attention data parallelism",
    ),
    pytest.param(
        a_request("Qwen3-32B", engine=EngineName.SGLANG, pipeline=3, tensor=1),
        "3xL40S-48GB",
        id="sglang, uneven stages",
    ),
    pytest.param(
        a_request("Qwen3-VL-8B-Instruct", engine=EngineName.SGLANG),
        "1xH100-SXM-80GB",
        id="sglang, images",
    ),
    pytest.param(
        a_request("Qwen3-Next-80B-A3B-Instruct", engine=EngineName.SGLANG),
        "4xH100-SXM-80GB",
        id="sglang, hybrid",
    ),
    pytest.param(
        a_request(
            "Qwen3-32B",
            engine=EngineName.SGLANG,
            tuning=EngineTuning(cpu_offload_gib=10, kv_cache_memory_bytes=10 * 2**30),
        ),
        "1xH100-SXM-80GB",
        id="sglang, offload and given pool",
    ),
]
GGUF = [
    pytest.param(a_request("Qwen3-8B", engine=EngineName.LLAMACPP), "1xRTX-4090-24GB", id="gguf"),
    pytest.param(a_request("Qwen3-0.6B", engine=EngineName.LLAMACPP), "1xL4-24GB", id="gguf, tied"),
    pytest.param(
        a_request("Qwen3-32B", engine=EngineName.LLAMACPP, quantization=Quantization.GGUF_Q8_0),
        "2xRTX-4090-24GB",
        id="gguf, two GPUs",
    ),
    pytest.param(
        a_request("Qwen3-30B-A3B", engine=EngineName.LLAMACPP, quantization=Quantization.GGUF_Q8_0),
        "1xL4-24GB",
        id="gguf, experts on the host",
    ),
    pytest.param(
        a_request(
            "Qwen3-VL-8B-Instruct",
            quantization=Quantization.GGUF_Q8_0,
            source="hf://Qwen/files",
            kv_cache_dtype=KvCacheDtype.Q8_0,
            concurrency=4,
            engine=EngineName.LLAMACPP,
            input_tokens=1024,
            output_tokens=256,
        ),
        "1xRTX-4090-24GB",
        id="gguf, images and a quantized cache",
    ),
    pytest.param(a_request("Qwen3-8B"), "1xApple-M1-Max-32GB", id="gguf, Apple"),
    pytest.param(
        a_request(
            "Qwen3-Next-80B-A3B-Instruct",
            engine=EngineName.LLAMACPP,
            quantization=Quantization.GGUF_Q4_K_M,
            source="hf://Qwen/files",
        ),
        "1xH100-SXM-80GB",
        id="gguf, hybrid",
    ),
]


def both(request: PlanRequest, on: str) -> tuple[Plan, Explanation]:
    found = plan(request, hardware(on), load_catalog())
    told = explain(request, hardware(on), load_catalog())
    assert isinstance(found, Plan)
    assert told is not None
    return found, told


@pytest.mark.parametrize(("request_", "on"), QUESTIONS + SGLANG + GGUF)
def test_the_terms_of_a_figure_add_up_to_the_figure_of_the_plan(
    request_: PlanRequest, on: str
) -> None:
    found, told = both(request_, on)
    document = to_document(found)
    gpu = document["memory"]["perGpu"][told.rank]

    keys = ("weightsBytes", "activationBytes", "graphBytes", "overheadBytes", "kvCacheBytes")
    assert [part.n_bytes for part in told.parts] == [gpu[key] for key in keys]
    assert told.budget.n_bytes == gpu["budgetBytes"]
    for part in (told.budget, *told.parts):
        if part.terms:
            assert sum(term.n_bytes for term in part.terms) == part.n_bytes, part.name


@pytest.mark.parametrize(("request_", "on"), QUESTIONS + SGLANG + GGUF)
def test_every_byte_has_a_name(request_: PlanRequest, on: str) -> None:
    _, told = both(request_, on)
    for part in (told.budget, *told.parts):
        names = [term.name for term in part.terms]
        assert bool(names) is bool(part.n_bytes), part.name
        assert len(names) == len(set(names))
        assert not {"not told apart", "other tensors"} & set(names), names
        assert all(term.formula for term in part.terms)


@pytest.mark.parametrize(("request_", "on"), QUESTIONS + SGLANG + GGUF)
def test_the_terms_of_a_time_add_up_to_the_time_of_the_plan(request_: PlanRequest, on: str) -> None:
    told, explanation = both(request_, on)
    if told.performance is None:
        assert explanation.times == ()
        return
    token, first = explanation.times
    assert token.milliseconds == pytest.approx(told.performance.tpot_ms, rel=1e-3)
    assert first.milliseconds == pytest.approx(told.performance.ttft_ms, rel=1e-3)
    for time in explanation.times:
        assert sum(term.milliseconds for term in time.terms) == pytest.approx(time.milliseconds)
        assert all(term.formula for term in time.terms), time.name
        assert time.source
        assert 0 < time.relative_error < 2
    assert all(0 < rate.share <= 1 < rate.nominal for rate in explanation.rates)


def test_a_time_is_told_with_its_numbers_put_in() -> None:
    request = a_request("Qwen3-30B-A3B", tensor=2, concurrency=16)
    _, explanation = both(request, "2xH100-SXM-80GB")
    lines = "\n".join(time_lines(explanation, 200))
    assert "128 experts a rank (16 tokens visit" in lines
    assert "16 sequences x 1,152 tokens x 49,152 B at 3,350 GB/s" in lines
    assert "48 layers x 2 x 65.5 kB among 2 ranks over 450 GB/s" in lines
    assert "15 others" in lines
    document = to_document(plan(request, hardware("2xH100-SXM-80GB"), load_catalog()), explanation)
    assert [each["figure"] for each in document["explanation"]["times"]] == [
        "performance.tpotMs",
        "performance.ttftMs",
    ]
    assert document["explanation"]["rates"][0]["unit"] == "GB/s"


@pytest.mark.parametrize(("request_", "on"), QUESTIONS)
def test_it_is_the_gpu_whose_room_decides(request_: PlanRequest, on: str) -> None:
    found, told = both(request_, on)
    pool = next(part for part in told.parts if part.name == "KV cache")
    null_block = next(term for term in pool.terms if term.name == "null block").n_bytes
    assert 0 <= told.left_bytes < null_block
    assert sum(gpu.rank == told.rank for gpu in found.memory.per_gpu) == 1


@pytest.mark.parametrize(("request_", "on"), QUESTIONS + SGLANG + GGUF)
def test_every_figure_says_where_it_comes_from(request_: PlanRequest, on: str) -> None:
    found, told = both(request_, on)
    known = {origin.figure: origin for origin in found.provenance}
    beside = {"model.parameters", "memory.checkpoint", "memory.host"}
    assert {part.figure for part in (told.budget, *told.parts)} | beside <= set(known)
    assert all(origin.source for origin in known.values())


def test_the_stage_with_least_room_is_explained() -> None:
    _, told = both(a_request("Qwen3-32B", pipeline=2, tensor=2), "4xL40S-48GB")
    names = {term.name for part in told.parts for term in part.terms}
    assert told.rank in {0, 2}
    assert ("output head" in names) is (told.rank == 2)
    assert ("embedding" in names) is (told.rank == 0)


def test_what_terms_leave_over_is_shown_not_hidden() -> None:
    assert complete((Term("a", 3),), 5) == (Term("a", 3), Term("not told apart", 2))
    assert complete((Term("a", 3), Term("b", -1)), 2) == (Term("a", 3), Term("b", -1))
    assert complete((), 5) == ()


def test_nothing_is_explained_where_nothing_fits() -> None:
    request = a_request("Qwen3-235B-A22B", quantization=Quantization.BF16)
    assert explain(request, hardware("1xL4-24GB"), load_catalog()) is None


@pytest.mark.parametrize(("request_", "on"), QUESTIONS + SGLANG + GGUF)
@pytest.mark.parametrize("width", [80, 100])
def test_the_sums_fit_the_terminal(request_: PlanRequest, on: str, width: int) -> None:
    _, told = both(request_, on)
    lines = [*explanation_lines(told, width), *time_lines(told, width), *origin_lines(told, width)]
    too_long = [line for line in lines if len(line) > width and " " in line.strip()]
    assert [line for line in too_long if "://" not in line] == []


def test_the_lines_show_the_integers_of_the_plan() -> None:
    found, told = both(a_request("Qwen3-32B"), "2xH100-SXM-80GB")
    text = "\n".join(explanation_lines(told, 80))
    assert f"{found.memory.per_gpu[0].weights_bytes:,}" in text
    assert "embedding                777,912,320  embed_tokens 75,968 x 5,120 x 2 B" in text
    assert "gpu-memory-utilization 0.92" in text


def test_the_document_holds_the_sums_only_where_they_are_asked_for() -> None:
    found, told = both(a_request("Qwen3-8B"), "1xL40S-48GB")
    assert "explanation" not in to_document(found)
    document = json.loads(json.dumps(to_document(found, told)))["explanation"]
    weights = document["parts"][0]
    assert weights["figure"] == "memory.weights"
    assert weights["bytes"] == sum(term["bytes"] for term in weights["terms"])
    assert document["leftBytes"] == document["budget"]["bytes"] - sum(
        part["bytes"] for part in document["parts"]
    )
