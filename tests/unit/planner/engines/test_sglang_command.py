"""SGLang's command line: what is said, what is left to the engine, and how releases differ."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.sglang.command import LaunchOptions, command, environment
from qwen3_planner.engines.sglang.semantics import semantics_at
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.plan import Layout
from qwen3_planner.request import ChatSettings, EngineTuning, KvCacheDtype
from support.planner_builders import a_model

PLAIN = LaunchOptions(
    model=a_model("Qwen3-30B-A3B"),
    source="hf://Qwen/Qwen3-30B-A3B",
    revision=None,
    served_name="Qwen3-30B-A3B",
    layout=Layout(),
    max_model_len=32768,
    kv_cache_dtype=KvCacheDtype.BF16,
    kv_tokens=None,
    tuning=EngineTuning(),
    chat=ChatSettings(),
    is_online_fp8=False,
    wants_half=False,
    avoids_deep_gemm=False,
    semantics=semantics_at(parse_version("0.5.23")),
)


def options(version: str = "0.5.23", **fields: object) -> LaunchOptions:
    changed = replace(PLAIN, semantics=semantics_at(parse_version(version)))
    return replace(changed, **fields)  # type: ignore[arg-type]  # by the names of LaunchOptions


def value_of(words: tuple[str, ...], flag: str) -> str:
    return words[words.index(flag) + 1]


def test_address_and_metrics_are_always_said() -> None:
    words = command(PLAIN)
    assert words[:3] == ("python3", "-m", "sglang.launch_server")
    assert value_of(words, "--host") == "0.0.0.0"  # noqa: S104 - what is tested
    assert value_of(words, "--port") == "30000"
    assert "--enable-metrics" in words


def test_what_the_user_left_open_is_left_to_the_engine() -> None:
    words = command(PLAIN)
    for flag in (
        "--mem-fraction-static",
        "--max-running-requests",
        "--chunked-prefill-size",
        "--kv-cache-dtype",
        "--pp-size",
        "--ep-size",
        "--attn-dp-size",
        "--dtype",
        "--json-model-override-args",
    ):
        assert flag not in words


def test_what_the_user_fixed_is_said_in_sglang_s_words() -> None:
    tuning = EngineTuning(gpu_memory_utilization=0.85, max_num_seqs=64, max_num_batched_tokens=4096)
    words = command(options(tuning=tuning, kv_cache_dtype=KvCacheDtype.FP8, kv_tokens=100_000))
    assert value_of(words, "--mem-fraction-static") == "0.85"
    assert value_of(words, "--max-running-requests") == "64"
    assert value_of(words, "--chunked-prefill-size") == "4096"
    assert value_of(words, "--kv-cache-dtype") == "fp8_e4m3"
    assert value_of(words, "--max-total-tokens") == "100000"


def test_the_tensor_size_counts_the_attention_s_data_ranks() -> None:
    words = command(options(layout=Layout(tensor=2, data=4, expert=8)))
    assert value_of(words, "--tp-size") == "8"
    assert value_of(words, "--attn-dp-size") == "4"
    assert value_of(words, "--ep-size") == "8"


def test_attention_data_parallelism_was_two_flags_before_0_5_22() -> None:
    words = command(options("0.5.21", layout=Layout(tensor=1, data=2)))
    assert "--enable-dp-attention" in words
    assert value_of(words, "--dp-size") == "2"
    assert "--attn-dp-size" not in words


def test_expert_parallelism_was_all_ranks_before_0_5_1() -> None:
    layout = Layout(tensor=4, expert=4)
    assert "--enable-ep-moe" in command(options("0.4.9", layout=layout))
    assert "--enable-ep-moe" not in command(options("0.5.1", layout=layout))
    assert value_of(command(options("0.5.1", layout=layout)), "--ep-size") == "4"


def test_nodes_meet_at_the_leader() -> None:
    words = command(options(layout=Layout(tensor=16, nodes_per_replica=2)))
    assert value_of(words, "--nnodes") == "2"
    assert value_of(words, "--node-rank") == "0"
    assert value_of(words, "--dist-init-addr") == "$(LEADER_ADDRESS):20000"


def test_yarn_states_the_length_because_the_factor_is_ignored() -> None:
    words = command(options(max_model_len=131_072))
    overrides = json.loads(value_of(words, "--json-model-override-args"))
    assert overrides["max_position_embeddings"] == 131_072
    assert overrides["rope_scaling"]["factor"] == 4.0
    assert overrides["rope_scaling"]["rope_theta"] == 1e6
    assert value_of(words, "--context-length") == "131072"


@pytest.mark.parametrize(
    ("version", "is_said"), [("0.5.9", False), ("0.5.10", True), ("0.5.13.post1", True)]
)
def test_eager_also_ends_prefill_graphs_where_the_one_flag_leaves_them(
    version: str, *, is_said: bool
) -> None:
    words = command(options(version, tuning=EngineTuning(enforce_eager=True)))
    assert "--disable-cuda-graph" in words
    assert ("--disable-piecewise-cuda-graph" in words) is is_said


@pytest.mark.parametrize(
    ("version", "switch"),
    [("0.4.8", "SGL_ENABLE_JIT_DEEPGEMM"), ("0.5.4", "SGLANG_ENABLE_JIT_DEEPGEMM")],
)
def test_deep_gemm_is_switched_off_under_the_name_of_the_release(version: str, switch: str) -> None:
    assert environment(options(version, avoids_deep_gemm=True)) == ((switch, "0"),)
    assert environment(options(version)) == ()


def test_weights_on_a_volume_are_served_offline() -> None:
    there = options(source="pvc://weights/Qwen3-30B-A3B", revision="main")
    assert value_of(command(there), "--model-path") == "/models/Qwen3-30B-A3B"
    assert "--revision" not in command(there)
    assert environment(there) == (("HF_HUB_OFFLINE", "1"),)


def test_the_profile_says_how_the_container_is_run() -> None:
    profile = engine_of("sglang")
    assert command(PLAIN)[: len(profile.program)] == profile.program
    assert (profile.port, profile.health_path) == (30000, "/health")
    assert profile.metrics.requests_waiting == "sglang:num_queue_reqs"
    assert profile.shutdown_arguments("0.5.23", 30) == ()
