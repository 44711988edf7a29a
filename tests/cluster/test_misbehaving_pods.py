"""Pods and nodes misbehave when a test asks for it, and recover: see stages.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import annotated_pods
from support.room import SECONDS, make_deployment, make_pod
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane, NodeSpec
    from support.room import Room

pytestmark = pytest.mark.cluster


def test_pod_annotated_never_ready_runs_but_stays_unready_until_told_otherwise(room: Room) -> None:
    slow = make_pod("slow")
    slow["metadata"]["annotations"] = {"test.qwen3.dev/ready-after": "never"}
    room.apply(slow)
    until(lambda: room.get("pod", "slow")["status"]["phase"] == "Running", SECONDS, "should run")
    assert room.condition("slow", "Ready")["status"] == "False"
    room.kubectl("annotate", "--overwrite", "pod", "slow", "test.qwen3.dev/ready-after=100ms")
    room.await_ready("slow")
    room.kubectl("annotate", "--overwrite", "pod", "slow", "test.qwen3.dev/ready-after=never")
    until(
        lambda: room.condition("slow", "Ready")["status"] == "False", SECONDS, "should be unready"
    )


@pytest.mark.parametrize(
    ("fail", "phase", "waiting", "terminated"),
    [
        ("ImagePullBackOff", "Pending", "ImagePullBackOff", None),
        ("OOMKilled", "Running", "CrashLoopBackOff", "OOMKilled"),
        ("CrashLoopBackOff", "Running", "CrashLoopBackOff", "Error"),
    ],
)
def test_pod_annotated_to_fail_fails_that_way_and_recovers(
    room: Room, fail: str, phase: str, waiting: str, terminated: str | None
) -> None:
    bad = make_pod("bad")
    bad["metadata"]["annotations"] = {"test.qwen3.dev/fail": fail}
    room.apply(bad)

    def container() -> dict[str, Any]:
        statuses = room.get("pod", "bad")["status"].get("containerStatuses", [{}])
        return dict(statuses[0])

    until(lambda: "waiting" in container().get("state", {}), SECONDS, "should have failed")
    assert room.get("pod", "bad")["status"]["phase"] == phase
    assert container()["state"]["waiting"]["reason"] == waiting
    last = container().get("lastState", {}).get("terminated", {})
    assert last.get("reason") == terminated
    room.kubectl("annotate", "pod", "bad", "test.qwen3.dev/fail-")
    room.await_ready("bad")


def test_new_pods_of_a_namespace_can_be_made_to_fail(room: Room) -> None:
    with annotated_pods(room.cluster, room.namespace, {"test.qwen3.dev/fail": "ErrImagePull"}):
        room.apply(make_deployment("engine"))
        until(lambda: "ErrImagePull" in room.kubectl("get", "pods"), SECONDS, "should fail")
    room.kubectl("delete", "pods", "--all")
    room.await_rollout("engine")


def test_pod_of_a_job_succeeds(room: Room) -> None:
    template = {"spec": {**make_pod("x")["spec"], "restartPolicy": "Never"}}
    room.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "job"},
            "spec": {"template": template},
        }
    )
    room.kubectl("wait", "--for=condition=Complete", "job/job", f"--timeout={SECONDS:.0f}s")


def test_node_can_turn_not_ready_and_back(control_plane: ControlPlane, lone_node: NodeSpec) -> None:
    control_plane.set_node_ready(lone_node.name, ready=False)
    control_plane.set_node_ready(lone_node.name, ready=True)
