"""llama.cpp's own server on a node without GPUs: a plan for its CPU, a file in a claim, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.node import NODE_NAMES, Node
from support.node.claims import claim_of_folder
from support.node.client import WITH_THINKING, WITHOUT_THINKING, Client
from support.node.gguf_model import convert
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e

CONTEXT = 2048
SECONDS = 60.0


@pytest.fixture(scope="module")
def node_without_gpus(installed: ControlPlane, supplies: Supplies) -> Iterator[str]:
    """A second node, with nothing but its CPU; gone after the tests."""
    node = Node(installed, labels={}, extended_resources={}, images=supplies.images, number=1)
    with node:
        yield node.name
    installed.kubectl("delete", "node", node.name)


@pytest.fixture(scope="module")
def served(
    node_without_gpus: str,
    shared: Team,
    supplies: Supplies,
    tmp_path_factory: pytest.TempPathFactory,
) -> Team:
    """A namespace in which `small` is served from a GGUF file by that node."""
    folder = tmp_path_factory.mktemp("gguf")
    convert(supplies.models / "dense", folder / "Qwen3-0.6B-Q8_0.gguf")
    (folder / "Qwen3-0.6B-Q8_0.gguf").chmod(0o644)
    folder.chmod(0o755)
    shared.apply(*claim_of_folder("files", shared.namespace, folder))
    resource = tiny(supplies, "small", model={"source": "pvc://files"}, maxModelLen=CONTEXT)
    resource["spec"] |= {
        "quantization": "gguf:Q8_0",
        "nodeSelector": {"kubernetes.io/hostname": node_without_gpus},
        "engine": {
            "name": "auto",
            "version": "b11549",
            "image": supplies.images.llamacpp.name,
        },
        "resources": {"requests": {"cpu": "500m"}},
    }
    shared.apply(resource)
    shared.await_ready("small")
    return shared


@pytest.fixture(scope="module")
def client(served: Team) -> Client:
    """Somebody who knows the Service."""
    return Client(served.address("small"))


def test_the_plan_is_llamacpp_on_the_nodes_cpu(served: Team) -> None:
    status = served.status("small")
    assert status["plan"]["engine"]["name"] == "llamacpp"
    assert status["plan"]["placement"]["accelerator"].startswith("CPU-amd64-")
    (pod,) = served.pods("small")
    assert pod["spec"]["nodeName"] == NODE_NAMES[1]
    (container,) = pod["spec"]["containers"]
    assert not [name for name in container["resources"]["requests"] if "/" in name]


def test_it_is_served_under_its_name_with_the_planned_context(client: Client) -> None:
    found = client.models()
    assert list(found) == ["qwen3"]
    assert found["qwen3"]["meta"]["n_ctx"] == CONTEXT


def test_it_answers_over_the_service_and_streams(served: Team, client: Client) -> None:
    answer = client.choice(**WITHOUT_THINKING)
    assert answer["message"]["content"]
    assert answer["finish_reason"] == "length"
    pieces = list(served.stream("small", max_tokens=6))
    assert sum(bool(text_of(piece)) for piece in pieces) >= 3


def text_of(piece: dict[str, Any]) -> str:
    """Return what a piece of a stream says."""
    (choice,) = piece["choices"]
    delta = choice["delta"]
    return str(delta.get("content") or delta.get("reasoning_content") or "")


def test_a_request_decides_whether_reasoning_is_closed_in_the_prompt(client: Client) -> None:
    """The tiny template closes it where there shall be none, which takes tokens of the prompt."""
    counts = [tokens_of_prompt(client, asked) for asked in (WITH_THINKING, WITHOUT_THINKING)]
    assert counts[0] < counts[1]


def tokens_of_prompt(client: Client, asked: dict[str, Any]) -> int:
    """Return how many tokens a question takes."""
    return int(client.answer(**asked)["usage"]["prompt_tokens"])


def test_a_prompt_beyond_the_context_is_refused(client: Client) -> None:
    status, why = client.refused(messages=[{"role": "user", "content": "memory " * 5000}])
    assert status == 400
    assert "context" in why


def test_the_engines_cache_is_the_planned_one(served: Team) -> None:
    until(lambda: "measured" in served.status("small"), SECONDS, lambda: served.told("small"))
    measured = served.status("small")["measured"]
    assert measured["difference"] == "+0.0%"
    assert measured["kvCacheTokens"] == measured["plannedKvCacheTokens"] == CONTEXT
