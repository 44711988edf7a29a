"""kill -9 in the middle of a rollout, at every write: the same children afterwards, none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.models import OWNER, SECONDS, SMALL, Models
from support.operator import Installation, RunningOperator, install
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.room import Room

pytestmark = pytest.mark.cluster

POOL = f"{SMALL}accelerators: [A100-SXM-80GB]\nparallelism: {{tensor: 2}}\n"
"""Two replicas of it fill the pool: a replica too many, or one twice, would stay Pending."""

WRITES_OF_A_START = 6
"""Deployment, Service, two statuses, two Events. Where there are fewer the operator lives on,
which must be as good."""

WRITES_OF_A_ROLLOUT = 4


@pytest.fixture(scope="module")
def installation(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """Rights of the operators of this file."""
    return install(control_plane, tmp_path_factory.mktemp("operator"), "crashes-system")


@pytest.fixture
def models(room: Room, installation: Installation) -> Iterator[Models]:
    """The resources of an own namespace, collected when the test is over."""
    models = Models(room)
    yield models
    with RunningOperator(installation):
        models.delete_all()


def crashing(installation: Installation, at_write: int, when: str) -> RunningOperator:
    return RunningOperator(
        installation,
        module="support.crashing_operator",
        environment={"CRASH_AT_WRITE": str(at_write), "CRASH_WHEN": when},
        wait_until="started",
    )


def shape(child: dict[str, Any]) -> dict[str, Any]:
    """What a child is, without what the API server and other controllers say of it."""
    spec = {k: v for k, v in child["spec"].items() if k not in ("clusterIP", "clusterIPs")}
    metadata = child["metadata"]
    owners = [(o["kind"], o["name"]) for o in metadata["ownerReferences"]]
    return {"labels": metadata["labels"], "owners": owners, "spec": spec}


def shapes(models: Models, name: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {key: shape(child) for key, child in models.children(name).items()}


def await_end_or(models: Models, operator: RunningOperator, name: str) -> None:
    """Wait until the operator has killed itself, or has brought the resource to its end."""

    def over() -> bool:
        if operator.returncode is not None:
            return True
        body = models.get(name)  # once: judged in two looks, it could change between them
        status = body.get("status", {})
        ready = any(
            c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ())
        )
        return ready and status["observedGeneration"] == body["metadata"]["generation"]

    try:
        until(over, SECONDS, lambda: f"neither crashed nor ready: {operator.log}", interval=0.1)
    finally:
        operator.kill()


def replica_sets(models: Models, name: str) -> int:
    items = models.room.get("replicasets", f"--selector={OWNER}={name}")["items"]
    return len(items)


@pytest.fixture(scope="module")
def undisturbed(
    control_plane: ControlPlane, installation: Installation
) -> dict[tuple[str, str], dict[str, Any]]:
    """The children that a run without a crash makes, before and after a change of context."""
    from support.room import Room  # noqa: PLC0415 - the fixture `room` is per test

    name = "crashes-undisturbed"
    control_plane.kubectl("create", "namespace", name)
    models = Models(Room(control_plane, name))
    with RunningOperator(installation):
        models.apply("model", f"{POOL}replicas: 2\n")
        models.await_ready("model")
        made = shapes(models, "model")
        models.delete_all()
    return made


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at_write", range(1, WRITES_OF_A_START + 1))
def test_a_start_that_is_interrupted_is_finished_by_the_next_operator(
    models: Models,
    installation: Installation,
    undisturbed: dict[tuple[str, str], dict[str, Any]],
    at_write: int,
    when: str,
) -> None:
    models.apply("model", f"{POOL}replicas: 2\n")
    operator = crashing(installation, at_write, when)
    operator.start()
    await_end_or(models, operator, "model")
    with RunningOperator(installation):
        models.await_ready("model")
        assert shapes(models, "model") == undisturbed
        assert len(models.pods("model")) == 2
        assert models.nodes("model") == ["a100-0", "a100-0"]
        assert replica_sets(models, "model") == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at_write", range(1, WRITES_OF_A_ROLLOUT + 1))
def test_a_rollout_that_is_interrupted_is_finished_by_the_next_operator(
    models: Models, installation: Installation, at_write: int, when: str
) -> None:
    models.apply("model", f"{POOL}replicas: 2\n")
    with RunningOperator(installation):
        models.await_ready("model")
    models.apply(
        "model", f"{POOL}replicas: 2\nworkload: {{concurrency: 2}}\n".replace("8192", "4096")
    )
    operator = crashing(installation, at_write, when)
    operator.start()
    await_end_or(models, operator, "model")
    with RunningOperator(installation):
        models.await_ready("model")
        until(
            lambda: (
                models.status("model")["updatedReplicas"] == 2 and len(models.pods("model")) == 2
            ),
            SECONDS,
            lambda: f"both replicas should be new: {models.status('model')}",
        )
        assert set(models.children("model")) == {("Deployment", "model"), ("Service", "model")}
        assert replica_sets(models, "model") == 2
        assert "4096" in str(models.pods("model")[0]["spec"]["containers"][0]["args"])
