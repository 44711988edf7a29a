"""Nobody's request fails while replicas are replaced, added and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.node.load import Load
from support.node.team import READY_SECONDS
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.node import Supplies
    from support.node.team import Team
    from support.told import Tell

pytestmark = pytest.mark.e2e

ANSWERING_S = 240
"""Time for an answer to end on two cores that start another engine; an engine has a minute."""

LEAVING_SECONDS = ANSWERING_S + 60.0

ANSWERS = 12
"""Two for each client, before anything happens and after it."""


def test_no_request_fails_while_replicas_come_and_go(
    team: Team, supplies: Supplies, tell: Tell
) -> None:
    team.apply(model(supplies))
    team.await_ready("tiny")

    changes: list[tuple[str, int, Callable[[], object]]] = [
        ("a rolling update of one replica, a GPU free", 1, lambda: change(team, supplies, 3072)),
        ("kubectl scale from one replica to two", 2, lambda: scale(team, 2)),
        ("a rolling update of two replicas, no GPU free", 2, lambda: change(team, supplies, 2560)),
        ("kubectl scale from two replicas to one", 1, lambda: scale(team, 1)),
    ]
    with Load(team.address("tiny")) as load:
        await_answers(load, ANSWERS)
        for what, replicas, begin in changes:
            load.during(what)
            begin()
            await_settled(team, replicas, load)
            tell(f"in flight: {load.report()[-1]}")
        load.during("afterwards")
        await_answers(load, load.answered() + ANSWERS)

    tell(f"in flight: {load.total()}")
    assert load.failures() == []


def model(supplies: Supplies, max_model_len: int = 4096) -> dict[str, Any]:
    resource = tiny(supplies, maxModelLen=max_model_len)
    resource["spec"]["engine"]["extraArgs"] = [f"--shutdown-timeout={ANSWERING_S}"]
    return resource


def change(team: Team, supplies: Supplies, max_model_len: int) -> None:
    """Change what rolls the pods; how many there are stays, as where an autoscaler owns it."""
    resource = model(supplies, max_model_len)
    resource["spec"]["replicas"] = team.get("q3d", "tiny")["spec"]["replicas"]
    team.apply(resource)


def scale(team: Team, replicas: int) -> None:
    team.kubectl("scale", "q3d/tiny", f"--replicas={replicas}")


def await_settled(team: Team, replicas: int, load: Load) -> None:
    """Wait until so many replicas serve, all of today's template, and the others are gone."""
    until(
        lambda: is_settled(team, replicas),
        replicas * (READY_SECONDS + LEAVING_SECONDS),
        lambda: "\n".join([*load.report(), team.told("tiny")]),
        interval=1,
    )


def is_settled(team: Team, replicas: int) -> bool:
    if team.condition_of("tiny", "Ready").get("status") != "True":
        return False
    selector = "--selector=serving.qwen3.dev/deployment=tiny"
    hashes = [hash_of(pod) for pod in team.get("pods", selector)["items"]]
    deployment = team.get("deployment", "tiny")
    ready = deployment["status"].get("readyReplicas", 0)
    return hashes == [hash_of(deployment["spec"]["template"])] * replicas and ready == replicas


def hash_of(template: dict[str, dict[str, dict[str, str]]]) -> str:
    return template["metadata"]["labels"]["serving.qwen3.dev/plan-hash"]


def await_answers(load: Load, count: int) -> None:
    until(lambda: load.answered() >= count, 120, lambda: "\n".join(load.report()))
