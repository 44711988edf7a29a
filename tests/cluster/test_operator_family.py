"""The whole family through the operator: models that see, code, embed and score; GPUs or none."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import NodeSpec
from support.models import SECONDS
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster

ON_H100 = "accelerators: [H100-SXM-80GB]\nmaxModelLen: 8192\n"

BOARDS = tuple(
    NodeSpec(
        f"board-{number}",
        cpu=4,
        memory_gib=8,
        machine="board",
        labels={"kubernetes.io/arch": "arm64"},
    )
    for number in range(2)
)
ON_BOARDS = "nodeSelector: {kubernetes.io/arch: arm64}\nmaxModelLen: 8192\n"


@pytest.fixture
def boards(control_plane: ControlPlane) -> Iterator[None]:
    """Two small machines without GPUs; gone after the test."""
    control_plane.add_nodes(*BOARDS)
    yield
    control_plane.remove_nodes(*(board.name for board in BOARDS))


def container(models: Models, name: str) -> dict[str, Any]:
    deployment = models.children(name)["Deployment", name]
    return dict(deployment["spec"]["template"]["spec"]["containers"][0])


def says(arguments: list[str], *words: str) -> bool:
    """Whether the arguments hold a flag, or a flag and its value."""
    return words[0] in arguments if len(words) == 1 else words in set(pairwise(arguments))


FAMILY: dict[str, tuple[str, str, tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    "sees": ("Qwen3-VL-2B-Instruct", "", (("--tool-call-parser", "hermes"),), ("--runner",)),
    "codes": (
        "Qwen3-Coder-30B-A3B-Instruct",
        "quantization: fp8\n",
        (("--tool-call-parser", "qwen3_coder"),),
        ("--reasoning-parser",),
    ),
    "thinks": (
        "Qwen3-4B-Thinking-2507",
        "engine: {name: sglang}\n",
        (("--reasoning-parser", "qwen3-thinking"), ("--tool-call-parser", "qwen25")),
        ("--is-embedding",),
    ),
    "embeds": (
        "Qwen3-Embedding-0.6B",
        "",
        (("--runner", "pooling"),),
        ("--reasoning-parser", "--enable-auto-tool-choice", "--hf-overrides"),
    ),
    "scores": (
        "Qwen3-Reranker-0.6B",
        "",
        (("--runner", "pooling"), ("--hf-overrides",)),
        ("--reasoning-parser",),
    ),
    "packed": (
        "Qwen3-VL-2B-Instruct",
        "quantization: gguf:Q8_0\n",
        (("--jinja",), ("--metrics",)),
        ("--embeddings", "--threads"),
    ),
}
"""Variant, further specification, what its engine is told, and what it must not be told."""

NO_THINKING = '{"enable_thinking":false}'
LONG = "maxModelLen: 65536\n"
YARN = '"rope_type":"yarn","factor":2.0,"original_max_position_embeddings":32768'

CHAT: dict[str, tuple[str, str, tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    "brief": (
        "Qwen3-0.6B",
        "thinking: {default: false}\ntoolCalling: false\n",
        (
            ("--default-chat-template-kwargs", NO_THINKING),
            ("--override-generation-config", '{"temperature":0.7,"top_p":0.8,"top_k":20}'),
            ("--reasoning-parser", "qwen3"),
        ),
        ("--enable-auto-tool-choice", "--tool-call-parser", "--hf-overrides"),
    ),
    "brief-too": (
        "Qwen3-0.6B",
        "engine: {name: sglang}\nthinking: {default: false}\n",
        (("--default-chat-template-kwargs", NO_THINKING), ("--tool-call-parser", "qwen25")),
        ("--json-model-override-args",),
    ),
    "budgeted": (
        "Qwen3-0.6B",
        "quantization: gguf:Q8_0\nthinking: {budgetTokens: 512}\n",
        (("--reasoning-budget", "512"), ("--temp", "0.6"), ("--jinja",)),
        ("--chat-template-kwargs", "--rope-scaling"),
    ),
    "long": (
        "Qwen3-0.6B",
        LONG,
        (("--hf-overrides",), ("--enable-auto-tool-choice",)),
        ("--default-chat-template-kwargs",),
    ),
    "long-too": (
        "Qwen3-0.6B",
        f"engine: {{name: sglang}}\n{LONG}",
        (("--json-model-override-args",), ("--context-length", "65536")),
        ("--default-chat-template-kwargs",),
    ),
}
"""The same of thinking, tools and a context beyond the native 40960 tokens."""


def test_every_kind_of_model_runs_with_its_parsers_and_its_endpoint(models: Models) -> None:
    await_told(models, FAMILY)
    for name in FAMILY:
        room = models.room.namespace
        assert models.status(name)["endpoint"] == f"http://{name}.{room}.svc:8000/v1"
    engines = {name: models.status(name)["plan"]["engine"]["name"] for name in FAMILY}
    assert engines == dict.fromkeys(FAMILY, "vllm") | {"thinks": "sglang", "packed": "llamacpp"}


def await_told(
    models: Models,
    cases: Mapping[str, tuple[str, str, tuple[tuple[str, ...], ...], tuple[str, ...]]],
) -> None:
    """Run them all, and compare what each engine is told."""
    for name, (variant, spec, _, _) in cases.items():
        models.apply(name, f"{ON_H100}{spec}", variant=variant)
    for name, (_, _, said, unsaid) in cases.items():
        models.await_ready(name)
        arguments = container(models, name)["args"]
        assert [words for words in said if not says(arguments, *words)] == [], name
        assert [flag for flag in unsaid if says(arguments, flag)] == [], name


def test_thinking_tools_and_long_context_are_what_the_resource_says(models: Models) -> None:
    await_told(models, CHAT)
    for name in CHAT:
        stretched = YARN in " ".join(container(models, name)["args"])
        assert stretched is name.startswith("long"), name
    assert models.status("long")["plan"]["maxModelLen"] == 65536


@pytest.mark.usefixtures("boards")
def test_where_there_are_no_gpus_the_planner_takes_llamacpp_and_the_cpus(models: Models) -> None:
    models.apply("on-boards", f"{ON_BOARDS}replicas: 2\n", variant="Qwen3-4B")
    models.await_ready("on-boards")
    status = models.status("on-boards")
    assert (status["plan"]["engine"]["name"], status["gpu"]) == ("llamacpp", "1x CPU-arm64-8GB")
    assert models.nodes("on-boards") == ["board-0", "board-1"]
    engine = container(models, "on-boards")
    assert engine["image"].startswith("ghcr.io/ggml-org/llama.cpp:server-b")
    requests = engine["resources"]["requests"]
    planned = status["plan"]["memory"]["hostBytes"]
    assert requests["cpu"] == "3"
    assert 0 <= int(requests["memory"].removesuffix("Mi")) * 2**20 - planned < 2**27
    assert not [name for name in requests if "/" in name]
    assert says(engine["args"], "--threads", "3")
    models.apply("too-many", f"{ON_BOARDS}", variant="Qwen3-0.6B")
    models.await_condition("too-many", "Scheduled", "False", "InsufficientCPU")
    models.delete("on-boards")
    models.await_ready("too-many")


@pytest.mark.usefixtures("boards")
def test_engines_for_gpus_are_not_started_on_cpus(models: Models) -> None:
    models.apply("on-boards", f"{ON_BOARDS}engine: {{name: vllm}}\n")
    told = models.await_condition("on-boards", "PlanFeasible", "False", "NoMatchingNodes")
    assert "llamacpp" in told["message"]
    models.apply("on-boards", ON_BOARDS)
    until(
        lambda: models.status("on-boards").get("plan", {}).get("engine", {}).get("name"),
        SECONDS,
        lambda: f"it should be planned: {models.status('on-boards')}",
    )
    assert models.status("on-boards")["plan"]["engine"]["name"] == "llamacpp"
