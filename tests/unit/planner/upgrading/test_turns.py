from __future__ import annotations

import pytest

from qwen3_planner.candidates import pools_of
from qwen3_planner.engines.versions import Ruling, Version, parse_version
from qwen3_planner.request import EngineName, EngineTuning, Quantization
from qwen3_planner.upgrading.subjects import subject
from qwen3_planner.upgrading.turns import turns_between
from support.planner_builders import a_question, hardware


def turns(
    old: str, new: str, model: str = "Qwen3-32B", on: str = "1xH100-SXM-80GB", **fields: object
) -> dict[str, tuple[str, str, str]]:
    question = a_question(model, engine_version=old, **fields)
    (pool,) = pools_of(hardware(on), ())
    found = turns_between(question, parse_version(new), question.choices[0], pool)
    return {turn.subject: (turn.since, turn.before, turn.after) for turn in found}


def test_the_default_utilization_is_told_with_the_release_that_raised_it() -> None:
    found = turns("0.11.0", "0.32.0")
    assert found["default of --gpu-memory-utilization"] == ("0.20.0", "0.9", "0.92")


@pytest.mark.parametrize(
    ("model", "quantization", "since"),
    [
        ("Qwen3-32B", Quantization.BF16, "0.22.0"),
        ("Qwen3-32B", Quantization.FP8, "0.24.0"),
        ("Qwen3-30B-A3B", Quantization.BF16, "0.29.0"),
    ],
)
def test_each_class_of_model_changes_its_runner_with_its_own_release(
    model: str, quantization: Quantization, since: str
) -> None:
    found = turns("0.11.0", "0.32.0", model, quantization=quantization)
    assert found["model runner"] == (since, "V1", "V2")


def test_a_downgrade_is_the_same_the_other_way_round() -> None:
    there, back = turns("0.11.0", "0.32.0"), turns("0.32.0", "0.11.0")
    assert {name: (since, after, before) for name, (since, before, after) in there.items()} == back


def test_what_does_not_concern_the_model_is_not_told() -> None:
    dense = turns("0.11.0", "0.32.0")
    assert not any("expert" in name or "image" in name or "YaRN" in name for name in dense)
    experts = turns(
        "0.11.0", "0.32.0", "Qwen3-30B-A3B", quantization=Quantization.FP8, max_model_len=131072
    )
    assert any("FP8 experts" in name for name in experts)
    assert any("YaRN" in name for name in experts)


def test_a_given_utilization_has_no_default() -> None:
    found = turns("0.11.0", "0.32.0", tuning=EngineTuning(gpu_memory_utilization=0.9))
    assert "default of --gpu-memory-utilization" not in found


def test_one_version_has_no_turns() -> None:
    assert turns("0.28.0", "0.28.0") == {}


def test_the_ruling_that_first_brought_the_value_is_named() -> None:
    rulings = (
        Ruling("a", Version(0, 1), "first", "A"),
        Ruling("b", Version(0, 3), "second", "A"),
        Ruling("b", Version(0, 5), "third", "A"),
    )
    found = subject("x", rulings, (Version(0, 2), Version(0, 6)))
    assert (found.before, found.after, found.since, found.source) == (
        "a",
        "b",
        Version(0, 3),
        "second",
    )


def test_llama_cpp_is_told_by_build() -> None:
    on = {"engine": EngineName.LLAMACPP, "on": "1xL4-24GB"}
    found = turns("b6000", "b11549", "Qwen3-8B", **on)
    assert found["how flash attention is asked for"][1:] == ("--flash-attn", "--flash-attn on")
    assert found["logits of one token a slot are reserved"] == ("b9538", "no", "yes")
    assert not any("expert" in name for name in found)
    experts = turns("b6000", "b11549", "Qwen3-30B-A3B", **on)
    assert experts["experts can stay on the host (--n-cpu-moe)"][0] == "b6089"


def test_sglang_is_told_by_release() -> None:
    found = turns("0.4.9", "0.5.23", engine=EngineName.SGLANG)
    assert found["how --mem-fraction-static is found"][0] == "0.5.3"
    assert "spelling of expert parallelism" not in found
