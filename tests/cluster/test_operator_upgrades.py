"""An operator that is upgraded restarts nothing, until the user asks for something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.models import SECONDS, SMALL, Models
from support.newer_operator import FLAG, VARIABLE
from support.operator import Installation, RunningOperator, install
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane
    from support.room import Room

pytestmark = pytest.mark.cluster

ON_A100 = f"{SMALL}accelerators: [A100-SXM-80GB]\n"

EARLIER = Path(__file__).parents[1] / "golden" / "upgrades" / "b33a98f.json"
"""What the operator of commit b33a98f, which kept no records, left in a cluster."""


def newer(installation: Installation) -> RunningOperator:
    """Start a release that would make every pod differently."""
    return RunningOperator(installation, identity="newer", module="support.newer_operator")


def pods_of(models: Models, name: str) -> tuple[list[str], list[str], str]:
    """Return what upgrades must leave alone: ReplicaSets, pods, and the template to the byte."""
    selector = f"--selector=serving.qwen3.dev/deployment={name}"
    sets = models.room.get("replicasets", selector)["items"]
    template = models.room.get("deployment", name)["spec"]["template"]
    return (
        sorted(one["metadata"]["uid"] for one in sets),
        sorted(pod["metadata"]["uid"] for pod in models.pods(name)),
        json.dumps(template),
    )


def await_outdated(models: Models, name: str) -> None:
    """Wait until the newer release has looked, and said that it would make other pods."""
    until(
        lambda: models.status(name).get("rollout", {}).get("outdated"),
        SECONDS,
        lambda: f"{name} should be outdated: {models.status(name)}",
    )


def restore(models: Models, name: str) -> None:
    """Put the objects of an earlier release back: resource, status, and the children it applied."""
    left: dict[str, Any] = json.loads(EARLIER.read_text(encoding="utf-8"))
    room = models.room
    room.apply(left["resource"])
    resource = room.get("q3d", name)
    owner = {"uid": resource["metadata"]["uid"]}
    for child in left["children"]:
        child["metadata"]["namespace"] = room.namespace
        child["metadata"]["ownerReferences"][0] |= owner
        room.kubectl(
            *("apply", "--server-side", "--field-manager=qwen3-operator", "-f", "-"),
            text=json.dumps(child),
        )
    status = {**left["status"], "observedGeneration": resource["metadata"]["generation"]}
    room.kubectl(
        *("patch", "q3d", name, "--subresource=status", "--type=merge"),
        f"--patch={json.dumps({'status': status})}",
    )
    room.await_rollout(name)


def test_an_upgrade_makes_no_replicaset_until_the_user_asks(
    control_plane: ControlPlane, room: Room, tmp_path: Path
) -> None:
    installation = install(control_plane, tmp_path, "upgrades-system")
    models = Models(room)
    with RunningOperator(installation):
        models.apply("kept", ON_A100)
        models.await_ready("kept")
    restore(models, "ancient")
    before = {name: pods_of(models, name) for name in ("kept", "ancient")}
    assert FLAG not in before["kept"][2]
    with newer(installation) as operator:
        for name, as_before in before.items():
            await_outdated(models, name)
            assert pods_of(models, name) == as_before
            assert FLAG not in models.status(name)["plan"]["command"]
        room.kubectl("scale", "q3d/kept", "--replicas=2")
        models.await_ready("kept")
        sets, pods, template = pods_of(models, "kept")
        assert (sets, template) == (before["kept"][0], before["kept"][2])
        assert set(before["kept"][1]) < set(pods)

        room.kubectl("delete", "deployment", "ancient")
        until(lambda: "ancient" in room.names("deployments"), SECONDS, "it should be made again")
        assert pods_of(models, "ancient")[2] == before["ancient"][2]

        models.apply("kept", f"{ON_A100}rollout: {{restart: please}}\n")
        models.await_ready("kept")
        container = room.get("deployment", "kept")["spec"]["template"]["spec"]["containers"][0]
        assert FLAG in container["args"]
        assert VARIABLE in [variable["name"] for variable in container["env"]]
        assert "outdated" not in models.status("kept")["rollout"]
        models.delete_all()
        assert operator.returncode is None
