"""A real llama.cpp server holds what its plan says, buffer by buffer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.rows import LinearAttention
from qwen3_planner.checkpoints.gguf_model import gguf_as_model
from qwen3_planner.engines import engine_of
from qwen3_planner.engines.samples import LLAMACPP_CONTEXT, Sample
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import EngineTuning, KvCacheDtype, PlanRequest, Workload
from qwen3_planner.units import MIB
from support.gguf_files import write_gguf
from support.gguf_geometries import NARROW
from support.llamacpp_server import BUILD, Served, serve

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture

pytestmark = pytest.mark.engine

DENSE = replace(
    NARROW,
    hidden_size=512,
    layers=4,
    intermediate_size=1024,
    attention_heads=8,
    kv_heads=2,
    head_dim=128,
    vocab_size=512,
)
UNTIED = replace(DENSE, tied_embeddings=False, intermediate_size=3072)
EXPERTS = replace(
    DENSE,
    tied_embeddings=False,
    hidden_size=256,
    attention_heads=4,
    moe_intermediate_size=96,
    intermediate_size=768,
    experts=16,
    experts_per_token=8,
)
"""Width of an expert beside that of the model as in Qwen3-30B-A3B."""

HYBRID = replace(
    EXPERTS,
    layers=8,
    head_dim=256,
    attention_heads=2,
    kv_heads=1,
    moe_intermediate_size=64,
    experts_per_token=10,
    full_attention_interval=4,
    linear_attention=LinearAttention(2, 4, 128, 128, 4),
    attention_output_gate=True,
    rotary_share=0.25,
    shared_expert_intermediate_size=64,
)
"""The same as in Qwen3-Next-80B-A3B."""

LOGGED = 0.011
"""MiB by which two sums of figures with two decimals may differ."""


def words() -> list[str]:
    """Name a vocabulary: every byte as byte-level encodings write it, fillers, an end."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [256 + place for place in range(256 - len(plain))]
    letters = [chr(code) for code in (*plain, *others)]
    return [*letters, *(f"w{n}" for n in range(511 - len(letters))), "<|im_end|>"]


def planned(path: Path, request: PlanRequest) -> Plan:
    resolved = gguf_as_model(str(path), load_catalog())
    asked = replace(request, model=resolved.name, source=resolved.source)
    here = parse_hardware("RaspberryPi5-16GB", resolved.catalog)
    made = plan(asked, here, resolved.catalog)
    assert isinstance(made, Plan), made
    return made


@pytest.mark.parametrize(
    ("model", "request_"),
    [
        pytest.param(DENSE, PlanRequest("", max_model_len=2048), id="tied"),
        pytest.param(UNTIED, PlanRequest("", max_model_len=4096), id="untied"),
        pytest.param(
            DENSE,
            PlanRequest("", max_model_len=1024, workload=Workload(concurrency=3)),
            id="three slots",
        ),
        pytest.param(
            DENSE,
            PlanRequest(
                "",
                max_model_len=2048,
                workload=Workload(concurrency=4, input_tokens=200, output_tokens=100),
            ),
            id="slots that share",
        ),
        pytest.param(
            UNTIED,
            PlanRequest("", max_model_len=3000, kv_cache_dtype=KvCacheDtype.Q8_0),
            id="quantized cache",
        ),
        pytest.param(
            DENSE,
            PlanRequest("", max_model_len=2048, tuning=EngineTuning(max_num_batched_tokens=128)),
            id="small batch",
        ),
        pytest.param(EXPERTS, PlanRequest("", max_model_len=2048), id="experts"),
        pytest.param(
            HYBRID,
            PlanRequest("", max_model_len=2048, workload=Workload(concurrency=2)),
            id="hybrid",
        ),
    ],
)
def test_buffers_are_those_of_the_plan(
    model: ModelArchitecture, request_: PlanRequest, tmp_path: Path
) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", model, "Q8_0", tokens=words())
    made = planned(path, request_)
    assert made.engine_version == BUILD
    (device,) = made.memory.per_gpu

    served = serve(made.command)

    assert served.mib("model") == pytest.approx(device.weights_bytes / MIB, abs=LOGGED)
    assert served.mib("KV") == pytest.approx(device.kv_cache_bytes / MIB, abs=LOGGED)
    buffers = served.mib("compute") + served.mib("output")
    assert buffers == pytest.approx(device.activation_bytes / MIB, rel=0.01, abs=0.1)
    state = device.overhead_bytes / MIB - 256
    assert served.mib("RS") == pytest.approx(state, abs=LOGGED)
    assert f"n_ctx                 = {made.memory.kv_cache_tokens}" in served.log
    assert tokens_said(served, made) == made.memory.kv_cache_tokens


def tokens_said(served: Served, made: Plan) -> int | None:
    """Read the cache as the operator does: from the list of models."""
    profile = engine_of("llamacpp")
    told = json.loads(served.answers[profile.figures_path])
    sample = Sample(LLAMACPP_CONTEXT, {}, told["data"][0]["meta"]["n_ctx"])
    return profile.kv_cache_tokens([sample], profile.cache_parts(made.command, 1))


def test_metrics_and_requests_want_the_api_key_and_health_does_not(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "keyed.gguf", DENSE, "Q8_0", tokens=words())
    command = planned(path, PlanRequest("", max_model_len=1024)).command

    answers = serve(command, api_key="k").answers

    assert engine_of("llamacpp").metrics_need_key
    assert answers["without a key /metrics"] == "401"
    assert "llamacpp:" in answers["/metrics"]
    assert json.loads(answers["without a key /health"]) == {"status": "ok"}
    assert answers["without a key /v1/models"] == "401"


def test_a_server_says_how_it_is_under_the_names_that_are_told(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", DENSE, "Q8_0", tokens=words())
    served = serve(planned(path, PlanRequest("", max_model_len=1024)).command)
    assert "ok" in served.answers[engine_of("llamacpp").health_path]
    names = engine_of("llamacpp").metrics
    text = served.answers[engine_of("llamacpp").metrics_path]
    for name in (
        names.requests_running,
        names.requests_waiting,
        names.prompt_tokens,
        names.generation_tokens,
    ):
        assert f"\n{name} 0" in text
