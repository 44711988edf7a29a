"""The planner's own command starts a server that answers, and reports what scaling reads."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.local_folder import add_folder
from qwen3_planner.engines.vllm.metrics import NAMES
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan
from qwen3_planner.planning import plan
from qwen3_planner.request import ChatSettings, EngineName, KvCacheDtype, PlanRequest
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32, kv_shape, token_bytes
from qwen3_planner.units import GIB
from support.engine.model_folders import write_model
from support.engine.oracle import engine_variables
from support.engine.serving import Server
from support.engine.starting import CPU_BLOCK_TOKENS, KV_SPACE_GIB
from support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from qwen3_planner.plan import Plan
    from support.engine.environment import EngineEnvironment

pytestmark = pytest.mark.engine

ADDED = ("--load-format", "dummy", "--enforce-eager")
"""What the planner's command gets besides: no weights exist, and nothing is compiled. The port is
replaced by a free one. Nothing is taken away."""

CONTEXT = 2000

DASHBOARD = Path(__file__).parents[2] / "charts/qwen3-operator/dashboards/qwen3-models.json"


@pytest.fixture(scope="module")
def planned(
    engine: EngineEnvironment,
    catalog: Catalog,
    model: ModelArchitecture,
    tmp_path_factory: pytest.TempPathFactory,
) -> Plan:
    """A plan for the folder, which has a tokenizer of its own."""
    folder = write_model(tmp_path_factory.mktemp("model") / "tiny-qwen3", model)
    argv = [str(engine.python), "-m", "support.engine.inside.tokenizing", str(folder)]
    subprocess.run(argv, env=engine_variables(folder), check=True)
    name, extended, checkpoint = add_folder(str(folder), catalog, field="MODEL")
    request = PlanRequest(
        name,
        source=checkpoint.uri,
        engine=EngineName.VLLM,
        max_model_len=CONTEXT,
        chat=ChatSettings(thinking=False),
    )
    answer = plan(request, parse_hardware("1xL4-24GB", catalog), extended)
    assert not isinstance(answer, NoPlan), answer
    return answer


@pytest.fixture(scope="module")
def server(
    engine: EngineEnvironment, planned: Plan, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The running server."""
    words, port = list(planned.command[2:]), free_port()
    words[words.index("--port") + 1] = str(port)
    folder = tmp_path_factory.mktemp("serving")
    with Server(engine, [*words, *ADDED], port, folder) as running:
        running.wait_until_healthy()
        yield running


def test_it_answers_a_chat_under_the_planned_name(server: Server, planned: Plan) -> None:
    chat = {
        "model": planned.served_name,
        "messages": [{"role": "user", "content": "How much memory?"}],
        "max_tokens": 8,
        "temperature": 0,
    }
    answer = server.post("/v1/chat/completions", chat)
    assert answer["usage"]["completion_tokens"] == 8
    assert answer["choices"][0]["finish_reason"] == "length"


def test_the_server_starts_without_thinking_and_a_request_may_think(server: Server) -> None:
    """The template closes reasoning in the prompt where there shall be none."""

    def prompt_tokens(**asked: bool) -> int:
        chat = {
            "model": "tiny-qwen3",
            "messages": [{"role": "user", "content": "How much memory?"}],
            "max_tokens": 2,
            **({"chat_template_kwargs": asked} if asked else {}),
        }
        return int(server.post("/v1/chat/completions", chat)["usage"]["prompt_tokens"])

    assert prompt_tokens() == prompt_tokens(enable_thinking=False)
    assert prompt_tokens() > prompt_tokens(enable_thinking=True)


def test_every_metric_that_is_read_is_there(server: Server) -> None:
    text = server.get("/metrics")
    series = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    missing = []
    for field in fields(NAMES):
        name = getattr(NAMES, field.name)
        if not {name, f"{name}_bucket"} & series:
            missing.append(name)
    assert missing == []


def test_each_panel_of_the_dashboard_reads_a_metric_that_is_there(server: Server) -> None:
    """A panel may name older spellings besides."""
    text = server.get("/metrics")
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    read = {
        panel["title"]: set(re.findall(r"vllm:[a-z_]+", json.dumps(panel["targets"])))
        for panel in dashboard["panels"]
        if "targets" in panel
    }
    named = {title: names for title, names in read.items() if names}
    assert len(named) >= 8
    missing = {t: names for t, names in named.items() if not any(name in text for name in names)}
    assert missing == {}


def test_the_log_names_the_planned_kv_tokens(server: Server, model: ModelArchitecture) -> None:
    width = kv_bytes_per_32(KvCacheDtype.BF16)
    shape = kv_shape(model, 1, width, CPU_BLOCK_TOKENS)
    block = CPU_BLOCK_TOKENS * token_bytes(model, 1, model.layers, width)
    tokens = shape.logged_tokens(KV_SPACE_GIB * GIB // block, CONTEXT)
    assert f"KV cache size: {tokens:,} tokens" in server.log
