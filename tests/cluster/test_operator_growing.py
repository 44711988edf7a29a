"""Pools that can grow: pods are made that wait for nodes, which then appear."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from support.apis import NODE_POOLS, install, uninstall
from support.controlplane import Accelerator, NodeSpec, Taint
from support.models import SMALL
from support.operator import RunningOperator
from support.operator import install as install_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster

B200 = Accelerator("NVIDIA-B200", 183_359, (10, 0), "blackwell", mig_capable=True)
H200 = Accelerator("NVIDIA-H200", 143_771, (9, 0), "hopper", mig_capable=True)
LABEL = "test.qwen3.dev/pool"
POOLS = [
    {
        "name": "b200",
        "hardware": "2x8xB200-SXM-180GB",
        "labels": {LABEL: "b200"},
        "taints": [f"{LABEL}=b200:NoSchedule"],
    }
]
TOLERANT = f"tolerations: [{{key: {LABEL}, operator: Exists}}]\n"
ON_B200 = f"{SMALL}accelerators: [B200-SXM-180GB]\nparallelism: {{tensor: 8}}\n{TOLERANT}"


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningOperator]:
    """An operator that knows of a pool which can grow."""
    folder = tmp_path_factory.mktemp("growing")
    installation = install_operator(control_plane, folder, "growing-system")
    pools = {"QWEN3_OPERATOR_GROWING_POOLS": json.dumps(POOLS)}
    with RunningOperator(installation, environment=pools) as running:
        yield running


GPUS = 'qwen3_operator_gpus{accelerator="B200-SXM-180GB"'


def metrics(operator: RunningOperator) -> str:
    """Read what the operator tells Prometheus."""
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.health_port}/metrics") as answer:
        text: bytes = answer.read()
    return text.decode()


def await_pending(models: Models, name: str) -> dict[str, Any]:
    """Wait until a resource waits for nodes with its pods made; return the condition."""
    condition = models.await_condition(name, "Scheduled", "False", "WaitingForNodes")
    assert models.pods(name)
    assert models.status(name)["phase"] == "Pending"
    assert models.condition(name, "Ready")["reason"] == "WaitingForNodes"
    assert models.condition(name, "PlanFeasible")["status"] == "True"
    return condition


def test_pods_wait_for_nodes_of_the_settings_pool_and_run_on_them(
    control_plane: ControlPlane, models: Models, operator: RunningOperator
) -> None:
    models.apply("growing", f"{ON_B200}replicas: 2\n")
    message = await_pending(models, "growing")["message"]
    assert "The pool b200 can grow by 2 nodes that would do" in message
    assert len(models.pods("growing")) == 2
    assert ("Normal", "WaitingForNodes") in models.events("growing")
    assert GPUS not in metrics(operator)  # only what is there is counted
    models.apply("late", ON_B200)  # no node to come is promised twice
    models.await_condition("late", "Scheduled", "False", "InsufficientGPU")
    assert models.children("late") == {}
    control_plane.add_nodes(_node("b200-0"), _node("b200-1"))
    try:
        models.await_ready("growing")
        assert GPUS in metrics(operator)
        assert models.nodes("growing") == ["b200-0", "b200-1"]
        assert models.children("late") == {}
        models.delete("growing")
        models.await_ready("late")
        models.delete_all()
    finally:
        control_plane.remove_nodes("b200-0", "b200-1")


def _node(name: str) -> NodeSpec:
    return NodeSpec(name, B200, gpus=8, labels={LABEL: "b200"}, taints=(Taint(LABEL, "b200"),))


NODE_POOL = {
    "apiVersion": "karpenter.sh/v1",
    "kind": "NodePool",
    "metadata": {
        "name": "h200",
        "annotations": {"serving.qwen3.dev/hardware": "8xH200-SXM-141GB"},
    },
    "spec": {
        "limits": {"nvidia.com/gpu": 8},
        "template": {
            "spec": {
                "nodeClassRef": {"group": "test.qwen3.dev", "kind": "NodeClass", "name": "any"},
                "requirements": [
                    {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
                ],
            }
        },
    },
}


def test_karpenters_node_pools_are_found_when_they_appear(
    control_plane: ControlPlane, models: Models
) -> None:
    models.apply("early", f"{SMALL}accelerators: [H200-SXM-141GB]\n")
    models.await_condition("early", "PlanFeasible", "False")
    install(control_plane, NODE_POOLS)
    try:
        control_plane.kubectl("apply", "-f", "-", input=json.dumps(NODE_POOL))
        message = await_pending(models, "early")["message"]
        assert "The pool NodePool h200 can grow by 1 node that would do" in message
        terms = models.pods("early")[0]["spec"]["affinity"]["nodeAffinity"]
        assert "karpenter.sh/nodepool" in json.dumps(terms)
        labels = {"karpenter.sh/nodepool": "h200"}
        control_plane.add_nodes(NodeSpec("h200-0", H200, gpus=8, labels=labels))
        models.await_ready("early")
        assert models.nodes("early") == ["h200-0"]
        models.delete_all()
    finally:
        uninstall(control_plane, NODE_POOLS)
        control_plane.kubectl("delete", "node", "h200-0", "--ignore-not-found")
