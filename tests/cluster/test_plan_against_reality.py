"""What a running engine says of its KV cache comes into the status, beside the plan.

The pods are simulated; they get a loopback address where an exposition in vLLM's form is served,
and the operator reads it over HTTP as it would read an engine's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import annotated_pods
from support.models import SECONDS, SMALL, Models
from support.operator import RunningOperator, install
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"

PORT = 8000
"""The planner's for vLLM."""


class Exposition(BaseHTTPRequestHandler):
    """Answers /metrics as vLLM 0.32 does, for so many tokens."""

    def __init__(self, *args: object, tokens: int) -> None:
        self._tokens = tokens
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        text = (
            "# TYPE vllm:cache_config_info gauge\n"
            f'vllm:cache_config_info{{block_size="16",kv_cache_size_tokens="{self._tokens}",'
            'num_gpu_blocks="1"} 1.0\n'
        )
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_args: object) -> None:
        return


@contextmanager
def engine(address: str, tokens: int) -> Iterator[None]:
    with ThreadingHTTPServer((address, PORT), partial(Exposition, tokens=tokens)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningOperator]:
    """An operator that asks engines."""
    installation = install(
        control_plane, tmp_path_factory.mktemp("operator"), "qwen3-operator-system"
    )
    asks = {"QWEN3_OPERATOR_READ_ENGINES": "true"}
    with RunningOperator(installation, environment=asks) as running:
        yield running


@pytest.mark.parametrize(
    ("address", "share", "events"),
    [
        pytest.param("127.78.0.1", 0.99, [], id="as planned"),
        pytest.param("127.78.0.2", 0.90, ["Warning"], id="far off"),
    ],
)
def test_the_engines_own_figure_comes_into_the_status(
    models: Models, tmp_path: Path, address: str, share: float, events: list[str]
) -> None:
    room = models.room
    planned = planned_tokens(models)
    tokens = int(planned * share)
    at = {"test.qwen3.dev/pod-ip": address}
    with engine(address, tokens), annotated_pods(room.cluster, room.namespace, at):
        models.apply("real", ON_L40S)
        until(
            lambda: models.status("real").get("measured"),
            SECONDS,
            lambda: f"nothing was measured: {models.status('real')}",
        )
    measured = models.status("real")["measured"]
    assert measured["kvCacheTokens"] == tokens
    assert measured["plannedKvCacheTokens"] == planned
    assert ("calibration" in measured) is bool(events)
    if events:
        assert planned_with(measured, tmp_path) == pytest.approx(tokens, rel=1e-3)
    until(
        lambda: (
            [kind for kind, reason in models.events("real") if reason == "PlanDeviates"] == events
        ),
        SECONDS,
        lambda: f"{events} should be told: {models.events('real')}",
    )


def planned_with(measured: dict[str, Any], folder: Path) -> int:
    """Go the way that the Event offers: the overlay through `qwen3 calibrate` into a plan."""
    mine = str(folder / "mine.yaml")
    overlay = json.dumps(measured["calibration"])
    run("calibrate", "-", "--calibration", mine, input=overlay)
    question = ("Qwen3-0.6B", "--hardware", "1xL40S-48GB", "--max-model-len", "8192")
    told = run("plan", *question, "--quantization", "bf16", "--calibration", mine, "-o", "json")
    return int(json.loads(told)["memory"]["kvCacheTokens"])


def run(*words: str, input: str | None = None) -> str:  # noqa: A002 - as of subprocess
    """Run the planner's own program."""
    argv = [sys.executable, "-m", "qwen3_planner", *words]
    return subprocess.run(argv, input=input, capture_output=True, text=True, check=True).stdout


def planned_tokens(models: Models) -> int:
    """Plan the same without running it."""
    models.apply("planned", f"{ON_L40S}suspend: true\n")
    models.await_condition("planned", "PlanFeasible", "True")
    return int(models.status("planned")["plan"]["memory"]["kvCacheTokens"])
