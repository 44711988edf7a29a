"""`kubectl qwen3` on real engines: what it says is what happens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.node.load import Client, Load
from support.node.team import READY_SECONDS
from support.node.tiny import tiny
from support.plugin import as_kubectl
from support.room import make_pod
from support.wait import until

if TYPE_CHECKING:
    from support.node import Supplies
    from support.node.team import Team
    from support.told import Tell

pytestmark = pytest.mark.e2e

SECONDS = 120.0

TOKENS = 8
CLIENTS = tuple(
    Client(f"client {number}", keeps=True, streams=False, tokens=TOKENS, thinks_s=0)
    for number in range(3)
)

OVER_S = 20

BAND = (0.75, 1.33)
"""The plugin's tokens per second over those of the load generator; requests come in bursts, and the
two do not look at exactly the same seconds."""


class Plugin:
    """The plugin on one namespace."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def text(self, *arguments: str) -> str:
        """Return what it prints."""
        return as_kubectl(
            self._team.cluster, *arguments, f"--namespace={self._team.namespace}"
        ).stdout

    def document(self, *arguments: str) -> dict[str, Any]:
        """Return what it says as JSON."""
        document: dict[str, Any] = json.loads(self.text(*arguments, "--output=json"))
        return document

    def held(self) -> tuple[int, dict[str, int]]:
        """Return the GPUs that are free on the node, and who holds how many."""
        (node,) = self.document("top", "--over=0")["nodes"]
        return node["free"], {one["name"]: one["gpus"] for one in node["holders"]}


def other_pod(image: str) -> dict[str, Any]:
    """Return a pod of somebody else that holds a GPU."""
    pod = make_pod(
        "notebook", gpus=1, securityContext=POD_SECURITY, terminationGracePeriodSeconds=0
    )
    pod["spec"]["containers"][0] |= {"image": image, "securityContext": CONTAINER_SECURITY}
    return pod


POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_what_the_plugin_says_is_what_happens(team: Team, supplies: Supplies, tell: Tell) -> None:
    plugin = Plugin(team)
    holder, waiter = f"{team.namespace}/holder", f"{team.namespace}/waiter"
    notebook = f"{team.namespace}/notebook"

    team.apply(other_pod(supplies.images.pause.name), tiny(supplies, "holder"))
    until(
        lambda: plugin.held() == (0, {holder: 1, notebook: 1}), SECONDS, lambda: plugin.text("top")
    )
    starting = plugin.document("why", "holder")
    assert not starting["ready"]
    assert starting["blockedBy"] in {"Progressing", "Available"}
    assert starting["reason"] in plugin.text("status")
    assert plugin.document("top")["load"] == []

    team.apply(tiny(supplies, "waiter"))
    until(
        lambda: team.condition_of("waiter", "Scheduled").get("status") == "False",
        SECONDS,
        lambda: team.told("waiter"),
    )
    why = plugin.text("why", "waiter")
    assert "waiter is not ready: InsufficientGPU." in why
    assert "It stops at Scheduled" in why
    assert "Held by holder (1), pod notebook (1)." in " ".join(why.split()), why
    assert f"{waiter}: " in plugin.text("top", "--over=0")

    team.await_ready("holder")
    assert "holder is ready" in plugin.text("why", "holder")
    table = [line.split()[:3] for line in plugin.text("status").splitlines()[1:]]
    assert table == [["holder", "1/1", "Ready"], ["waiter", "0/1", "InsufficientGPU"]]
    compare_speeds(team, plugin, tell)

    team.kubectl("delete", "pod", "notebook")
    until(lambda: plugin.held() == (0, {holder: 1, waiter: 1}), SECONDS, lambda: plugin.text("top"))
    assert plugin.document("top", "--over=0")["waiting"] == []


def compare_speeds(team: Team, plugin: Plugin, tell: Tell) -> None:
    (idle,) = plugin.document("top")["load"]
    assert (idle["tokensPerSecond"], idle["requestsRunning"]) == (0, 0)
    with Load(team.address("holder"), CLIENTS) as load:
        until(lambda: load.answered() >= 2 * len(CLIENTS), READY_SECONDS, "nobody answers")
        before, began = load.answered(), time.monotonic()
        (busy,) = plugin.document("top", f"--over={OVER_S}")["load"]
        counted = TOKENS * (load.answered() - before) / (time.monotonic() - began)
        table = plugin.text("top")
    tell(f"plugin: {busy['tokensPerSecond']} tokens/s by kubectl qwen3 top, {counted:.1f} counted")
    tell(table)
    assert load.failures() == []
    assert (busy["name"], busy["engines"], busy["enginesThatTold"]) == ("holder", 1, 1)
    assert BAND[0] < busy["tokensPerSecond"] / counted < BAND[1]
    assert 0 <= busy["requestsRunning"] + busy["requestsWaiting"] <= len(CLIENTS)
    assert "TOKENS/S" in table
