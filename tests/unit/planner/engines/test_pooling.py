"""Models that embed or score are started as such: their checkpoints call themselves generators."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from qwen3_planner.engines.vllm.pooling import config_arguments
from qwen3_planner.engines.vllm.semantics import YarnForm
from qwen3_planner.request import EngineName
from support.planner_builders import a_model, planned

CARD = "1xL40S-48GB"


def words(model: str, engine: str, version: str | None = None) -> tuple[str, ...]:
    return planned(model, CARD, engine=EngineName(engine), engine_version=version).command


def follows(command: tuple[str, ...], flag: str, value: str) -> bool:
    return (flag, value) in set(pairwise(command))


@pytest.mark.parametrize(
    ("model", "version", "flag", "value"),
    [
        ("Qwen3-Embedding-8B", "0.32.0", "--runner", "pooling"),
        ("Qwen3-Embedding-8B", "0.10.1", "--runner", "pooling"),
        ("Qwen3-Embedding-8B", "0.10.0", "--task", "embed"),
        ("Qwen3-Reranker-4B", "0.32.0", "--runner", "pooling"),
        ("Qwen3-Reranker-4B", "0.9.2", "--task", "score"),
    ],
)
def test_vllm_is_told_its_runner_in_the_words_of_its_version(
    model: str, version: str, flag: str, value: str
) -> None:
    command = words(model, "vllm", version)

    assert follows(command, flag, value)
    assert ("--runner" in command) is not ("--task" in command)


def test_vllm_makes_a_classifier_of_a_reranker() -> None:
    command = words("Qwen3-Reranker-0.6B", "vllm")

    overrides = json.loads(command[command.index("--hf-overrides") + 1])

    assert overrides == {
        "architectures": ["Qwen3ForSequenceClassification"],
        "classifier_from_token": ["no", "yes"],
        "is_original_qwen3_reranker": True,
    }


@pytest.mark.parametrize("form", list(YarnForm))
def test_a_reranker_with_a_long_context_has_both_in_one_override(form: YarnForm) -> None:
    command = config_arguments(a_model("Qwen3-Reranker-8B"), 65536, form)

    overrides = json.loads(command[command.index("--hf-overrides") + 1])

    assert command.count("--hf-overrides") == 1
    assert overrides["classifier_from_token"] == ["no", "yes"]
    assert ("rope_parameters" in overrides) is (form is YarnForm.HF_OVERRIDES)
    assert ("--rope-scaling" in command) is (form is YarnForm.ROPE_SCALING)


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llamacpp"])
def test_models_that_generate_are_told_nothing_of_it(engine: str) -> None:
    said = {"--runner", "--task", "--is-embedding", "--embeddings", "--reranking", "--pooling"}

    assert said.isdisjoint(words("Qwen3-8B", engine))


def test_sglang_embeds() -> None:
    assert "--is-embedding" in words("Qwen3-Embedding-8B", "sglang")


def test_llamacpp_takes_the_last_tokens_vector() -> None:
    assert follows(words("Qwen3-Embedding-4B", "llamacpp"), "--pooling", "last")
