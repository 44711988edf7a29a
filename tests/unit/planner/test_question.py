"""What a request means once its defaults are resolved, and what is refused as input."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.question import understand
from qwen3_planner.request import EngineTuning, Quantization
from qwen3_planner.serving.vllm import semantics_of
from support.planner_builders import a_question, a_request, hardware

NUMBERS = [
    ("--tensor", {"tensor": 0}),
    ("--pipeline", {"pipeline": -1}),
    ("--data", {"data": 0}),
    ("--expert", {"expert": 0}),
    ("--replicas", {"replicas": 0}),
    ("--max-model-len", {"max_model_len": 0}),
    ("--concurrency", {"concurrency": 0}),
    ("--input-tokens", {"input_tokens": 0}),
    ("--output-tokens", {"output_tokens": -5}),
    ("--max-num-seqs", {"tuning": EngineTuning(max_num_seqs=0)}),
    ("--max-num-batched-tokens", {"tuning": EngineTuning(max_num_batched_tokens=0)}),
    ("--max-gpus", {"max_gpus": 0}),
    ("--max-nodes-per-replica", {"max_nodes_per_replica": 0}),
    ("--gpu-memory-utilization", {"tuning": EngineTuning(gpu_memory_utilization=0.0)}),
    ("--gpu-memory-utilization", {"tuning": EngineTuning(gpu_memory_utilization=1.01)}),
]


@pytest.mark.parametrize(("field", "fields"), NUMBERS)
def test_impossible_numbers_name_their_option(field: str, fields: dict[str, object]) -> None:
    with pytest.raises(SpecError) as caught:
        a_question(**fields)
    assert caught.value.field == field


def test_an_unknown_model_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(SpecError) as caught:
        understand(a_request("Qwen3-23B"), hardware(), load_catalog())
    assert caught.value.value == "Qwen3-23B"
    assert caught.value.choices[0] == "Qwen3-32B"


def test_an_engine_version_below_the_family_minimum_is_input_that_is_wrong() -> None:
    with pytest.raises(SpecError) as caught:
        a_question(engine_version="0.8.3")
    assert caught.value.field == "--engine-version"
    assert caught.value.value == "0.8.3"
    assert "0.8.4" in caught.value.reason


def test_a_newer_engine_takes_the_newest_rules() -> None:
    newest, beyond = a_question(engine_version="0.33"), a_question(engine_version="7.0.0")
    assert semantics_of(beyond) == semantics_of(newest)
    assert str(beyond.version) == "7.0.0"


def test_auto_tries_the_most_precise_known_checkpoint_first() -> None:
    formats = [choice.fmt.quantization for choice in a_question("Qwen3-32B").choices]
    assert formats == [Quantization.BF16, Quantization.FP8, Quantization.AWQ_INT4]


def test_a_quantization_without_a_checkpoint_leaves_nothing_to_choose() -> None:
    assert a_question("Qwen3-0.6B", quantization=Quantization.AWQ_INT4).choices == ()


def test_fp8_is_made_online_where_no_checkpoint_is_known() -> None:
    catalog = load_catalog()
    without = replace(
        catalog, checkpoints=tuple(c for c in catalog.checkpoints if c.quantization != "fp8")
    )
    request = a_request("Qwen3-8B", quantization=Quantization.FP8)
    (choice,) = understand(request, hardware(), without).choices
    assert choice.fmt.online
    assert choice.source == "hf://Qwen/Qwen3-8B"
    assert "reads the whole bf16 files" in choice.warnings[0]
    auto = understand(a_request("Qwen3-8B"), hardware(), without)
    assert Quantization.FP8 not in [c.fmt.quantization for c in auto.choices]


def test_a_source_of_ones_own_is_taken_at_its_word() -> None:
    (plain,) = a_question(source="hf://me/mine").choices
    assert plain.fmt.quantization is Quantization.BF16
    assert "not in the catalog" in plain.warnings[0]
    (fp8,) = a_question(source="hf://me/mine", quantization=Quantization.FP8).choices
    assert fp8.fmt.block_rows == 128


def test_a_known_source_fixes_the_quantization() -> None:
    (choice,) = a_question(source="hf://Qwen/Qwen3-32B-AWQ").choices
    assert choice.fmt.quantization is Quantization.AWQ_INT4
    with pytest.raises(SpecError, match="--quantization: fp8"):
        a_question(source="hf://Qwen/Qwen3-32B-AWQ", quantization=Quantization.FP8)


def test_qwens_uploads_to_modelscope_are_known_by_their_name() -> None:
    (choice,) = a_question(source="modelscope://Qwen/Qwen3-32B-AWQ").choices
    assert choice.source == "modelscope://Qwen/Qwen3-32B-AWQ"
    assert choice.fmt == a_question(source="hf://Qwen/Qwen3-32B-AWQ").choices[0].fmt
    assert choice.warnings == ()
    (other,) = a_question(source="modelscope://me/Qwen3-32B-AWQ").choices
    assert "not in the catalog" in other.warnings[0]


def test_a_source_of_another_variant_is_input_that_is_wrong() -> None:
    with pytest.raises(SpecError, match="Qwen3-8B"):
        a_question("Qwen3-32B", source="hf://Qwen/Qwen3-8B")


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, None),
        ({"input_tokens": 3000}, 3256),
        ({"output_tokens": 100}, 1124),
        ({"input_tokens": 10, "output_tokens": 20}, 30),
    ],
)
def test_one_request_takes_what_was_stated_and_the_usual_rest(
    fields: dict[str, object], tokens: int | None
) -> None:
    assert a_question(**fields).request_tokens == tokens


def test_the_context_is_native_or_long_enough_for_one_request() -> None:
    assert a_question().wanted_context == 40960
    assert a_question(max_model_len=1000).wanted_context == 1000
    long = a_question(input_tokens=60000, output_tokens=1)
    assert long.wanted_context == long.shortest_context == 60001
