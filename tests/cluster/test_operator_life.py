"""The operator's own life: killed anywhere, restarted, doubled, confined; and queues that move."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import ProcessDiedError, tally
from support.models import SECONDS, SMALL, Models
from support.operator import Installation, RunningOperator, install
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane
    from support.room import Room

pytestmark = pytest.mark.cluster

ON_A100 = "quantization: bf16\naccelerators: [A100-SXM-80GB]\n"
TWO_OF_TWO = f"{ON_A100}parallelism: {{tensor: 2}}\nreplicas: 2\n"
"""Both replicas together hold all GPUs of the A100 node."""

SHORT_LEASE_S = 3
MOST_WRITES = 30
"""More writes than one resource needs; a test that gets so far has found a loop."""


@pytest.fixture
def installation(control_plane: ControlPlane, room: Room, tmp_path: Path) -> Installation:
    """The chart's account, with a Lease of its own for each test."""
    return install(control_plane, tmp_path, f"{room.namespace}-system")


@pytest.fixture
def models(room: Room) -> Models:
    return Models(room)


def shape(models: Models, name: str) -> dict[str, Any]:
    """What must be the same whatever happened: children with their wishes, and how many pods."""
    return {
        "children": {
            kind: (child["spec"].get("template", child["spec"].get("ports")))
            for (kind, _), child in models.children(name).items()
        },
        "replicas": models.children(name)["Deployment", name]["spec"]["replicas"],
        "pods": len(models.pods(name)),
    }


def is_settled(models: Models, name: str) -> bool:
    """Whether the present specification is Ready, run by pods of the current template alone."""
    body = models.get(name)
    status = body.get("status", {})
    ready = models.condition(name, "Ready").get("status") == "True"
    is_current = status.get("observedGeneration") == body["metadata"]["generation"]
    wanted = body["spec"]["replicas"]
    return ready and is_current and status["updatedReplicas"] == len(models.pods(name)) == wanted


def await_settled(models: Models, name: str) -> None:
    until(
        lambda: is_settled(models, name),
        SECONDS,
        lambda: f"{name} should settle: {json.dumps(models.status(name), indent=1)}",
        interval=0.2,
    )


def dies_at(installation: Installation, number: int, when: str, models: Models) -> bool:
    """Run an operator that dies as of `kill -9` at its n-th write; False if it finished before."""
    environment = {"CRASH_AT_WRITE": str(number), "CRASH_WHEN": when}
    operator = RunningOperator(
        installation,
        lease_duration_s=SHORT_LEASE_S,
        module="support.crashing_operator",
        environment=environment,
        wait_until="started",
    )
    operator.start()
    try:
        until(
            lambda: operator.returncode is not None or is_settled(models, "victim"),
            SECONDS,
            lambda: f"neither dead nor done: {operator.log}",
            interval=0.1,
        )
        return operator.returncode is not None
    finally:
        if operator.returncode is None:
            operator.kill()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("is_rollout", [False, True], ids=["creation", "rollout"])
def test_killed_at_any_write_it_ends_with_the_same_children(
    models: Models, installation: Installation, when: str, *, is_rollout: bool
) -> None:
    first, second = f"{TWO_OF_TWO}maxModelLen: 8192\n", f"{TWO_OF_TWO}maxModelLen: 4096\n"
    shapes, number = [], 0
    for number in range(1, MOST_WRITES):
        if is_rollout:
            models.apply("victim", first)
            with RunningOperator(installation, lease_duration_s=SHORT_LEASE_S):
                await_settled(models, "victim")
        models.apply("victim", second)
        died = dies_at(installation, number, when, models)
        with RunningOperator(installation, lease_duration_s=SHORT_LEASE_S):
            await_settled(models, "victim")
            shapes.append(shape(models, "victim"))
            models.delete_all()
        if not died:
            break
    assert number > 3, "Deployment, Service and status at least were written"
    assert number < MOST_WRITES - 1, "it never finished"
    assert all(seen == shapes[0] for seen in shapes)
    assert shapes[0]["pods"] == 2
    assert set(shapes[0]["children"]) == {"Deployment", "Service"}


def writes(room: Room, installation: Installation, mark: int) -> list[str]:
    """What the operator wrote since then, its Lease aside."""
    requests = room.cluster.audit_log.requests(mark)
    return [
        f"{request.verb} {request.resource}/{request.subresource} {request.name}"
        for request in requests
        if request.writes and request.user == installation.user and request.resource != "leases"
    ]


def test_a_restarted_operator_writes_nothing(models: Models, installation: Installation) -> None:
    room = models.room
    with RunningOperator(installation):
        models.apply("runs", TWO_OF_TWO)
        models.apply("waits", TWO_OF_TWO)
        models.apply("cannot", "quantization: bf16\nmaxGpus: 1\n", variant="Qwen3-235B-A22B")
        models.await_ready("runs")
        models.await_condition("waits", "Scheduled", "False", "InsufficientGPU")
        models.await_condition("cannot", "PlanFeasible", "False")
        pods = {pod["metadata"]["uid"] for pod in models.pods("runs")}
    mark = room.cluster.audit_log.mark()
    with RunningOperator(installation) as operator:
        models.apply("sentinel", f"{SMALL}suspend: true\n")
        models.await_condition("sentinel", "Ready", "False", "Suspended")
        assert operator.returncode is None
        written = [line for line in writes(room, installation, mark) if "sentinel" not in line]
        about_events = [line for line in written if "events" in line]
        models_left = {pod["metadata"]["uid"] for pod in models.pods("runs")}
        models.delete_all()
    assert len(about_events) <= 2, "of the sentinel alone: its plan, its suspension"
    assert [line for line in written if "events" not in line] == []
    assert models_left == pods


def test_only_the_holder_of_the_lease_writes_and_a_standby_takes_over(
    models: Models, installation: Installation
) -> None:
    room = models.room
    with RunningOperator(installation, identity="first", lease_duration_s=SHORT_LEASE_S) as first:
        second = RunningOperator(
            installation, identity="second", lease_duration_s=SHORT_LEASE_S, wait_until="ready"
        )
        with second:
            mark = room.cluster.audit_log.mark()
            models.apply("one", TWO_OF_TWO)
            models.await_ready("one")
            assert not second.is_leading()
            agents = tally(
                [r for r in room.cluster.audit_log.requests(mark) if r.user == installation.user],
                by=lambda request: request.resource,
            )
            assert agents["deployments"].writes == 1
            first.kill()
            second.await_leading()
            room.kubectl("scale", "q3d/one", "--replicas=1")
            until(lambda: len(models.pods("one")) == 1, SECONDS, "the standby should scale it")
            models.delete_all()


def test_a_paused_leader_does_not_write_after_another_took_over(
    models: Models, installation: Installation
) -> None:
    """A process that was stopped for longer than its Lease must end, not go on."""
    import signal  # noqa: PLC0415 - only here
    from os import kill  # noqa: PLC0415

    with RunningOperator(installation, identity="first", lease_duration_s=SHORT_LEASE_S) as first:
        first.unwanted_words = ()
        kill(first.pid, signal.SIGSTOP)
        with RunningOperator(installation, identity="second", lease_duration_s=SHORT_LEASE_S):
            kill(first.pid, signal.SIGCONT)
            until(lambda: first.returncode is not None, SECONDS, "the old leader should end")
            models.apply("one", TWO_OF_TWO)
            models.await_ready("one")
            models.delete_all()
        with pytest.raises(ProcessDiedError):
            first.is_ready()


def test_the_queue_moves_by_priority_then_age(models: Models, installation: Installation) -> None:
    room = models.room
    name = f"{room.namespace}-urgent"
    room.cluster.kubectl("create", "priorityclass", name, "--value=1000")
    try:
        with RunningOperator(installation):
            models.apply("holder", f"{ON_A100}parallelism: {{tensor: 4}}\nmaxModelLen: 8192\n")
            models.await_ready("holder")
            for waiting, extra in (("older", ""), ("younger", ""), ("urgent", name)):
                line = f"priorityClassName: {extra}\n" if extra else ""
                models.apply(waiting, f"{TWO_OF_TWO}maxModelLen: 8192\n{line}")
                models.await_condition(waiting, "Scheduled", "False", "InsufficientGPU")
                assert models.children(waiting) == {}
            message = models.condition("younger", "Scheduled")["message"]
            assert "holder (4)" in message
            for done, following in (
                ("holder", "urgent"),
                ("urgent", "older"),
                ("older", "younger"),
            ):
                models.delete(done)
                models.await_ready(following)
            models.delete_all()
    finally:
        room.cluster.kubectl("delete", "priorityclass", name)


def test_a_confined_operator_leaves_other_namespaces_alone(
    control_plane: ControlPlane, models: Models, tmp_path: Path
) -> None:
    """Its roles reach one namespace, and it never asks beyond: Forbidden would be in its log."""
    room = models.room
    elsewhere = f"{room.namespace}-system"
    confined = install(control_plane, tmp_path, elsewhere, watched=[room.namespace])
    with RunningOperator(confined):
        models.apply("inside", TWO_OF_TWO)
        room.cluster.kubectl(
            "apply",
            f"--namespace={elsewhere}",
            "--filename=-",
            input=json.dumps(
                {
                    "apiVersion": "serving.qwen3.dev/v1alpha1",
                    "kind": "Qwen3Deployment",
                    "metadata": {"name": "outside"},
                    "spec": {"model": {"variant": "Qwen3-0.6B"}},
                }
            ),
        )
        models.await_ready("inside")
        outside = room.cluster.kubectl_json("get", "q3d", "outside", f"--namespace={elsewhere}")
        assert "phase" not in outside.get("status", {})
        models.delete_all()
