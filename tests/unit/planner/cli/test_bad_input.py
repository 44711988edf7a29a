"""Bad input: exit 2, nothing on stdout, and a message that names field, value and choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

Run: TypeAlias = "Callable[..., tuple[int, str, str]]"

H100 = ("--hardware", "2xH100-SXM-80GB")


@pytest.mark.parametrize(
    ("arguments", "said", "nearest"),
    [
        (("plan", "Qwen3-23B", *H100), "MODEL: Qwen3-23B: is no model", "Qwen3-32B"),
        (("plan", "Qwen3-32B", "--hardware", "2xH10O"), "--hardware: 2xH10O: H10O", "2xH100-"),
        (("plan", "Qwen3-32B", "--hardware", "2xH100"), "--hardware: 2xH100: H100", "2xH100-SXM"),
        (("plan", "Qwen3-32B", *H100, "--quantization", "fp9"), "--quantization: fp9:", "fp8"),
        (("plan", "Qwen3-32B", *H100, "--kv-cache-dtype", "bf61"), "-dtype: bf61:", "bf16"),
        (("plan", "Qwen3-32B", *H100, "--engine", "vlm"), "--engine: vlm:", "vllm"),
        (("plan", "Qwen3-32B", *H100, "-o", "jason"), "--output: jason:", "json"),
        (("plan", "Qwen3-32B", *H100, "--accelerators", "H1OO"), "--accelerators: H1OO:", "H100-"),
        (("plan", "Qwen/Qwen3-32B-FP8", *H100, "--quantization", "bf16"), "weights are fp8", "fp8"),
        (("plan", "Qwen3-32B", *H100, "--tensr", "2"), "--tensr: there is no such", "--tensor"),
        (("plam",), "plam: there is no such command", "plan"),
        (("catalog", "acelerators"), "acelerators", "accelerators"),
        (("plan", *H100), "MODEL: (missing)", "Qwen3-0.6B"),
        (("plan", "Qwen3-32B"), "--hardware: (missing)", "2xH100-SXM-80GB"),
    ],
)  # fmt: skip
def test_bad_input_names_field_value_and_choices_nearest_first(
    qwen3: Run, arguments: tuple[str, ...], said: str, nearest: str
) -> None:
    status, out, err = qwen3(*arguments)

    assert (status, out) == (2, "")
    assert said in err
    assert err.split("choices: ")[1].startswith(nearest)


@pytest.mark.parametrize(
    ("option", "typed"),
    [
        ("--tensor", "two"), ("--tensor", "0"), ("--tensor", "-1"), ("--tensor", "1.5"),
        ("--max-model-len", "32k"), ("--replicas", ""), ("--max-gpus", "9" * 40),
        ("--gpu-memory-utilization", "1.2"), ("--gpu-memory-utilization", "0"),
        ("--gpu-memory-utilization", "nan"), ("--gpu-memory-utilization", "half"),
        ("--engine-version", "latest"), ("--engine-version", "0.8.3"), ("--accelerators", "L4,"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_repeated_as_typed(qwen3: Run, option: str, typed: str) -> None:
    status, out, err = qwen3("plan", "Qwen3-32B", *H100, f"{option}={typed}")

    assert (status, out) == (2, "")
    assert f"error: {option}: {typed}: " in err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("s3://bucket/qwen", "--source: s3://bucket/qwen: is not a source"),
        ("hf://Qwen/Qwen3-8B", "--source: hf://Qwen/Qwen3-8B: is a checkpoint of Qwen3-8B"),
    ],
)
def test_a_source_that_cannot_be_is_named_by_its_option(qwen3: Run, typed: str, said: str) -> None:
    status, out, err = qwen3("plan", "Qwen3-32B", *H100, "--source", typed)

    assert (status, out) == (2, "")
    assert said in err
