"""The command line of an engine, and what its container needs."""

from __future__ import annotations

import json

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.engines import engine_of, image_of
from qwen3_planner.engines.sources import model_argument
from qwen3_planner.engines.vllm.semantics import YarnForm
from qwen3_planner.engines.vllm.yarn import rope_positions, yarn_arguments
from qwen3_planner.errors import SpecError
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from support.planner_builders import a_model, planned

ACCEPTED = {
    "--served-model-name",
    "--port",
    "--max-model-len",
    "--tensor-parallel-size",
    "--pipeline-parallel-size",
    "--data-parallel-size",
    "--enable-expert-parallel",
    "--nnodes",
    "--node-rank",
    "--master-addr",
    "--distributed-executor-backend",
    "--gpu-memory-utilization",
    "--max-num-seqs",
    "--max-num-batched-tokens",
    "--hf-overrides",
    "--kv-cache-dtype",
    "--quantization",
    "--dtype",
    "--revision",
    "--reasoning-parser",
    "--enable-auto-tool-choice",
    "--tool-call-parser",
}
"""Flags of vLLM 0.32.0's own parser that a plan may use (vllm/engine/arg_utils.py)."""


def flags(command: tuple[str, ...]) -> set[str]:
    return {word for word in command if word.startswith("--")}


def option(command: tuple[str, ...], flag: str) -> str:
    return command[command.index(flag) + 1]


def test_the_plainest_plan_says_only_what_it_decided() -> None:
    assert planned("Qwen3-32B", "2xH100-SXM-80GB", quantization=Quantization.BF16).command == (
        *("vllm", "serve", "Qwen/Qwen3-32B", "--served-model-name", "Qwen3-32B"),
        *("--port", "8000", "--max-model-len", "40960", "--tensor-parallel-size", "2"),
        *("--reasoning-parser", "qwen3"),
        *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
    )


def test_every_flag_is_one_that_the_engine_accepts() -> None:
    commands = [
        planned("Qwen3-8B", "1xH100-SXM-80GB", max_model_len=131072).command,
        planned("Qwen3-8B", "1xT4-16GB").command,
        planned("Qwen3-235B-A22B", "2x8xH100-SXM-80GB", tensor=8, pipeline=2).command,
        planned("Qwen3-30B-A3B", "4xH100-SXM-80GB", tensor=2, data=2, expert=4).command,
        planned(
            "Qwen3-8B",
            "1xH100-SXM-80GB",
            kv_cache_dtype=KvCacheDtype.FP8,
            revision="abc123",
            tuning=EngineTuning(0.9, 128, 4096),
        ).command,
    ]
    for command in commands:
        assert flags(command) <= ACCEPTED
        assert command[:2] == ("vllm", "serve")


def test_what_the_user_fixed_is_passed_on() -> None:
    command = planned(
        "Qwen3-8B", "1xH100-SXM-80GB", tuning=EngineTuning(0.9, 128, 4096), served_name="chat"
    ).command
    assert option(command, "--gpu-memory-utilization") == "0.9"
    assert option(command, "--max-num-seqs") == "128"
    assert option(command, "--max-num-batched-tokens") == "4096"
    assert option(command, "--served-model-name") == "chat"


def test_several_nodes_render_the_leader() -> None:
    plan = planned("Qwen3-235B-A22B", "2x8xH100-SXM-80GB", tensor=8, pipeline=2)
    assert plan.layout.nodes_per_replica == 2
    assert option(plan.command, "--nnodes") == "2"
    assert option(plan.command, "--node-rank") == "0"


def test_expert_parallelism_is_a_switch_without_a_size() -> None:
    assert "--enable-expert-parallel" not in planned("Qwen3-30B-A3B", "2xH100-SXM-80GB").command
    command = planned("Qwen3-30B-A3B", "2xH100-SXM-80GB", tensor=2, expert=2).command
    assert command[command.index("--enable-expert-parallel") + 1].startswith("--")


def test_gpus_without_bf16_units_compute_in_half() -> None:
    assert option(planned("Qwen3-8B", "1xT4-16GB").command, "--dtype") == "half"
    assert "--dtype" not in planned("Qwen3-8B", "1xL4-24GB").command


def test_block_fp8_avoids_deep_gemm_where_it_fails() -> None:
    def environment(version: str, on: str = "4xRTX-PRO-6000-96GB") -> dict[str, str]:
        plan = planned("Qwen3-235B-A22B", on, quantization=Quantization.FP8, engine_version=version)
        return dict(plan.env)

    assert environment("0.27.1") == {"VLLM_USE_DEEP_GEMM": "0"}
    assert environment("0.23.0") == {}  # not taken on 12.x before 0.24
    assert environment("0.27.1", "4xH200-SXM-141GB") == {}


@pytest.mark.parametrize(
    ("source", "argument"),
    [
        ("hf://Qwen/Qwen3-32B", "Qwen/Qwen3-32B"),
        ("pvc://weights/qwen/Qwen3-32B", "/models/qwen/Qwen3-32B"),
        ("pvc://weights", "/models"),
        ("modelscope://Qwen/Qwen3-32B", "Qwen/Qwen3-32B"),
        ("oci://registry.local:5000/team/qwen:v1", "/models"),
        ("oci://registry.local/qwen@sha256:00#models/32b", "/models/models/32b"),
    ],
)
def test_a_source_becomes_the_model_argument(source: str, argument: str) -> None:
    assert model_argument(source) == argument


@pytest.mark.parametrize(
    "source", ["s3://bucket/model", "Qwen/Qwen3-32B", "hf://", "pvc://", "oci://", ""]
)
def test_other_sources_are_refused(source: str) -> None:
    with pytest.raises(SpecError, match="source"):
        model_argument(source)


@pytest.mark.parametrize(
    ("engine", "switch"),
    [
        (EngineName.VLLM, ("VLLM_USE_MODELSCOPE", "true")),
        (EngineName.SGLANG, ("SGLANG_USE_MODELSCOPE", "true")),
        (EngineName.LLAMACPP, ("MODEL_ENDPOINT", "https://www.modelscope.cn/")),
    ],
)
def test_each_engine_is_told_to_fetch_from_modelscope(
    engine: EngineName, switch: tuple[str, str]
) -> None:
    repository = "Qwen/Qwen3-8B-GGUF" if engine is EngineName.LLAMACPP else "Qwen/Qwen3-8B"
    source = f"modelscope://{repository}"
    plan = planned("Qwen3-8B", "1xH100-SXM-80GB", source=source, engine=engine, revision="v1")
    assert switch in plan.env
    assert any(repository in word for word in plan.command)
    if engine is not EngineName.LLAMACPP:
        assert option(plan.command, "--revision") == "v1"


def test_weights_in_an_image_are_not_looked_up_on_the_hub() -> None:
    plan = planned("Qwen3-8B", "1xH100-SXM-80GB", source="oci://registry.local/mine:1#w")
    assert plan.command[2] == "/models/w"
    assert ("HF_HUB_OFFLINE", "1") in plan.env


@pytest.mark.parametrize(
    ("engine", "revision", "model"),
    [
        (EngineName.VLLM, None, "/models/hf/Qwen/Qwen3-8B/default"),
        (EngineName.SGLANG, "v1", "/models/hf/Qwen/Qwen3-8B/v1"),
        (EngineName.LLAMACPP, "v1", "/models/hf/Qwen/Qwen3-8B-GGUF/v1/Qwen3-8B-Q4_K_M.gguf"),
    ],
)
def test_weights_that_were_brought_are_named_by_their_folder(
    engine: EngineName, revision: str | None, model: str
) -> None:
    gguf = engine is EngineName.LLAMACPP
    plan = planned(
        "Qwen3-8B",
        "1xH100-SXM-80GB",
        engine=engine,
        revision=revision,
        quantization=Quantization.GGUF_Q4_K_M if gguf else Quantization.BF16,
        weights_at="/models/",
    )
    assert model in plan.command
    assert "--revision" not in plan.command
    assert plan.source.startswith("hf://")


def test_weights_on_a_volume_are_not_looked_up_on_the_hub() -> None:
    plan = planned("Qwen3-8B", "1xH100-SXM-80GB", source="pvc://weights/mine", revision="main")
    assert plan.env == (("HF_HUB_OFFLINE", "1"),)
    assert "--revision" not in plan.command
    assert plan.command[2] == "/models/mine"


def test_yarn_is_asked_for_as_the_version_wants_it() -> None:
    model = a_model("Qwen3-8B")
    assert yarn_arguments(model, 40960, YarnForm.HF_OVERRIDES) == ()
    flag, text = yarn_arguments(model, 65536, YarnForm.ROPE_SCALING)
    assert flag == "--rope-scaling"
    assert json.loads(text) == {
        "rope_type": "yarn",
        "factor": 2.0,
        "original_max_position_embeddings": 32768,
    }
    flag, text = yarn_arguments(model, 131072, YarnForm.HF_OVERRIDES)
    overrides = json.loads(text)
    assert flag == "--hf-overrides"
    assert overrides["max_position_embeddings"] == 131072
    assert overrides["rope_parameters"]["factor"] == 4.0
    assert overrides["rope_parameters"]["rope_theta"] == 1e6


def test_yarn_lengthens_the_rotary_table() -> None:
    model = a_model("Qwen3-8B")
    assert [rope_positions(model, n) for n in (1, 40960, 40961, 100_000)] == [
        40960,
        40960,
        65536,
        131072,
    ]


def test_the_engine_tells_what_its_container_needs() -> None:
    engine = engine_of("vllm")
    assert (engine.port, engine.health_path, engine.model_mount_path) == (
        8000,
        "/health",
        "/models",
    )
    assert engine.shutdown_arguments("0.32.0", 30) == ("--shutdown-timeout", "30")
    assert engine.shutdown_arguments("0.17.9", 30) == ()
    assert engine.metrics.requests_waiting == "vllm:num_requests_waiting"


def test_an_image_is_known_by_vendor_and_version() -> None:
    release = load_catalog().engine("vllm")
    assert image_of(release, "0.32.0", "nvidia") == "vllm/vllm-openai:v0.32.0"
    assert image_of(release, "0.14.1", "amd") == "vllm/vllm-openai-rocm:v0.14.1"
    with pytest.raises(SpecError, match="no image of vllm"):
        image_of(release, "0.14.0", "amd")
    sglang = load_catalog().engine("sglang")
    assert image_of(sglang, "0.5.18", "amd") == "lmsysorg/sglang:v0.5.18-rocm720-mi30x"
    with pytest.raises(SpecError, match="no image of sglang"):
        image_of(sglang, "0.4.9", "amd")


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SpecError, match="allowed: vllm"):
        engine_of("vlllm")
