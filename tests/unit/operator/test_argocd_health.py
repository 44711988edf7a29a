"""The health script for Argo CD, run on statuses that the operator's own code wrote.

By Lua 5.1, which is what Argo CD's interpreter (gopher-lua) speaks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lupa.lua51 import LuaRuntime

from support.standings import Case, cases

SCRIPT = Path(__file__).parents[3] / "charts" / "qwen3-operator" / "argocd" / "health.lua"
WORDS = {"Healthy", "Progressing", "Degraded", "Suspended"}

ALLOWED = ("ipairs", "next", "pairs", "tonumber", "tostring", "type")
"""Of Lua's base library; Argo CD opens others only for scripts that ask for them."""


def health_of(body: dict[str, Any]) -> dict[str, str]:
    """Run the script as Argo CD does: the object is the global `obj`, the answer is returned."""
    lua = LuaRuntime(register_eval=False, register_builtins=False, unpack_returned_tuples=True)
    script = lua.eval(
        "function(text, sandbox) local f = assert(loadstring(text, 'health.lua'));"
        " setfenv(f, sandbox); return f() end"
    )
    sandbox = lua.table_from({name: lua.globals()[name] for name in ALLOWED})
    sandbox["obj"] = lua.table_from(body, recursive=True)
    return dict(script(SCRIPT.read_text("utf-8"), sandbox).items())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_argo_cd_shows_how_it_stands(case: Case) -> None:
    health = health_of(case.body)

    assert health["status"] == case.argo
    assert health["message"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("waits for GPUs", "InsufficientGPU: 2 replicas wait for 4 GPUs that are in use."),
        ("does not fit", "InsufficientGPUMemory: 38.9 GiB missing."),
        ("ready", "Ready: 2 replicas answer requests."),
        ("not looked at yet", "The operator has not looked at this version yet."),
    ],
)
def test_it_says_why(name: str, message: str) -> None:
    (case,) = [case for case in cases() if case.name == name]

    assert health_of(case.body)["message"] == message


def test_every_answer_of_argo_cds_vocabulary_is_given() -> None:
    assert {case.argo for case in cases()} == WORDS


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(None, id="no status at all"),
        pytest.param({}, id="an empty one"),
        pytest.param({"observedGeneration": 1}, id="no conditions"),
        pytest.param(
            {"observedGeneration": 1, "conditions": [{"type": "Available", "status": "True"}]},
            id="no Ready yet",
        ),
    ],
)
def test_what_says_nothing_is_on_its_way(status: dict[str, Any] | None) -> None:
    body: dict[str, Any] = {"metadata": {"name": "m", "generation": 1}, "spec": {}}

    health = health_of(body if status is None else {**body, "status": status})

    assert health["status"] == "Progressing"
