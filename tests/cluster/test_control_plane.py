"""The test bed itself: what the tests of the operator rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import (
    DEMO_NODES,
    GPU_RESOURCE,
    GPU_TAINT,
    H100_SXM_80GB,
    CommandError,
    ControlPlane,
    NodeSpec,
    annotated_pods,
    tally,
)
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cluster

SECONDS = 30.0
H100 = {"nvidia.com/gpu.product": H100_SXM_80GB.product}
TOLERATION = {"key": GPU_TAINT.key, "operator": "Exists", "effect": GPU_TAINT.effect}


def pod(name: str, *, gpus: int = 0, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    container: dict[str, Any] = {"name": "engine", "image": "example.invalid/engine"}
    if gpus:
        container["resources"] = {"limits": {GPU_RESOURCE: str(gpus)}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


class Room:
    """One namespace of a control plane."""

    def __init__(self, cluster: ControlPlane, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def apply(self, *objects: dict[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", text=json.dumps(items))

    def kubectl(self, *args: str, text: str | None = None) -> str:
        return self.cluster.kubectl(f"--namespace={self.namespace}", *args, input=text)

    def get(self, *args: str) -> dict[str, Any]:
        document: dict[str, Any] = self.cluster.kubectl_json(
            f"--namespace={self.namespace}", "get", *args
        )
        return document

    def names(self, kind: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.get(kind)["items"]]

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        conditions = self.get("pod", name)["status"].get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def await_ready(self, name: str) -> dict[str, Any]:
        until(
            lambda: self.condition(name, "Ready").get("status") == "True",
            SECONDS,
            lambda: f"pod {name} should be Ready: {self.get('pod', name)['status']}",
        )
        return self.get("pod", name)


@pytest.fixture
def room(control_plane: ControlPlane, namespace: str) -> Room:
    return Room(control_plane, namespace)


@pytest.fixture
def lone_node(control_plane: ControlPlane) -> Iterator[NodeSpec]:
    """Ask for it before `room`: pods of a node that is gone first linger for 40 seconds."""
    spec = NodeSpec("lone", H100_SXM_80GB, gpus=8, labels={"test.qwen3.dev/pool": "lone"})
    control_plane.add_nodes(spec)
    yield spec
    control_plane.remove_nodes(spec.name)


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
    room.apply(pod("one", gpus=8, nodeSelector=H100, tolerations=[TOLERATION]))
    running = room.await_ready("one")
    assert running["spec"]["nodeName"].startswith("h100-")
    assert running["status"]["phase"] == "Running"
    assert running["status"]["podIP"]


def test_gpu_pod_without_toleration_is_kept_off_tainted_nodes(room: Room) -> None:
    room.apply(pod("one", gpus=8, nodeSelector=H100))
    until(
        lambda: "untolerated taint" in room.condition("one", "PodScheduled").get("message", ""),
        SECONDS,
        "the scheduler should name the taint",
    )


def test_third_pod_of_four_gpus_stays_pending_on_a_node_of_eight(
    lone_node: NodeSpec, room: Room
) -> None:
    selector = dict(lone_node.labels)
    for name in ("one", "two"):
        room.apply(pod(name, gpus=4, nodeSelector=selector))
        room.await_ready(name)
    room.apply(pod("three", gpus=4, nodeSelector=selector))
    until(
        lambda: (
            "Insufficient nvidia.com/gpu"
            in room.condition("three", "PodScheduled").get("message", "")
        ),
        SECONDS,
        "the scheduler should say what is missing",
    )
    room.kubectl("delete", "pod", "one")
    room.await_ready("three")


def test_deployment_gets_pods_endpoints_and_is_garbage_collected(room: Room) -> None:
    room.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}},
    )
    uid = room.get("configmap", "owner")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    labels = {"app": "engine"}
    template = {"metadata": {"labels": labels}, "spec": pod("x")["spec"]}
    meta = {"name": "engine", "ownerReferences": [owner]}
    room.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": [{"port": 8000}]},
        },
    )
    room.kubectl("rollout", "status", "deployment/engine", f"--timeout={SECONDS:.0f}s")
    until(
        lambda: len(addresses(room)) == 2,
        SECONDS,
        "both pods should be endpoints of the Service",
    )
    room.kubectl("delete", "configmap", "owner")
    until(
        lambda: not (room.names("deployments") or room.names("pods") or room.names("services")),
        SECONDS,
        "what the owner owned should be gone",
    )


def addresses(room: Room) -> list[str]:
    return [
        address
        for piece in room.get("endpointslices")["items"]
        for endpoint in piece["endpoints"] or []
        if endpoint["conditions"]["ready"]
        for address in endpoint["addresses"]
    ]


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


def test_pod_annotated_never_ready_runs_but_stays_unready_until_told_otherwise(room: Room) -> None:
    slow = pod("slow")
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
    bad = pod("bad")
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
    labels = {"app": "engine"}
    template = {"metadata": {"labels": labels}, "spec": pod("x")["spec"]}
    with annotated_pods(room.cluster, room.namespace, {"test.qwen3.dev/fail": "ErrImagePull"}):
        room.apply(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "engine"},
                "spec": {"selector": {"matchLabels": labels}, "template": template},
            }
        )
        until(lambda: "ErrImagePull" in room.kubectl("get", "pods"), SECONDS, "should fail")
    room.kubectl("delete", "pods", "--all")
    room.kubectl("rollout", "status", "deployment/engine", f"--timeout={SECONDS:.0f}s")


def test_pod_of_a_job_succeeds(room: Room) -> None:
    template = {"spec": {**pod("x")["spec"], "restartPolicy": "Never"}}
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


def test_scheduler_can_be_stopped_and_started_alone(room: Room) -> None:
    room.cluster.stop_part("kube-scheduler")
    try:
        room.apply(pod("one"))
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
