"""The real engine serves the adapters that are planned, and those that the sidecar brings later."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from qwen3_operator.desired.runtime_adapters import MIDDLEWARE
from qwen3_operator.fetching import adapter_guard
from qwen3_operator.fetching.loading import API_KEY, Task, bring_in_line
from qwen3_planner.catalog.local_folder import add_folder
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan
from qwen3_planner.planning import plan
from qwen3_planner.request import Adapter, EngineName, EngineTuning, PlanRequest
from support.engine.model_folders import write_model
from support.engine.oracle import engine_variables
from support.engine.serving import Server
from support.hub_server import Hub
from support.lora_files import RANK, adapter_files
from support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from support.engine.environment import EngineEnvironment

pytestmark = pytest.mark.engine

KEY = "the-key"

ADDED = ("--load-format", "dummy", "--enforce-eager", "--middleware", MIDDLEWARE)
"""What the planner's command gets besides: no weights exist, and the operator's own guard."""

SLOTS = 3
"""Two that get an adapter, and one that stays empty. vLLM's kernels for CPUs, which the planner
does not plan, give the last slot's adapter to whoever asks for the model itself: they take its
index, -1, for one from the end. Source: vllm@v0.32.0 vllm/lora/ops/torch_ops/lora_ops.py."""


@pytest.fixture(scope="module")
def server(
    engine: EngineEnvironment,
    catalog: Catalog,
    model: ModelArchitecture,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The planned command with one adapter, and room for one more; the guard beside it."""
    folder = write_model(tmp_path_factory.mktemp("model") / "tiny-qwen3", model)
    argv = [str(engine.python), "-m", "support.engine.inside.tokenizing", str(folder)]
    subprocess.run(argv, env=engine_variables(folder), check=True)
    place = tmp_path_factory.mktemp("adapters") / "support"
    place.mkdir()
    for name, content in adapter_files(model, 1).items():
        (place / name).write_bytes(content)
    (place / "adapter_guard.py").write_bytes(Path(adapter_guard.__file__).read_bytes())
    name, extended, checkpoint = add_folder(str(folder), catalog, field="MODEL")
    request = PlanRequest(
        name,
        source=checkpoint.uri,
        engine=EngineName.VLLM,
        max_model_len=1024,
        adapters=(Adapter("support", f"file://{place}", rank=RANK),),
        tuning=EngineTuning(max_loras=SLOTS),
    )
    answer = plan(request, parse_hardware("1xL4-24GB", catalog), extended)
    assert not isinstance(answer, NoPlan), answer
    words, port = list(answer.command[2:]), free_port()
    words[words.index("--port") + 1] = str(port)
    env = {
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "VLLM_API_KEY": KEY,
        "PYTHONPATH": f"{place}:{engine_variables(folder)['PYTHONPATH']}",
    }
    home = tmp_path_factory.mktemp("serving")
    with Server(engine, [*words, *ADDED], port, home, env) as running:
        running.wait_until_healthy()
        yield running


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Ask the engine with the clients' key."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    request = urllib.request.Request(f"{url}{path}", data, headers)  # noqa: S310 - this machine
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        return json.loads(answer.read())


def names(server: Server) -> list[str]:
    return sorted(one["id"] for one in ask(server.url, "/v1/models")["data"])


def answer_of(server: Server, name: str) -> list[float]:
    """Return how likely the most likely next tokens are, as a model or an adapter sees it."""
    prompt = {"model": name, "prompt": "memory", "max_tokens": 1, "logprobs": 5, "temperature": 0}
    found = ask(server.url, "/v1/completions", prompt)["choices"][0]["logprobs"]
    return sorted(found["top_logprobs"][0].values())


def refusal(url: str, body: dict[str, Any]) -> int:
    """Return the status that a request to load an adapter is refused with."""
    with pytest.raises(HTTPError) as refused:
        ask(url, "/v1/load_lora_adapter", body)
    with refused.value as error:
        return error.code


def test_an_adapter_is_served_beside_the_model(server: Server) -> None:
    assert names(server) == ["support", "tiny-qwen3"]
    assert answer_of(server, "support") != answer_of(server, "tiny-qwen3")


def test_the_sidecar_brings_one_more_and_takes_it_away(
    server: Server, model: ModelArchitecture, tmp_path: Path
) -> None:
    listed, folder = tmp_path / "adapters.json", tmp_path / "hub"
    task = Task(server.url, listed, folder, RANK, tmp_path / "ready")
    with Hub(adapter_files(model, 2)) as hub:
        surroundings = {API_KEY: KEY, "HF_ENDPOINT": hub.url}
        listed.write_text(json.dumps([{"name": "sql", "source": "hf://org/model"}]))
        bring_in_line(task, surroundings)
        assert names(server) == ["sql", "tiny-qwen3"]
        assert answer_of(server, "sql") != answer_of(server, "tiny-qwen3")
        listed.write_text("[]")
        bring_in_line(task, surroundings)
    assert names(server) == ["tiny-qwen3"]


def test_a_client_with_the_key_loads_nothing_from_elsewhere(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(("192.0.2.1", 9))  # sends nothing: says which address is not the loopback
        address = way.getsockname()[0]
    outside = server.url.replace("127.0.0.1", address)
    assert "tiny-qwen3" in [one["id"] for one in ask(outside, "/v1/models")["data"]]
    body = {"lora_name": "mine", "lora_path": "/adapters/mine"}
    assert refusal(outside, body) == 403
    assert refusal(server.url, body) in (400, 404)  # from the pod it is asked for, and missing
