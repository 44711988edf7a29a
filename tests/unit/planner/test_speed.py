"""The server behind a fit: its stages, rates and limits are those of the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.performance.load import Load, Server, alone_seconds
from qwen3_planner.question import Question, understand
from qwen3_planner.request import EngineTuning, Quantization
from qwen3_planner.solving import solve
from qwen3_planner.speed import load_of, server_of, speed_of
from support.planner_builders import a_request, hardware

if TYPE_CHECKING:
    from qwen3_planner.performance.prediction import Prediction
    from qwen3_planner.serving.verdicts import Fit

ROWS = load_catalog().efficiencies


def solved(model: str, on: str, **fields: object) -> tuple[Question, Fit]:
    inventory = hardware(on)
    question = understand(a_request(model, **fields), inventory, load_catalog())
    best = solve(question, inventory).best
    assert best is not None
    return question, best.fit


def served(model: str, on: str, **fields: object) -> Server:
    server = server_of(*solved(model, on, **fields), ROWS)
    assert server is not None
    return server


def predicted(model: str, on: str, **fields: object) -> Prediction:
    prediction = speed_of(*solved(model, on, **fields), ROWS)
    assert prediction is not None
    return prediction


def test_the_limits_are_those_of_the_plan() -> None:
    question, fit = solved("Qwen3-32B", "2xH100-SXM-80GB", tensor=2)
    server = server_of(question, fit, ROWS)
    assert server is not None
    assert server.limits.sequences == fit.setting.batch.seqs
    assert server.limits.step_tokens == fit.setting.batch.tokens
    assert server.limits.kv_tokens == pytest.approx(fit.blocks * 16, rel=0.001)


def test_what_a_load_leaves_open_is_the_default() -> None:
    assert load_of(solved("Qwen3-0.6B", "1xL4-24GB")[0]) == Load(1024, 256, 1)
    stated = solved("Qwen3-0.6B", "1xL4-24GB", concurrency=3, input_tokens=9, output_tokens=5)
    assert load_of(stated[0]) == Load(9, 5, 3)


def test_every_stage_of_a_pipeline_is_timed() -> None:
    assert len(served("Qwen3-32B", "4xL40S-48GB", tensor=2, pipeline=2).stages) == 2


def test_llama_cpp_passes_every_device_in_each_step() -> None:
    server = served("Qwen3-32B", "2xRTX-3090-24GB", quantization=Quantization.GGUF_Q8_0)
    assert len(server.stages) == 2
    assert not server.is_pipelined


def test_layers_on_the_host_are_as_slow_as_its_memory_and_the_plan_says_it_is_assumed() -> None:
    whole = predicted("Qwen3-30B-A3B", "1xRTX-4090-24GB", quantization=Quantization.GGUF_Q4_K_M)
    part = predicted("Qwen3-30B-A3B", "1xRTX-5070-12GB", quantization=Quantization.GGUF_Q4_K_M)
    server = served("Qwen3-30B-A3B", "1xRTX-5070-12GB", quantization=Quantization.GGUF_Q4_K_M)
    assert part.tpot_s.value > 3 * whole.tpot_s.value
    assert any("host memory" in text for text in server.assumed)


def test_long_prompts_of_layers_on_the_host_are_computed_on_the_card() -> None:
    server = served("Qwen3-32B", "1xRTX-5070-12GB", quantization=Quantization.GGUF_Q4_K_M)
    host = server.stages[0]
    alone = replace(server, stages=(replace(host, helper=None), *server.stages[1:]))
    assert host.helper is not None
    assert alone_seconds(server, 1024) < 0.2 * alone_seconds(alone, 1024)
    assert alone_seconds(server, 1) == alone_seconds(alone, 1)


def test_experts_on_the_host_cost_a_change_of_device_in_every_layer() -> None:
    server = served("Qwen3-30B-A3B", "1xRTX-5070-12GB", quantization=Quantization.GGUF_Q4_K_M)
    dense = served("Qwen3-32B", "1xRTX-5070-12GB", quantization=Quantization.GGUF_Q4_K_M)
    assert server.stages[0].efficiency.layer_us > 100
    assert dense.stages[0].efficiency.layer_us < 50


def test_a_pi_is_slower_than_a_mac_and_a_mac_than_a_gpu() -> None:
    speeds = [
        predicted("Qwen3-4B", on, quantization=Quantization.GGUF_Q4_K_M).output_tokens_per_s.value
        for on in ("1xRaspberryPi5-8GB", "1xApple-M2-Pro-32GB", "1xRTX-4090-24GB")
    ]
    assert speeds == sorted(speeds)
    assert speeds[0] < 8
    assert speeds[2] > 100


def test_an_engine_without_fitted_rows_has_no_speed() -> None:
    assert speed_of(*solved("Qwen3-0.6B", "1xL4-24GB"), ()) is None


def test_a_pooling_model_generates_nothing() -> None:
    pooling = [model.name for model in load_catalog().models if model.is_pooling]
    for name in pooling[:1]:
        assert speed_of(*solved(name, "1xL4-24GB"), ROWS) is None


def test_idle_requests_do_not_widen_the_interval() -> None:
    one = predicted("Qwen3-32B", "2xH100-SXM-80GB", tensor=2)
    assert one.relative_error < 0.1


def test_what_was_asked_of_the_engine_slows_it() -> None:
    usual = predicted("Qwen3-8B", "1xL40S-48GB")
    eager = predicted("Qwen3-8B", "1xL40S-48GB", tuning=EngineTuning(enforce_eager=True))
    hosted = predicted("Qwen3-8B", "1xL40S-48GB", tuning=EngineTuning(cpu_offload_gib=8))
    assert eager.tpot_s.value > usual.tpot_s.value + 0.005
    assert hosted.tpot_s.value > 5 * usual.tpot_s.value
