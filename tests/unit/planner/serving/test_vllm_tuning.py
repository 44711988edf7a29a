"""What the user's tuning of vLLM does to memory and to the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.engines.versions import Version, parse_version
from qwen3_planner.engines.vllm.flags import takes
from qwen3_planner.errors import SpecError
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from qwen3_planner.units import GIB
from support.planner_builders import a_question, planned, refused

if TYPE_CHECKING:
    from qwen3_planner.plan import Plan

PLAIN = EngineTuning()


def on_h100(model: str = "Qwen3-8B", gpus: int = 1, **fields: object) -> Plan:
    fields.setdefault("quantization", Quantization.BF16)
    fields.setdefault("engine", EngineName.VLLM)
    return planned(model, f"{gpus}xH100-SXM-80GB", **fields)


def option(command: tuple[str, ...], flag: str) -> str:
    return command[command.index(flag) + 1]


def test_a_given_pool_is_the_pool_whatever_the_share() -> None:
    tuning = EngineTuning(kv_cache_memory_bytes=20 * GIB)
    plan = on_h100(tuning=tuning)
    gpu = plan.memory.per_gpu[0]
    assert 20 * GIB - gpu.kv_cache_bytes < 16 * 147_456
    assert plan.memory.kv_cache_tokens_low == plan.memory.kv_cache_tokens_high
    assert option(plan.command, "--kv-cache-memory-bytes") == str(20 * GIB)
    both = on_h100(tuning=replace(tuning, gpu_memory_utilization=0.5))
    assert both.memory.kv_cache_tokens == plan.memory.kv_cache_tokens
    assert any("is ignored" in warning for warning in both.warnings)


def test_a_given_pool_that_the_device_lacks_is_no_plan() -> None:
    found = refused(
        "Qwen3-8B",
        "1xRTX-4090-24GB",
        engine=EngineName.VLLM,
        quantization=Quantization.BF16,
        tuning=EngineTuning(kv_cache_memory_bytes=20 * GIB),
    )
    assert found.refusals[0].rule == "InsufficientGPUMemory"


def test_a_version_without_the_flag_keeps_its_share_and_says_so() -> None:
    tuning = EngineTuning(kv_cache_memory_bytes=20 * GIB)
    plan, plain = (on_h100(engine_version="0.10.1", tuning=t) for t in (tuning, PLAIN))
    assert plan.memory.kv_cache_tokens == plain.memory.kv_cache_tokens
    assert "--kv-cache-memory-bytes" not in plan.command
    assert any("since 0.10.2" in warning for warning in plan.warnings)


def test_offloaded_weights_make_room_and_take_host_memory() -> None:
    plan, plain = (on_h100("Qwen3-32B", tuning=t) for t in (EngineTuning(cpu_offload_gib=8), PLAIN))
    gpu, bare = plan.memory.per_gpu[0], plain.memory.per_gpu[0]
    assert bare.weights_bytes - gpu.weights_bytes == 8 * GIB
    assert plan.memory.host_bytes - plain.memory.host_bytes == 8 * GIB
    assert option(plan.command, "--cpu-offload-gb") == "8"
    assert any("PCIe" in warning for warning in plan.warnings)


def test_a_runner_that_cannot_offload_keeps_the_weights_and_says_so() -> None:
    plan = on_h100(engine_version="0.27.1", tuning=EngineTuning(cpu_offload_gib=4))
    assert plan.memory.per_gpu[0].weights_bytes > 15 * GIB
    assert any("cannot offload before 0.28.0" in warning for warning in plan.warnings)


def test_eager_starts_capture_and_compile_nothing() -> None:
    plan, plain = (on_h100(tuning=t) for t in (EngineTuning(enforce_eager=True), PLAIN))
    assert plan.memory.per_gpu[0].graph_bytes == 0 < plain.memory.per_gpu[0].graph_bytes
    assert plan.memory.per_gpu[0].activation_bytes < plain.memory.per_gpu[0].activation_bytes
    assert "--enforce-eager" in plan.command


def test_slots_for_adapters_are_part_of_the_weights() -> None:
    two, four = (on_h100(tuning=EngineTuning(max_loras=n, max_lora_rank=32)) for n in (2, 4))
    plain = on_h100().memory.per_gpu[0].weights_bytes
    slots = two.memory.per_gpu[0].weights_bytes - plain
    assert 0.2 * GIB < slots < 0.5 * GIB
    assert four.memory.per_gpu[0].weights_bytes - plain == 2 * slots
    assert "--enable-lora" in two.command
    assert option(two.command, "--max-loras") == "2"
    assert option(two.command, "--max-lora-rank") == "32"


def test_a_draft_model_takes_weights_and_its_share_of_every_block() -> None:
    tuning = EngineTuning(draft_model="Qwen3-0.6B", draft_tokens=5)
    plan, plain = (on_h100("Qwen3-32B", gpus=2, tensor=2, tuning=t) for t in (tuning, PLAIN))
    gpu, bare = plan.memory.per_gpu[0], plain.memory.per_gpu[0]
    assert 0.5 * GIB < gpu.weights_bytes - bare.weights_bytes < 0.65 * GIB
    blocks = plain.memory.kv_cache_tokens / plan.memory.kv_cache_tokens
    assert blocks == pytest.approx((262_144 + 114_688) / 262_144, rel=0.06)
    settings = json.loads(option(plan.command, "--speculative-config"))
    assert settings == {"model": "Qwen/Qwen3-0.6B", "num_speculative_tokens": 5}


@pytest.mark.parametrize(
    ("tuning", "field"),
    [
        (EngineTuning(draft_tokens=3), "--draft-tokens"),
        (EngineTuning(draft_model="Qwen3-0.5B"), "--draft-model"),
        (EngineTuning(max_lora_rank=16), "--max-lora-rank"),
        (EngineTuning(max_loras=1, max_lora_rank=17), "--max-lora-rank"),
        (EngineTuning(max_loras=0), "--max-loras"),
        (EngineTuning(cpu_offload_gib=-1), "--cpu-offload-gb"),
        (EngineTuning(kv_cache_memory_bytes=0), "--kv-cache-memory-bytes"),
    ],
)
def test_tuning_that_cannot_be_is_refused(tuning: EngineTuning, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        a_question("Qwen3-8B", tuning=tuning)
    assert caught.value.field == field


VERSIONS = (
    *("0.8.5", "0.9.0", "0.9.2", "0.10.0", "0.10.1", "0.10.2", "0.11.0", "0.11.1", "0.12.0"),
    *("0.13.0", "0.14.0", "0.16.0", "0.17.0", "0.18.0", "0.20.0", "0.22.0", "0.24.0", "0.25.0"),
    *("0.27.1", "0.28.0", "0.29.0", "0.30.0", "0.31.0", "0.32.0", "0.33.0"),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_command_has_only_flags_of_its_version(version: str) -> None:
    can_draft = parse_version(version) >= Version(0, 16)
    everything = EngineTuning(
        gpu_memory_utilization=0.9,
        max_num_seqs=64,
        max_num_batched_tokens=4096,
        kv_cache_memory_bytes=20 * GIB,
        cpu_offload_gib=2.5,
        enforce_eager=True,
        max_loras=2,
        max_lora_rank=16,
        draft_model="Qwen3-0.6B" if can_draft else None,
        draft_tokens=3 if can_draft else None,
    )
    plans = (
        on_h100(tuning=everything, engine_version=version, max_model_len=65536, revision="main"),
        on_h100(engine_version=version, kv_cache_dtype=KvCacheDtype.FP8),
        on_h100("Qwen3-30B-A3B", gpus=4, tensor=2, data=2, expert=4, engine_version=version),
    )
    if takes("--nnodes", parse_version(version)):
        wide = {"tensor": 8, "pipeline": 2, "quantization": Quantization.BF16}
        across = planned("Qwen3-235B-A22B", "2x8xH100-SXM-80GB", engine_version=version, **wide)
        assert option(across.command, "--nnodes") == "2"
        plans = (*plans, across)
    for plan in plans:
        flags = {word for word in plan.command if word.startswith("--")}
        assert {flag for flag in flags if not takes(flag, parse_version(version))} == set()
