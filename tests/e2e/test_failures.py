"""What breaks on a real node is told as it is, and comes back by itself or as the status says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import CommandError
from support.node import NODE_NAMES
from support.node.team import READY_SECONDS
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e

NODE = NODE_NAMES[0]

DRAIN = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=30s")

SYSTEM = "qwen3-system"

PATIENCE = "--timeout=120s"

TOLD_SECONDS = 180.0
"""Until the status tells what has happened."""

KILL_THE_ENGINE = """
import os, pathlib, signal
for one in pathlib.Path("/proc").glob("[0-9]*"):
    if (one / "cmdline").read_bytes().startswith(b"VLLM::EngineCore"):
        os.kill(int(one.name), signal.SIGKILL)
        break
else:
    raise SystemExit("there is no engine")
"""


def test_an_engine_killed_for_its_memory_is_told_with_the_limit_that_heals(
    team: Team, supplies: Supplies
) -> None:
    # less than the first process alone writes: near the limit it would only read its code again
    # and again, since pages of files go first
    team.apply(tiny(supplies, resources=limited("384Mi")))

    until(
        lambda: ready(team).get("reason") == "ContainerOOMKilled",
        TOLD_SECONDS,
        lambda: team.told("tiny"),
        interval=1,
    )

    told = ready(team)["message"]
    assert "0.4 GiB and was killed" in told
    enough = re.search(r"set (?:spec\.resources\.limits\.memory to )?(\d+Gi)", told)
    assert enough, told
    team.apply(tiny(supplies, resources=limited(enough[1])))
    team.await_ready("tiny")
    assert answers(team)


def test_replicas_come_back_after_a_deletion_a_dead_engine_and_a_drain(
    team: Team, supplies: Supplies
) -> None:
    team.apply(tiny(supplies, replicas=2))
    await_replicas(team)
    deleted, robbed = team.pods("tiny")

    team.kubectl(
        *("exec", name_of(robbed), "--container=engine"),
        *("--", "python3", "-c", KILL_THE_ENGINE),
    )
    team.kubectl("delete", "pod", name_of(deleted), "--grace-period=0", "--force")

    told = await_replicas(team, unlike={name_of(deleted)})
    assert any(said.startswith("False") for said in told), told
    after = {name_of(pod): pod for pod in team.pods("tiny")}
    assert restarts(after[name_of(robbed)]) >= 1
    assert answers(team)

    try:
        with pytest.raises(CommandError, match="disruption budget"):
            team.cluster.kubectl("drain", NODE, *DRAIN)
        assert sum(map(is_ready, team.pods("tiny"))) == 1
        assert answers(team)
    finally:
        team.cluster.kubectl("uncordon", NODE)
    await_replicas(team)
    team.cluster.kubectl("rollout", "status", "deployment", f"--namespace={SYSTEM}", PATIENCE)


def limited(memory: str) -> dict[str, Any]:
    return {"requests": {"memory": "256Mi"}, "limits": {"memory": memory}}


def ready(team: Team) -> dict[str, str]:
    return team.condition_of("tiny", "Ready")


def await_replicas(team: Team, unlike: set[str] | None = None) -> list[str]:
    """Wait until two replicas serve, none of them named so; return what the status said till then.

    Each sentence once: the condition Ready, its reason and its message.
    """
    said: list[str] = []

    def is_there() -> bool:
        condition = ready(team)
        sentence = f"{condition.get('status')} {condition.get('reason')} {condition.get('message')}"
        if sentence not in said:
            said.append(sentence)
        serving = {name_of(pod) for pod in team.pods("tiny") if is_ready(pod)} - (unlike or set())
        return len(serving) == 2 and condition.get("status") == "True"

    until(is_there, READY_SECONDS, lambda: f"{said}\n{team.told('tiny')}", interval=1)
    return said


def name_of(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def restarts(pod: dict[str, Any]) -> int:
    return sum(one["restartCount"] for one in pod["status"]["containerStatuses"])


def answers(team: Team) -> bool:
    return bool(team.message("tiny", chat_template_kwargs={"enable_thinking": False})["content"])
