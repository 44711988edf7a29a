"""How SGLang serves: its share of memory, its pool, what must fit beside it, its layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.engines.sources import LEADER_ADDRESS
from qwen3_planner.plan import Layout, NoPlan
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from qwen3_planner.serving.sglang import SglangServing, expert_sizes
from qwen3_planner.units import GIB
from support.planner_builders import a_model, a_question, answer, planned

if TYPE_CHECKING:
    from qwen3_planner.plan import Plan

SGLANG = EngineName.SGLANG


def on(model: str, hardware: str, **fields: object) -> Plan:
    tuning = EngineTuning(**fields.pop("tuning", {}))  # type: ignore[arg-type]  # a dict
    return planned(model, hardware, engine=SGLANG, tuning=tuning, **fields)


def after(plan: Plan, flag: str) -> str | None:
    command = plan.command
    return command[command.index(flag) + 1] if flag in command else None


def test_the_pool_is_what_the_share_leaves_after_loading() -> None:
    plan = on("Qwen3-8B", "1xH100-SXM-80GB", engine_version="0.5.9")
    gpu = plan.memory.per_gpu[0]
    fraction = round((81_559 - 512 - 1.5 * 8192 - 2 * 256 - 128) / 81_559, 3)
    assert gpu.budget_bytes == int(fraction * gpu.device_bytes)
    used = gpu.weights_bytes + gpu.overhead_bytes + gpu.kv_cache_bytes
    assert gpu.budget_bytes - 36 * 8 * 128 * 4 < used <= gpu.budget_bytes
    assert (gpu.activation_bytes, gpu.graph_bytes) == (0, 0)
    assert plan.memory.kv_cache_tokens == gpu.kv_cache_bytes // (36 * 8 * 128 * 4)


def test_a_given_share_is_taken_and_passed_on() -> None:
    plan = on("Qwen3-8B", "1xH100-SXM-80GB", tuning={"gpu_memory_utilization": 0.5})
    gpu = plan.memory.per_gpu[0]
    assert gpu.budget_bytes == gpu.device_bytes // 2
    assert after(plan, "--mem-fraction-static") == "0.5"


def test_a_given_pool_is_exactly_that_large_in_tokens() -> None:
    token = 36 * 8 * 128 * 4
    asked = {"kv_cache_memory_bytes": 100_000 * token}
    memory = (plan := on("Qwen3-8B", "1xH100-SXM-80GB", tuning=asked)).memory
    ends = memory.kv_cache_tokens_low, memory.kv_cache_tokens, memory.kv_cache_tokens_high
    assert ends == (100_000, 100_000, 100_000)
    assert after(plan, "--max-total-tokens") == "100000"


def test_a_given_pool_that_does_not_fit_is_no_larger_than_what_fits() -> None:
    plain = on("Qwen3-8B", "1xH100-SXM-80GB").memory
    more = on("Qwen3-8B", "1xH100-SXM-80GB", tuning={"kv_cache_memory_bytes": 200 * GIB}).memory
    assert more.kv_cache_tokens == plain.kv_cache_tokens
    assert more.kv_cache_tokens_low < more.kv_cache_tokens


def test_pages_of_64_tokens_are_whole_on_blackwell() -> None:
    assert on("Qwen3-8B", "1xB200-SXM-180GB").memory.kv_cache_tokens % 64 == 0
    older = on("Qwen3-8B", "1xB200-SXM-180GB", engine_version="0.5.6").memory.kv_cache_tokens
    assert older % 64


def test_every_stage_has_the_room_of_the_fullest_one() -> None:
    plan = on("Qwen3-235B-A22B", "8xH200-SXM-141GB", tensor=2, pipeline=4)
    cells = {gpu.stage: gpu.kv_cache_bytes for gpu in plan.memory.per_gpu}
    assert len({gpu.budget_bytes for gpu in plan.memory.per_gpu}) == 1
    assert cells[0] // 23 == cells[3] // 24


def test_weights_in_host_memory_make_room_in_whole_gib() -> None:
    plain = on("Qwen3-8B", "1xL4-24GB", quantization=Quantization.FP8)
    less = on(
        "Qwen3-8B", "1xL4-24GB", quantization=Quantization.FP8, tuning={"cpu_offload_gib": 2.5}
    )
    spared = plain.memory.per_gpu[0].weights_bytes - less.memory.per_gpu[0].weights_bytes
    assert spared == 2 * GIB
    assert after(less, "--cpu-offload-gb") == "2"
    assert any("2 of the 2.5 asked for" in warning for warning in less.warnings)


def test_attention_data_parallelism_gives_each_group_a_pool_and_copies_the_attention() -> None:
    spread = on("Qwen3-235B-A22B", "8xH200-SXM-141GB", tensor=1, data=8, expert=8)
    shared = on("Qwen3-235B-A22B", "8xH200-SXM-141GB", tensor=8, expert=8)
    assert after(spread, "--tp-size") == after(shared, "--tp-size") == "8"
    assert after(spread, "--attn-dp-size") == "8"
    assert spread.memory.per_gpu[0].weights_bytes > shared.memory.per_gpu[0].weights_bytes
    assert any("attention data parallelism" in warning for warning in spread.warnings)


def test_the_load_is_shared_by_the_groups() -> None:
    serving, question = SglangServing(), a_question("Qwen3-32B", engine=SGLANG, concurrency=9)
    assert serving.needed_blocks(question, Layout(2, data=4), 1000) == 3 * 1000
    stated = a_question(
        "Qwen3-32B", engine=SGLANG, concurrency=9, input_tokens=100, output_tokens=20
    )
    assert serving.needed_blocks(stated, Layout(2, data=4), 1000) == 1000
    assert serving.needed_blocks(stated, Layout(2), 1000) == 9 * 120


def test_the_longest_context_is_what_the_load_leaves_in_steps_of_sixteen() -> None:
    serving, question = SglangServing(), a_question("Qwen3-32B", engine=SGLANG, concurrency=2)
    assert serving.longest_context(question, Layout(), 10_007) == 4992
    exact = a_question("Qwen3-32B", engine=SGLANG, max_model_len=4999, concurrency=2)
    assert serving.longest_context(exact, Layout(), 9998) == 4999
    assert serving.longest_context(exact, Layout(), 9997) < 4999


def test_what_does_not_fit_beside_the_share_is_told_with_a_share_that_leaves_enough() -> None:
    plan = on("Qwen3-8B", "1xH100-SXM-80GB", tuning={"gpu_memory_utilization": 0.985})
    (said,) = (warning for warning in plan.warnings if "mem-fraction-static" in warning)
    share = float(said.split("--gpu-memory-utilization ")[1].split(" ")[0])
    assert share < 0.985
    less = on("Qwen3-8B", "1xH100-SXM-80GB", tuning={"gpu_memory_utilization": share})
    assert not any("mem-fraction-static" in warning for warning in less.warnings)


@pytest.mark.thorough
def test_a_share_that_surely_leaves_too_little_is_refused_with_one_that_does_not() -> None:
    tuning = EngineTuning(gpu_memory_utilization=0.995)
    found = answer("Qwen3-8B", "1xH100-SXM-80GB", engine=SGLANG, tuning=tuning)
    assert isinstance(found, NoPlan)
    (refusal, *_) = found.refusals
    assert refusal.rule == "InsufficientGPUMemory"
    shares = [dict(fix.assignments).get("gpuMemoryUtilization") for fix in refusal.fixes]
    assert any(isinstance(share, float) and share < 0.995 for share in shares)


def test_defaults_leave_room_beside_the_share_on_common_cards() -> None:
    for model, hardware in (
        ("Qwen3-8B", "1xL4-24GB"),
        ("Qwen3-32B", "2xH100-SXM-80GB"),
        ("Qwen3-30B-A3B", "1xH100-SXM-80GB"),
        ("Qwen3-235B-A22B", "8xH200-SXM-141GB"),
        ("Qwen3-4B", "1xRTX-4090-24GB"),
    ):
        warnings = on(model, hardware).warnings
        assert not any("mem-fraction-static" in warning for warning in warnings), (model, hardware)


def test_requests_beyond_what_runs_at_once_wait() -> None:
    asked = on(
        "Qwen3-0.6B", "1xH100-SXM-80GB", concurrency=40, tuning={"max_num_seqs": 8},
        input_tokens=10, output_tokens=10,
    )  # fmt: skip
    assert any("max-running-requests=8" in warning for warning in asked.warnings)
    default = on(
        "Qwen3-0.6B", "1xH100-SXM-80GB", concurrency=5000, input_tokens=10, output_tokens=10
    )
    assert any("more than the 4096 that SGLang runs" in warning for warning in default.warnings)


def test_a_hybrid_models_states_share_the_pool_with_its_cache() -> None:
    plan = on("Qwen3-Next-80B-A3B-Instruct", "4xH100-SXM-80GB", tensor=4)
    gpu = plan.memory.per_gpu[0]
    states = gpu.overhead_bytes
    assert states / gpu.kv_cache_bytes == pytest.approx(0.9, rel=0.15)


def test_vision_models_give_up_a_part_of_the_share() -> None:
    text, seeing = (
        on(name, "1xH100-SXM-80GB", engine_version="0.5.9").memory.per_gpu[0].budget_bytes
        for name in ("Qwen3-8B", "Qwen3-VL-8B-Instruct")
    )
    assert seeing < 0.97 * text


def test_cards_without_bf16_serve_in_fp16_and_say_so() -> None:
    plan = on("Qwen3-0.6B", "1xT4-16GB", quantization=Quantization.BF16)
    assert after(plan, "--dtype") == "half"
    assert plan.kv_cache_dtype == KvCacheDtype.FP16
    assert any("in fp16" in warning for warning in plan.warnings)


def test_amd_pools_are_less_certain() -> None:
    amd = on("Qwen3-32B", "1xMI300X-192GB").memory
    assert amd.kv_cache_tokens_low < 0.8 * amd.kv_cache_tokens


def test_only_expert_groups_that_differ_are_asked_about() -> None:
    model = a_model("Qwen3-235B-A22B")
    assert expert_sizes(model, 8, any_size=True) == (1, 2, 8)
    assert expert_sizes(model, 8, any_size=False) == (1, 8)
    assert expert_sizes(model, 1, any_size=True) == (1,)
    assert expert_sizes(a_model("Qwen3-30B-A3B"), 4, any_size=True) == (1, 2, 4)


def test_a_fixed_expert_group_is_kept() -> None:
    plan = on("Qwen3-235B-A22B", "8xH200-SXM-141GB", tensor=8, expert=4)
    assert plan.layout == Layout(8, expert=4)
    assert after(plan, "--ep-size") == "4"


def test_rerankers_score_by_their_next_token_and_embedders_embed() -> None:
    scoring = on("Qwen3-Reranker-0.6B", "1xL4-24GB").command
    assert "--is-embedding" not in scoring
    assert scoring[scoring.index("--chat-template") + 1].endswith("qwen3_reranker.jinja")
    assert "--is-embedding" in on("Qwen3-Embedding-0.6B", "1xL4-24GB").command


def test_a_replica_over_two_nodes_meets_at_its_leader() -> None:
    plan = on("Qwen3-Coder-480B-A35B-Instruct", "2x8xH100-SXM-80GB", quantization=Quantization.BF16)
    assert plan.layout.nodes_per_replica == 2
    assert after(plan, "--nnodes") == "2"
    assert after(plan, "--dist-init-addr") == f"{LEADER_ADDRESS}:20000"
