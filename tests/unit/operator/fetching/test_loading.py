"""Adapters that come and go while an engine runs: the sidecar, and the guard inside the engine."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest
from click.testing import CliRunner

from qwen3_operator.__main__ import main
from qwen3_operator.fetching import loading
from qwen3_operator.fetching.adapter_guard import LocalOnly
from qwen3_operator.fetching.loading import API_KEY, Task, bring_in_line
from qwen3_operator.fetching.problems import UnfitError
from support.hub_server import Hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

KEY = "the-key"


@dataclass
class Engine:
    """Answers as vLLM does about models and adapters; a context manager while it serves.

    Attributes:
        adapters: path by name.
        asked: every request, as (path, body).
        refuses: whether adapters are refused.
    """

    adapters: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refuses: bool = False

    def __enter__(self) -> Self:
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                cards: list[dict[str, Any]] = [{"id": "Qwen3-8B", "root": "x", "parent": None}]
                for name, path in engine.adapters.items():
                    cards.append({"id": name, "root": path, "parent": "Qwen3-8B"})
                self.say(200, json.dumps({"data": cards}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                engine.asked.append((self.path, body))
                if engine.refuses:
                    self.say(400, "no slot")
                elif self.path == "/v1/load_lora_adapter":
                    engine.adapters[body["lora_name"]] = body["lora_path"]
                    self.say(200, "Success")
                else:
                    del engine.adapters[body["lora_name"]]
                    self.say(200, "Success")

            def say(self, status: int, text: str) -> None:
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    status, text = 401, "Unauthorized"
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"


ADAPTER = {
    "adapter_config.json": b'{"r": 8}',
    "adapter_model.safetensors": b"matrices",
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as serving:
        yield serving


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub(ADAPTER) as serving:
        yield serving


@pytest.fixture
def task(engine: Engine, tmp_path: Path) -> Task:
    listed = tmp_path / "adapters.json"
    return Task(engine.url, listed, tmp_path / "hub", 16, tmp_path / "ready")


def list_of(task: Task, *names: str, revision: str = "") -> None:
    listed = [{"name": n, "source": "hf://org/model", "revision": revision} for n in names]
    task.listed.write_text(json.dumps(listed))


def surroundings(hub: Hub) -> dict[str, str]:
    return {API_KEY: KEY, "HF_ENDPOINT": hub.url}


def test_what_is_listed_is_fetched_and_loaded_and_what_is_not_goes(
    task: Task, engine: Engine, hub: Hub
) -> None:
    engine.adapters["old"] = "/elsewhere"
    list_of(task, "support")
    bring_in_line(task, surroundings(hub))
    place = task.folder / "hf/org/model/default"
    assert engine.adapters == {"support": str(place)}
    assert (place / "adapter_model.safetensors").read_bytes() == b"matrices"
    engine.asked.clear()
    bring_in_line(task, surroundings(hub))
    assert engine.asked == []


def test_another_revision_is_loaded_in_place_of_the_first(
    task: Task, engine: Engine, hub: Hub
) -> None:
    list_of(task, "support")
    bring_in_line(task, surroundings(hub))
    list_of(task, "support", revision="v2")
    bring_in_line(task, surroundings(hub))
    assert engine.adapters == {"support": str(task.folder / "hf/org/model/v2")}
    assert [path for path, _ in engine.asked[1:]] == [
        "/v1/unload_lora_adapter",
        "/v1/load_lora_adapter",
    ]


def test_an_adapter_that_does_not_fit_is_never_shown_to_the_engine(
    task: Task, engine: Engine
) -> None:
    list_of(task, "support")
    with (
        Hub({**ADAPTER, "adapter_config.json": b'{"r": 64}'}) as hub,
        pytest.raises(UnfitError, match="its rank is 64, and slots hold 16"),
    ):
        bring_in_line(task, surroundings(hub))
    assert engine.asked == []


def test_the_sidecar_is_ready_only_while_all_is_served(
    task: Task, engine: Engine, hub: Hub
) -> None:
    list_of(task, "support")
    loading._look(task, surroundings(hub))
    assert task.ready.exists()
    engine.adapters.clear()
    engine.refuses = True
    loading._look(task, surroundings(hub))
    assert not task.ready.exists()


def test_a_wrong_key_is_told_without_repeating_it(
    task: Task, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    list_of(task, "support")
    loading._look(task, {**surroundings(hub), API_KEY: "wrong-key"})
    assert "models: the engine answered 401" in caplog.text
    assert "wrong-key" not in caplog.text


def ask(path: str, client: str, kind: str = "http") -> int:
    """Ask a guarded application; return the status of its answer."""
    sent: list[dict[str, Any]] = []

    async def app(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(dict(message))

    async def receive() -> dict[str, Any]:
        return {}

    scope = {"type": kind, "path": path, "client": (client, 40000)}
    asyncio.run(LocalOnly(app)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/v1/load_lora_adapter/"),
        *("/adapters", "/adapters/support", "/root/v1/load_lora_adapter"),
    ],
)
def test_nobody_but_the_pod_itself_loads_adapters(path: str) -> None:
    assert ask(path, "10.1.2.3") == 403
    assert ask(path, "") == 403
    assert ask(path, "127.0.0.1") == 200
    assert ask(path, "::1") == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/health", "/metrics"])
def test_everything_else_is_answered_to_all(path: str) -> None:
    assert ask(path, "10.1.2.3") == 200


def test_a_socket_is_no_request_about_adapters() -> None:
    assert ask("/v1/realtime", "10.1.2.3", "websocket") == 200


def test_the_guard_that_is_written_stands_alone(tmp_path: Path) -> None:
    written = CliRunner().invoke(main, ["write-adapter-guard", "--to", str(tmp_path)])
    assert written.exit_code == 0
    names: dict[str, Any] = {}
    text = (tmp_path / "adapter_guard.py").read_text()
    assert "qwen3_" not in text
    exec(compile(text, "guard", "exec"), names)  # noqa: S102 - as the engine imports it
    assert callable(names["LocalOnly"])
