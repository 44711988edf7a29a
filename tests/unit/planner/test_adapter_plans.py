"""Plans with LoRA adapters: what each engine is told, what it takes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.errors import SpecError
from qwen3_planner.request import (
    Adapter,
    EngineName,
    EngineTuning,
    Quantization,
)
from qwen3_planner.serving.vllm_lora import slots_at
from support.planner_builders import a_model, planned, refused

if TYPE_CHECKING:
    from qwen3_planner.plan import Plan

TWO = (
    Adapter("support", "hf://team/support", rank=24),
    Adapter("sql", "pvc://tuned/sql", rank=8),
)
"""On a hub, which the engine fetches, and on a claim."""


def on_l40s(model: str = "Qwen3-8B", **fields: object) -> Plan:
    fields.setdefault("quantization", Quantization.BF16)
    return planned(model, "1xL40S-48GB", **{"engine": EngineName.VLLM, **fields})


def words_after(command: tuple[str, ...], flag: str, count: int = 1) -> list[str]:
    at = command.index(flag)
    return [*command[at + 1 : at + 1 + count]]


def test_vllm_is_told_slots_and_adapters() -> None:
    command = on_l40s(adapters=TWO).command
    assert words_after(command, "--enable-lora", 4) == [
        *("--max-loras", "2"),
        *("--max-lora-rank", "32"),
    ]
    assert words_after(command, "--lora-modules", 2) == [
        "support=team/support",
        "sql=/adapters/pvc/tuned/sql",
    ]
    assert "--max-cpu-loras" not in command


def test_adapters_that_take_turns_all_stay_in_host_memory() -> None:
    alone, turns = (on_l40s(adapters=TWO, tuning=EngineTuning(max_loras=n)) for n in (None, 1))
    assert words_after(turns.command, "--max-cpu-loras") == ["2"]
    assert turns.memory.host_bytes == alone.memory.host_bytes > on_l40s().memory.host_bytes
    assert turns.lora is not None
    assert alone.lora is not None
    assert turns.lora.bytes_per_gpu * 2 == alone.lora.bytes_per_gpu
    assert any("take turns in 1 slots" in warning for warning in turns.warnings)


@pytest.mark.parametrize("engine", [EngineName.VLLM, EngineName.SGLANG])
def test_the_room_that_is_told_is_what_the_plan_takes(engine: EngineName) -> None:
    plan, plain = (on_l40s(engine=engine, adapters=given) for given in (TWO, ()))
    taken = plan.memory.per_gpu[0].weights_bytes - plain.memory.per_gpu[0].weights_bytes
    assert plan.lora is not None
    assert plain.lora is None
    assert plan.lora.bytes_per_gpu == taken > 0
    assert plan.lora.adapters == (("support", "hf://team/support"), ("sql", "pvc://tuned/sql"))
    assert plan.memory.kv_cache_tokens < plain.memory.kv_cache_tokens


def test_sglang_keeps_a_slot_for_the_plain_model() -> None:
    plan = on_l40s(engine=EngineName.SGLANG, adapters=TWO)
    assert words_after(plan.command, "--max-loras-per-batch") == ["3"]
    assert words_after(plan.command, "--max-lora-rank") == ["24"]
    assert words_after(plan.command, "--lora-paths", 2) == [
        "support=team/support",
        "sql=/adapters/pvc/tuned/sql",
    ]
    assert plan.lora is not None
    assert (plan.lora.slots, plan.lora.rank) == (2, 24)


@pytest.mark.parametrize("hardware", ["1xL40S-48GB", "RaspberryPi5-8GB"])
def test_llamacpp_holds_every_adapter_and_applies_none_by_itself(hardware: str) -> None:
    fields = {"quantization": Quantization.GGUF_Q8_0, "engine": EngineName.LLAMACPP}
    plan, plain = (
        planned("Qwen3-0.6B", hardware, adapters=given, max_model_len=4096, **fields)
        for given in (TWO, ())
    )
    at = plan.command.index("--lora-init-without-apply")
    assert plan.command[at + 1 : at + 5] == (
        *("--lora", "/adapters/hub/hf/team/support/default/adapter.gguf"),
        *("--lora", "/adapters/pvc/tuned/sql"),
    )
    taken = plan.memory.per_gpu[0].weights_bytes - plain.memory.per_gpu[0].weights_bytes
    assert plan.lora is not None
    assert plan.lora.bytes_per_gpu == taken > 0
    assert any('"lora": [{"id": 0' in warning for warning in plan.warnings)


def test_llamacpp_has_no_slots_to_count() -> None:
    found = refused(
        "Qwen3-0.6B",
        "1xL40S-48GB",
        quantization=Quantization.GGUF_Q8_0,
        adapters=TWO,
        tuning=EngineTuning(max_loras=2),
    )
    assert found.refusals[0].rule == "SettingUnsupported"


def test_adapters_are_planned_only_where_their_room_is_known() -> None:
    for model in ("Qwen3-30B-A3B", "Qwen3-VL-8B-Instruct", "Qwen3-Embedding-8B"):
        found = refused(model, "2xH100-SXM-80GB", engine=EngineName.SGLANG, adapters=TWO)
        rules = {refusal.rule for refusal in found.refusals}
        assert rules == {"SettingUnsupported"}
        fixes = [str(fix) for fix in found.refusals[0].fixes]
        assert fixes == ["--lora none", "--engine vllm"]


def test_an_engine_that_reads_other_files_is_no_way_out() -> None:
    many = tuple(Adapter(f"a{n}", f"hf://t/a{n}", rank=512) for n in range(20))
    found = refused("Qwen3-8B", "1xL4-24GB", engine=EngineName.VLLM, adapters=many)
    fixes = [str(fix) for refusal in found.refusals for fix in refusal.fixes]
    assert fixes
    assert not [fix for fix in fixes if "llamacpp" in fix]
    assert any(fix.startswith("--max-loras") for fix in fixes)


def test_slots_that_are_shared_out_in_full_divide_over_the_ranks() -> None:
    fields = {
        "engine": EngineName.VLLM,
        "adapters": (Adapter("a", "hf://t/a", rank=1),),
        "tuning": EngineTuning(fully_sharded_loras=True),
        "tensor": 2,
    }
    found = refused("Qwen3-8B", "2xL40S-48GB", **fields)
    assert found.refusals[0].rule == "FullyShardedLora"
    assert "--no-fully-sharded-loras" in [str(fix) for fix in found.refusals[0].fixes]
    eight = planned("Qwen3-8B", "2xL40S-48GB", **{**fields, "adapters": TWO})
    plain = planned(
        "Qwen3-8B", "2xL40S-48GB", **{**fields, "adapters": TWO, "tuning": EngineTuning()}
    )
    assert "--fully-sharded-loras" in eight.command
    assert eight.lora is not None
    assert plain.lora is not None
    assert eight.lora.bytes_per_gpu < plain.lora.bytes_per_gpu


@pytest.mark.parametrize(
    ("version", "experts", "vocabulary"),
    [
        ("0.10.0", False, False),
        ("0.11.0", False, False),
        ("0.11.1", True, False),
        ("0.14.1", True, False),
        ("0.16.0", True, True),
        ("0.33.0", True, True),
    ],
)
def test_what_has_slots_came_release_by_release(
    version: str,
    experts: bool,  # noqa: FBT001 - a table
    vocabulary: bool,  # noqa: FBT001 - a table
) -> None:
    slots = slots_at(a_model("Qwen3-30B-A3B"), parse_version(version), 1, 16)
    assert (slots.has_experts, slots.has_vocabulary) == (experts, vocabulary)


def test_what_an_engine_cannot_fetch_is_said() -> None:
    pinned = Adapter("a", "hf://t/a", revision="v1", rank=8)
    elsewhere = Adapter("b", "modelscope://t/b", rank=8)
    plan = on_l40s(adapters=(pinned, elsewhere))
    assert [warning.partition(":")[0] for warning in plan.warnings] == ["a", "b"]
    brought = on_l40s(adapters=(pinned, elsewhere), adapters_at="/adapters/hub/")
    assert brought.warnings == ()
    assert words_after(brought.command, "--lora-modules", 2) == [
        "a=/adapters/hub/hf/t/a/v1",
        "b=/adapters/hub/modelscope/t/b/default",
    ]


def test_a_rank_that_is_not_stated_is_said_to_be_taken_for_usual() -> None:
    plan = on_l40s(adapters=(Adapter("a", "pvc://c/a"),))
    assert any("The rank of a is not stated" in warning for warning in plan.warnings)


def test_a_rank_that_no_slot_of_the_version_holds_is_bad_input() -> None:
    with pytest.raises(SpecError, match="larger rank"):
        on_l40s(adapters=(Adapter("a", "hf://t/a", rank=4096),))
