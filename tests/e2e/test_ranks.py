"""Models over both GPUs of a node: dense, with adapters that come and go, and with experts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.local_folder import add_folder
from qwen3_planner.units import GIB
from support.hub_server import Hub
from support.lora_files import RANK, adapter_files
from support.node import NODE_ADDRESS
from support.node.client import WITH_THINKING, Client
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e

BOTH = {"requests": {"cpu": "200m", "memory": "2Gi"}, "limits": {"memory": "8Gi"}}
"""Each rank is a process with a torch of its own, and has a KV cache of 1 GiB."""

BYTES_PER_TOKEN = 2 * 2 * 1 * 64 * 2
"""Of one rank: layers, keys and values, one head of them, its width, bf16."""

KEY = "the-key"

ARRIVES_SECONDS = 180.0
"""The kubelet brings a changed ConfigMap within a minute or so."""

SECONDS = 60.0


@pytest.fixture(scope="module")
def hub(supplies: Supplies) -> Iterator[Hub]:
    """A hub that pods reach, with an adapter in ``org/model``."""
    name, extended, _ = add_folder(str(supplies.models / "dense"), load_catalog(), field="MODEL")
    files = adapter_files(extended.model(name), seed=2)
    with Hub(files, host=NODE_ADDRESS) as running:
        yield running


@pytest.fixture(scope="module")
def served(shared: Team, supplies: Supplies, hub: Hub) -> Team:
    """A namespace in which `wide` runs on two GPUs."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "clients"}}
    shared.apply({**secret, "stringData": {"api-key": KEY}})
    resource = tiny(
        supplies,
        "wide",
        parallelism={"tensor": 2},
        thinking={"default": False},
        apiKeySecretRef={"name": "clients"},
        lora={"maxLoras": 3, "maxLoraRank": RANK, "runtimeLoading": True},
        resources=BOTH,
    )
    resource["spec"]["engine"]["env"].append({"name": "HF_ENDPOINT", "value": hub.url})
    shared.apply(resource)
    shared.await_ready("wide")
    return shared


@pytest.fixture(scope="module")
def client(served: Team) -> Client:
    """Somebody with the key."""
    return Client(served.address("wide"), KEY)


def engine_of(team: Team, name: str) -> dict[str, Any]:
    """Return the engine's container of the only pod."""
    (pod,) = team.pods(name)
    containers = pod["spec"]["containers"]
    return next(one for one in containers if one["name"] == "engine")


def holds(words: list[str], *wanted: str) -> bool:
    """Whether words stand in a command, one after the other."""
    return any(tuple(words[at : at + len(wanted)]) == wanted for at in range(len(words)))


def test_two_ranks_share_the_heads_and_the_node_gives_both_gpus(served: Team) -> None:
    engine = engine_of(served, "wide")
    assert engine["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert holds(engine["args"], "--tensor-parallel-size", "2")
    until(lambda: "measured" in served.status("wide"), SECONDS, lambda: served.told("wide"))
    # each has one of two heads, so the same bytes hold twice the tokens
    assert served.status("wide")["measured"]["kvCacheTokens"] == GIB // BYTES_PER_TOKEN


def test_it_answers_without_thinking_unless_a_request_says_otherwise(client: Client) -> None:
    answered = client.choice()["message"]
    assert answered["content"]
    assert not answered["reasoning"]
    thought = client.choice(**WITH_THINKING)["message"]
    assert thought["reasoning"]
    assert not thought["content"]


def test_clients_need_the_key_and_load_no_adapters_with_it(client: Client) -> None:
    body = {"lora_name": "mine", "lora_path": "/adapters/mine"}
    assert Client(client.address).refused()[0] == 401
    assert Client(client.address, "another").refused()[0] == 401
    assert client.ask("/v1/load_lora_adapter", body)[0] == 403


def test_an_adapter_comes_and_goes_while_the_engine_runs(served: Team, client: Client) -> None:
    assert list(client.models()) == ["qwen3"]
    before = served.pods("wide")
    listed(served, [{"name": "sql", "source": "hf://org/model", "rank": RANK}])
    until(lambda: "sql" in client.models(), ARRIVES_SECONDS, lambda: served.told("wide"))
    assert client.text("sql") != client.text("qwen3")
    served.await_ready("wide")

    listed(served, [])
    until(lambda: list(client.models()) == ["qwen3"], ARRIVES_SECONDS, lambda: served.told("wide"))
    assert client.refused(model="sql")[0] == 404
    assert [identity(pod) for pod in served.pods("wide")] == [identity(pod) for pod in before]


def listed(team: Team, adapters: list[dict[str, Any]]) -> None:
    """Say which adapters there shall be."""
    patch = json.dumps({"spec": {"lora": {"adapters": adapters}}})
    team.kubectl("patch", "q3d", "wide", "--type=merge", f"--patch={patch}")


def identity(pod: dict[str, Any]) -> tuple[str, int]:
    """Return what changes when a pod is another, or has started anew."""
    counts = (one["restartCount"] for one in pod["status"]["containerStatuses"])
    return pod["metadata"]["uid"], sum(counts)


@pytest.fixture
def freed(shared: Team) -> Team:
    """The namespace with both GPUs free: there are no more."""
    shared.end_models()
    return shared


def test_experts_are_cut_in_two_among_two_ranks(freed: Team, supplies: Supplies) -> None:
    """The plan is for the whole 30B, whose FP8 fits two L4; what is served is of its kind.

    Whole experts a rank (`expert: 2`) are not played: vLLM's kernel for CPUs ends with a
    segmentation fault there (0.32.0, csrc/cpu/cpu_fused_moe.cpp).
    """
    resource = tiny(
        supplies,
        "experts",
        model={"variant": "Qwen3-30B-A3B", "source": "pvc://models/moe"},
        quantization="fp8",
        parallelism={"tensor": 2},
        resources=BOTH,
    )
    freed.apply(resource)
    status = freed.await_ready("experts")
    assert status["plan"]["layout"]["gpusPerReplica"] == 2
    assert holds(engine_of(freed, "experts")["args"], "--tensor-parallel-size", "2")
    client = Client(freed.address("experts"))
    assert client.choice()["message"]["reasoning"]
    assert client.text() == client.text()
