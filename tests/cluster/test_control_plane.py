"""The test bed itself: what the tests of the operator rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.controlplane import (
    DEMO_NODES,
    GPU_RESOURCE,
    GPU_TAINT,
    H100_SXM_80GB,
    CommandError,
    tally,
)
from support.room import SECONDS, make_deployment, make_pod
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane, NodeSpec
    from support.room import Room

pytestmark = pytest.mark.cluster

H100 = {"nvidia.com/gpu.product": H100_SXM_80GB.product}
TOLERATION = {"key": GPU_TAINT.key, "operator": "Exists", "effect": GPU_TAINT.effect}


def test_nodes_are_ready_and_carry_the_labels_of_gpu_feature_discovery(
    control_plane: ControlPlane,
) -> None:
    nodes = {n["metadata"]["name"]: n for n in control_plane.kubectl_json("get", "nodes")["items"]}
    assert set(nodes) >= {spec.name for spec in DEMO_NODES}
    h100 = nodes["h100-0"]
    assert (
        h100["metadata"]["labels"].items()
        >= {
            "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
            "nvidia.com/gpu.memory": "81559",
            "nvidia.com/gpu.count": "8",
            "nvidia.com/gpu.present": "true",
            "kubernetes.io/hostname": "h100-0",
        }.items()
    )
    assert h100["status"]["allocatable"][GPU_RESOURCE] == "8"
    assert GPU_RESOURCE not in nodes["cpu-0"]["status"]["allocatable"]
    lease = control_plane.kubectl("get", "lease", "h100-0", "--namespace=kube-node-lease")
    assert "h100-0" in lease


def test_gpu_pod_is_bound_to_a_tainted_gpu_node_and_becomes_ready(room: Room) -> None:
    room.apply(make_pod("one", gpus=8, nodeSelector=H100, tolerations=[TOLERATION]))
    running = room.await_ready("one")
    assert running["spec"]["nodeName"].startswith("h100-")
    assert running["status"]["phase"] == "Running"
    assert running["status"]["podIP"]


def test_gpu_pod_without_toleration_is_kept_off_tainted_nodes(room: Room) -> None:
    room.apply(make_pod("one", gpus=8, nodeSelector=H100))
    room.await_unscheduled("one", because="untolerated taint")


def test_third_pod_of_four_gpus_stays_pending_on_a_node_of_eight(
    lone_node: NodeSpec, room: Room
) -> None:
    selector = dict(lone_node.labels)
    for name in ("one", "two"):
        room.apply(make_pod(name, gpus=4, nodeSelector=selector))
        room.await_ready(name)
    room.apply(make_pod("three", gpus=4, nodeSelector=selector))
    room.await_unscheduled("three", because="Insufficient nvidia.com/gpu")
    room.kubectl("delete", "pod", "one")
    room.await_ready("three")


def test_deployment_gets_pods_and_endpoints_and_is_garbage_collected(room: Room) -> None:
    room.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})
    uid = room.get("configmap", "owner")["metadata"]["uid"]
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}]
    room.apply(
        make_deployment("engine", replicas=2, ownerReferences=owners),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "engine", "ownerReferences": owners},
            "spec": {"selector": {"app": "engine"}, "ports": [{"port": 8000}]},
        },
    )
    room.await_rollout("engine")
    until(lambda: len(room.ready_addresses()) == 2, SECONDS, "both pods should be endpoints")
    room.kubectl("delete", "configmap", "owner")
    until(
        lambda: not (room.names("deployments") or room.names("pods") or room.names("services")),
        SECONDS,
        "what the owner owned should be gone",
    )


def test_service_account_may_do_what_its_role_says_and_nothing_else(
    room: Room, tmp_path: Path
) -> None:
    room.kubectl("create", "serviceaccount", "reader")
    room.kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    room.kubectl(
        "create",
        "rolebinding",
        "reader",
        "--role=reader",
        f"--serviceaccount={room.namespace}:reader",
    )
    kubeconfig = room.cluster.service_account_kubeconfig(
        room.namespace, "reader", tmp_path / "reader.kubeconfig"
    )
    as_reader = room.cluster.commands(kubeconfig)
    assert as_reader.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == (
        f"system:serviceaccount:{room.namespace}:reader"
    )
    assert as_reader.kubectl_json("get", "pods")["items"] == []
    with pytest.raises(CommandError, match='cannot list resource "secrets"'):
        as_reader.kubectl("get", "secrets")


def test_audit_log_tells_who_read_and_who_wrote(room: Room) -> None:
    mark = room.cluster.audit_log.mark()
    room.kubectl("create", "configmap", "one")
    room.get("configmaps")

    def in_room() -> list[str]:
        return [
            r.verb for r in room.cluster.audit_log.requests(mark) if r.namespace == room.namespace
        ]

    until(lambda: {"create", "list"} <= set(in_room()), SECONDS, "both requests should be logged")
    mine = [
        request
        for request in room.cluster.audit_log.requests(mark)
        if request.namespace == room.namespace and request.user == "admin"
    ]
    assert tally(mine)["admin"].writes == 1
    assert tally(mine, by=lambda request: request.agent.split("/")[0])["kubectl"].requests == len(
        mine
    )


def test_scheduler_can_be_stopped_and_started_alone(room: Room) -> None:
    room.cluster.stop_part("kube-scheduler")
    try:
        room.apply(make_pod("one"))
        assert "nodeName" not in room.get("pod", "one")["spec"]
    finally:
        room.cluster.start_part("kube-scheduler")
    room.await_ready("one")


OWNER = """
import json, time
from support.controlplane import ControlPlane
cluster = ControlPlane()
cluster.start()
print(json.dumps([str(cluster.layout.folder), *cluster.pids.values()]), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_its_owner(control_plane: ControlPlane, number: signal.Signals) -> None:
    support = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        env={**os.environ, "PYTHONPATH": str(support)},
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder, *pids = json.loads(owner.stdout.readline())
        assert len(pids) == len(control_plane.pids)
        owner.send_signal(number)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), SECONDS, "processes stay")
    until(lambda: not Path(folder).exists(), SECONDS, f"{folder} stays")


def test_up_command_writes_a_kubeconfig_and_cleans_up_on_sigterm(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = ["-m", "support.controlplane", "up", "--nodes=none", f"--kubeconfig={kubeconfig}"]
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == str(kubeconfig)
        assert control_plane.commands(kubeconfig).kubectl("get", "nodes", "-o", "name") == ""
        running.terminate()
        assert running.wait(SECONDS) == 128 + signal.SIGTERM
    assert not kubeconfig.exists()
