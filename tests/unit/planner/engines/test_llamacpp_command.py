"""The command line of llama-server, and the builds that decide it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from qwen3_planner.engines.llamacpp import semantics
from qwen3_planner.engines.llamacpp.command import ServerOptions, command
from qwen3_planner.engines.llamacpp.semantics import (
    ARCHITECTURES,
    architecture_of,
    semantics_at,
)
from qwen3_planner.engines.versions import Ruling, build
from qwen3_planner.plan import Layout, Plan
from qwen3_planner.request import (
    ChatSettings,
    EngineName,
    EngineTuning,
    KvCacheDtype,
    Quantization,
)
from support.planner_builders import a_model, planned

TABLES = {
    name: table
    for name, table in vars(semantics).items()
    if isinstance(table, tuple) and table and isinstance(table[0], Ruling)
}

ACCEPTED = {
    "--hf-repo",
    "--model",
    "--mmproj",
    "--alias",
    "--host",
    "--port",
    "--ctx-size",
    "--parallel",
    "--kv-unified",
    "--fit",
    "--n-gpu-layers",
    "--n-cpu-moe",
    "--split-mode",
    "--tensor-split",
    "--cache-type-k",
    "--cache-type-v",
    "--flash-attn",
    "--cache-ram",
    "--batch-size",
    "--ubatch-size",
    "--rope-scaling",
    "--rope-scale",
    "--yarn-orig-ctx",
    "--embeddings",
    "--pooling",
    "--reranking",
    "--jinja",
    "--metrics",
    "--temp",
    "--top-p",
    "--top-k",
    "--min-p",
}
"""Options of llama-server b11549 that a plan may use (common/arg.cpp)."""


def a_plan(model: str = "Qwen3-8B", on: str = "1xRTX-4090-24GB", **fields: object) -> Plan:
    asked = {"engine": EngineName.LLAMACPP, "quantization": Quantization.GGUF_Q4_K_M, **fields}
    return planned(model, on, **asked)


def option(made: Plan, name: str) -> str:
    return made.command[made.command.index(name) + 1]


def rendered(**changed: object) -> tuple[str, ...]:
    fields = {
        "model": a_model("Qwen3-8B"),
        "source": "hf://Qwen/Qwen3-8B-GGUF",
        "file_type": "Q8_0",
        "served_name": "qwen3",
        "layout": Layout(),
        "on_gpu": True,
        "slots": 1,
        "context": 8192,
        "slot_context": 8192,
        "unified": False,
        "kv_cache_dtype": KvCacheDtype.FP16,
        "physical_batch": 512,
        "prompt_cache_mib": 8192,
        "chat": ChatSettings(),
        "version": build(11549),
        "semantics": semantics_at(build(11549)),
        **changed,
    }
    return command(ServerOptions(**fields))  # type: ignore[arg-type]  # by the names above


def test_the_plainest_command_says_whatever_decides_the_memory() -> None:
    assert rendered() == (
        *("llama-server", "--hf-repo", "Qwen/Qwen3-8B-GGUF:Q8_0", "--alias", "qwen3"),
        *("--host", "0.0.0.0", "--port", "8080"),  # noqa: S104 - what a pod listens on
        *("--ctx-size", "8192", "--parallel", "1", "--fit", "off", "--n-gpu-layers", "37"),
        *("--cache-type-k", "f16", "--cache-type-v", "f16", "--flash-attn", "on"),
        *("--cache-ram", "8192", "--jinja"),
        *("--temp", "0.6", "--top-p", "0.95", "--top-k", "20", "--min-p", "0", "--metrics"),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"max_model_len": 131_072},
        {"concurrency": 8, "input_tokens": 1024, "output_tokens": 256},
        {"on": "2xRTX-4090-24GB", "model": "Qwen3-32B", "quantization": Quantization.GGUF_Q8_0},
        {"model": "Qwen3-30B-A3B", "quantization": Quantization.GGUF_Q8_0},
        {"model": "Qwen3-Embedding-8B", "quantization": Quantization.GGUF_Q8_0},
        {"model": "Qwen3-VL-8B-Instruct", "source": "pvc://weights/vl"},
        {"tuning": EngineTuning(max_num_batched_tokens=4096)},
        {"on": "RaspberryPi5-8GB", "model": "Qwen3-4B"},
    ],
)
def test_every_option_is_one_that_the_server_accepts(fields: dict[str, object]) -> None:
    words = a_plan(**fields).command  # type: ignore[arg-type]  # by name
    assert {word for word in words if word.startswith("--")} <= ACCEPTED


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("hf://me/mine", ("--hf-repo", "me/mine:Q8_0")),
        ("pvc://weights/q", ("--model", "/models/q/Qwen3-8B-Q8_0.gguf")),
        ("pvc://weights/q/mine.gguf", ("--model", "/models/q/mine.gguf")),
        ("file:///data/mine.gguf", ("--model", "/data/mine.gguf")),
    ],
)
def test_a_file_is_named_and_a_repository_with_its_type(
    source: str, words: tuple[str, ...]
) -> None:
    assert rendered(source=source)[1:3] == words


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("pvc://weights/vl", "/models/vl/mmproj-Qwen3-VL-8B-Instruct-F16.gguf"),
        ("file:///data/mine.gguf", "/data/mmproj-Qwen3-VL-8B-Instruct-F16.gguf"),
    ],
)
def test_images_need_a_file_of_their_own(source: str, path: str) -> None:
    words = rendered(model=a_model("Qwen3-VL-8B-Instruct"), source=source)
    assert words[3:5] == ("--mmproj", path)


def test_a_repository_names_its_image_encoder_itself() -> None:
    assert "--mmproj" not in rendered(model=a_model("Qwen3-VL-8B-Instruct"))


def test_embeddings_are_served_as_such() -> None:
    words = rendered(model=a_model("Qwen3-Embedding-8B"))
    assert "--embeddings" in words
    assert "--jinja" not in words


@pytest.mark.parametrize(("tokens", "logical"), [(256, "2048"), (4096, "4096")])
def test_the_logical_batch_is_never_the_smaller_one(tokens: int, logical: str) -> None:
    words = rendered(physical_batch=tokens)
    where = words.index("--batch-size")
    assert words[where : where + 4] == ("--batch-size", logical, "--ubatch-size", str(tokens))


def test_layers_and_experts_that_stay_on_the_host_are_said() -> None:
    dense = rendered(layout=Layout(host_layers=10))
    assert dense[dense.index("--n-gpu-layers") + 1] == "27"
    mixed = rendered(model=a_model("Qwen3-30B-A3B"), layout=Layout(host_expert_layers=19))
    assert mixed[mixed.index("--n-gpu-layers") + 1] == "49"
    assert mixed[mixed.index("--n-cpu-moe") + 1] == "19"


def test_without_a_gpu_no_layer_is_offloaded() -> None:
    words = rendered(on_gpu=False)
    assert words[words.index("--n-gpu-layers") + 1] == "0"


def test_several_gpus_share_the_layers_evenly() -> None:
    words = rendered(layout=Layout(pipeline=3))
    assert words[words.index("--split-mode") + 1] == "layer"
    assert words[words.index("--tensor-split") + 1] == "1,1,1"


def test_a_context_beyond_the_native_one_is_stretched_as_qwens_page_does() -> None:
    words = rendered(context=131_072, slot_context=131_072)
    where = words.index("--rope-scaling")
    assert words[where : where + 6] == (
        *("--rope-scaling", "yarn", "--rope-scale", "4", "--yarn-orig-ctx", "32768"),
    )


def test_slots_that_share_a_cache_say_so() -> None:
    assert "--kv-unified" in rendered(slots=4, unified=True)
    assert "--kv-unified" not in rendered(slots=4)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_what_changed_with_the_builds_is_in_order_and_sourced(name: str) -> None:
    table = TABLES[name]
    since = [ruling.since for ruling in table]
    assert since == sorted(set(since))
    assert all(ruling.source and ruling.confidence in "ABC" for ruling in table)
    assert all(one.value != other.value for one, other in pairwise(table))


def test_every_architecture_has_a_first_build_with_a_source() -> None:
    names = ("Qwen3-8B", "Qwen3-30B-A3B", "Qwen3-VL-8B-Instruct", "Qwen3-VL-30B-A3B-Instruct")
    found = {architecture_of(a_model(name)) for name in (*names, "Qwen3-Next-80B-A3B-Instruct")}
    assert found == set(ARCHITECTURES)
    assert all(source for _, source in ARCHITECTURES.values())


def test_the_planner_takes_the_file_type_that_was_asked_for() -> None:
    assert option(a_plan(), "--hf-repo") == "Qwen/Qwen3-8B-GGUF:Q4_K_M"
