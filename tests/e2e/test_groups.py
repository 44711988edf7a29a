"""Two real nodes: ranks of a replica find each other over them, and a drain moves a replica."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.leaderworkerset import LeaderWorkerSets
from support.node import NODE_NAMES, Node, release, through_ray
from support.node.claims import claim_of_folder
from support.node.team import READY_SECONDS
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e

FIRST, SECOND = NODE_NAMES
GPU = "nvidia.com/gpu"

OVER_TWO_NODES = {"parallelism": {"tensor": 2}}
"""Not pipeline stages: with them vLLM 0.32's CPU build ends at the first request."""


NOTICED = "the cluster has /apis/leaderworkerset"
"""In the operator's log; until then it makes StatefulSets."""

NOTICED_SECONDS = 60.0


def advertise(cluster: ControlPlane, node: str, gpus: int) -> None:
    amounts = {GPU: str(gpus)}
    status = {"status": {"capacity": amounts, "allocatable": amounts}}
    cluster.kubectl("patch", "node", node, "--subresource=status", f"--patch={json.dumps(status)}")


@pytest.fixture(scope="module")
def two_nodes(
    installed: ControlPlane, supplies: Supplies, node_labels: dict[str, str]
) -> Iterator[ControlPlane]:
    """A second real node, and one GPU on each: two ranks take both."""
    images = supplies.images
    with Node(installed, labels=node_labels, extended_resources={GPU: 1}, images=images, number=1):
        advertise(installed, FIRST, 1)
        yield installed
        advertise(installed, FIRST, 2)
        installed.kubectl("delete", "node", SECOND)


@pytest.fixture(scope="module")
def sets(two_nodes: ControlPlane) -> Iterator[ControlPlane]:
    """The controller of LeaderWorkerSet, too, and the operator knows it."""
    with LeaderWorkerSets(two_nodes):
        (operator,) = release.operator_pods(two_nodes)
        until(
            lambda: NOTICED in release.operator_log(two_nodes, operator["metadata"]["name"]),
            NOTICED_SECONDS,
            "the operator should notice LeaderWorkerSets",
            interval=1,
        )
        yield two_nodes


def by_rank(team: Team, name: str) -> dict[str, dict[str, Any]]:
    return {pod["metadata"]["name"]: pod for pod in team.pods(name)}


def uids(team: Team, name: str) -> set[str]:
    return {pod["metadata"]["uid"] for pod in team.pods(name)}


def is_leader_ready(team: Team, name: str) -> bool:
    return team.condition(f"{name}-0", "Ready").get("status") == "True"


def assert_two_ranks_answer(team: Team, name: str) -> None:
    status = team.await_ready(name)
    assert status["layout"] == "tp2"
    assert status["plan"]["layout"]["nodesPerReplica"] == 2
    ranks = by_rank(team, name)
    assert {rank: pod["spec"]["nodeName"] for rank, pod in ranks.items()} in (
        {f"{name}-0": FIRST, f"{name}-0-1": SECOND},
        {f"{name}-0": SECOND, f"{name}-0-1": FIRST},
    )
    answered = team.message(name, chat_template_kwargs={"enable_thinking": False})
    assert answered["content"]


def test_a_leader_worker_set_of_two_ranks_answers(
    sets: ControlPlane, team: Team, supplies: Supplies
) -> None:
    del sets
    team.apply(tiny(supplies, "pair", **OVER_TWO_NODES))

    assert_two_ranks_answer(team, "pair")

    assert team.names("leaderworkersets") == ["pair"]
    before = uids(team, "pair")
    team.kubectl("delete", "pod", "pair-0-1", "--wait=false")
    until(
        lambda: len(uids(team, "pair") - before) == 2 and is_leader_ready(team, "pair"),
        READY_SECONDS,
        lambda: f"all ranks should start anew: {team.told('pair')}",
        interval=1,
    )
    assert_two_ranks_answer(team, "pair")


def test_without_it_stateful_sets_are_the_ranks(
    two_nodes: ControlPlane, team: Team, supplies: Supplies
) -> None:
    del two_nodes
    team.apply(tiny(supplies, "pair", **OVER_TWO_NODES))

    assert_two_ranks_answer(team, "pair")

    assert len(team.names("statefulsets")) == 2


def test_through_ray_the_ranks_answer_too(
    two_nodes: ControlPlane, team: Team, supplies: Supplies
) -> None:
    del two_nodes
    team.apply(*claim_of_folder(through_ray.CLAIM, team.namespace, supplies.ray))
    resource = tiny(supplies, "pair", **OVER_TWO_NODES)
    team.apply(through_ray.with_ray(resource, supplies.engine))

    assert_two_ranks_answer(team, "pair")

    said = team.kubectl("logs", "pair-0", "--container=engine")
    assert "RayWorkerProc" in said


def test_a_drain_has_a_replica_start_on_the_other_node(
    two_nodes: ControlPlane, team: Team, supplies: Supplies
) -> None:
    team.apply(tiny(supplies))
    team.await_ready("tiny")
    (before,) = team.pods("tiny")
    drained = before["spec"]["nodeName"]
    (other,) = {FIRST, SECOND} - {drained}
    # the operator may stay where it is: the second node goes with these tests
    chosen = "--pod-selector=serving.qwen3.dev/deployment=tiny"
    try:
        two_nodes.kubectl("drain", drained, chosen, "--delete-emptydir-data", "--timeout=120s")
        until(
            lambda: [pod["spec"].get("nodeName") for pod in team.pods("tiny")] == [other],
            READY_SECONDS,
            lambda: team.told("tiny"),
            interval=1,
        )
        team.await_ready("tiny")
    finally:
        two_nodes.kubectl("uncordon", drained)

    assert team.message("tiny", chat_template_kwargs={"enable_thinking": False})["content"]
