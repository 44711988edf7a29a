"""What clients ask of a served model: thought, tools, streams, an adapter, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.local_folder import add_folder
from qwen3_planner.units import GIB
from support.lora_files import RANK, write_adapter
from support.node.claims import claim_of_folder
from support.node.client import WITHOUT_THINKING, Client
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e

CONTEXT = 4096
"""Of `tiny`."""

SECONDS = 60.0

BYTES_PER_TOKEN = 2 * 2 * 2 * 64 * 2
"""Layers, keys and values, heads of them, their width, bf16: of the tiny model's KV cache."""

BLANKS = set("\u0120\u010a\u0109\u010d")
"""Space, newline, tabulator and carriage return, as byte-level tokens spell them."""

END = "<|im_end|>"

TOOL = {
    "type": "function",
    "function": {
        "name": "find_gpu",
        "description": "Find a node with GPUs.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "gpu": {"type": "string", "enum": ["L4", "H100"]},
                "count": {"type": "integer", "enum": [1, 2, 4]},
            },
            "required": ["gpu", "count"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture(scope="module")
def model(supplies: Supplies) -> ModelArchitecture:
    """The tiny model, as the planner reads its folder."""
    name, extended, _ = add_folder(str(supplies.models / "dense"), load_catalog(), field="MODEL")
    return extended.model(name)


@pytest.fixture(scope="module")
def served(
    shared: Team,
    supplies: Supplies,
    model: ModelArchitecture,
    tmp_path_factory: pytest.TempPathFactory,
) -> Team:
    """A namespace in which `tiny` is served with an adapter from a claim.

    One slot stays empty: vLLM's kernels for CPUs give the last slot's adapter to whoever asks for
    the model itself (tests/engine/test_adapters_served.py).
    """
    folder = tmp_path_factory.mktemp("adapters")
    folder.chmod(0o755)
    write_adapter(folder / "support", model, seed=1)
    shared.apply(*claim_of_folder("tuned", shared.namespace, folder))
    adapter = {"name": "support", "source": "pvc://tuned/support", "rank": RANK}
    shared.apply(tiny(supplies, lora={"adapters": [adapter], "maxLoras": 2}))
    shared.await_ready("tiny")
    return shared


@pytest.fixture(scope="module")
def client(served: Team) -> Client:
    """Somebody who knows the Service."""
    return Client(served.address("tiny"))


def test_it_is_served_under_its_name_with_the_planned_context(client: Client) -> None:
    found = client.models()
    assert sorted(found) == ["qwen3", "support"]
    assert found["qwen3"]["max_model_len"] == CONTEXT
    assert found["support"]["parent"] == "qwen3"


def test_it_thinks_unless_a_request_says_otherwise(client: Client) -> None:
    thought = client.choice()["message"]
    assert thought["reasoning"]
    assert not thought["content"]
    answered = client.choice(**WITHOUT_THINKING)["message"]
    assert answered["content"]
    assert not answered["reasoning"]


@pytest.fixture(scope="module")
def to_the_point(supplies: Supplies) -> dict[str, int]:
    """What keeps random weights from filling an answer with blanks, and from never ending it."""
    tokenizer = json.loads((supplies.models / "dense" / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    blank = {str(number): -100 for word, number in words.items() if set(word) <= BLANKS}
    return {**blank, str(words[END]): 100}


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param("required", id="some tool"),
        pytest.param({"type": "function", "function": {"name": "find_gpu"}}, id="a named one"),
    ],
)
def test_a_tool_is_called_with_arguments_of_its_schema(
    client: Client, choice: object, to_the_point: dict[str, int]
) -> None:
    answer = client.choice(
        tools=[TOOL],
        tool_choice=choice,
        max_tokens=150,
        logit_bias=to_the_point,
        **WITHOUT_THINKING,
    )
    assert answer["finish_reason"] in ("tool_calls", "stop"), answer
    (call,) = answer["message"]["tool_calls"]
    assert call["function"]["name"] == "find_gpu"
    arguments = json.loads(call["function"]["arguments"])
    assert set(arguments) == {"gpu", "count"}
    assert arguments["gpu"] in ("L4", "H100")
    assert arguments["count"] in (1, 2, 4)


def test_a_stream_has_a_piece_a_token_and_ends_with_the_usage(served: Team) -> None:
    asked = {"max_tokens": 6, "stream_options": {"include_usage": True}}
    *pieces, last = served.stream("tiny", **asked)
    told = [piece["choices"][0]["delta"] for piece in pieces]
    assert sum("reasoning" in one for one in told) == 6
    assert not any(one.get("content") for one in told)
    assert last["usage"]["completion_tokens"] == 6
    *pieces, last = served.stream("tiny", **asked, **WITHOUT_THINKING)
    told = [piece["choices"][0]["delta"] for piece in pieces]
    assert sum(bool(one.get("content")) for one in told) == 6
    assert not any("reasoning" in one for one in told)


def test_pieces_come_while_the_engine_computes_and_whoever_leaves_frees_it(
    served: Team, client: Client
) -> None:
    stream = served.stream("tiny", max_tokens=CONTEXT - 100, ignore_eos=True)
    for _ in range(3):
        next(stream)
    until(lambda: running(client) == 1, SECONDS, lambda: client.ask("/metrics")[1])
    stream.close()  # type: ignore[attr-defined]  # a generator
    until(lambda: running(client) == 0, SECONDS, lambda: client.ask("/metrics")[1])


def running(client: Client) -> int:
    """Return the requests that the engine computes now."""
    lines = client.ask("/metrics")[1].splitlines()
    found = [line for line in lines if line.startswith("vllm:num_requests_running{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        pytest.param(
            {"messages": [{"role": "user", "content": "memory " * 5000}]},
            400,
            f"context length is {CONTEXT}",
            id="a prompt beyond the context",
        ),
        pytest.param({"max_tokens": CONTEXT + 1}, 400, "max_model_len", id="too long an answer"),
        pytest.param({"model": "gpt"}, 404, "gpt", id="a model that is not served"),
        pytest.param({"messages": "x"}, 400, "messages", id="no messages"),
    ],
)
def test_wrong_requests_are_refused_with_the_reason(
    client: Client, asked: dict[str, Any], status: int, why: str
) -> None:
    told = client.refused(**asked)
    assert told[0] == status
    assert why in told[1]
    assert client.choice()["message"]["reasoning"]  # and the engine goes on


def test_an_adapter_answers_in_its_own_words(client: Client) -> None:
    assert client.text("support") != client.text("qwen3")
    assert client.text("support") == client.text("support")


def test_the_status_has_the_engines_cache_beside_the_planned_one(served: Team) -> None:
    until(lambda: "measured" in served.status("tiny"), SECONDS, lambda: served.told("tiny"))
    status = served.status("tiny")
    measured = status["measured"]
    assert measured["kvCacheTokens"] == GIB // BYTES_PER_TOKEN
    assert measured["plannedKvCacheTokens"] == status["plan"]["memory"]["kvCacheTokens"]
    off = measured["kvCacheTokens"] / measured["plannedKvCacheTokens"] - 1
    assert measured["difference"] == f"{off * 100:+.1f}%"
