"""The whole thing: a control plane with a real node, and the chart installed on it by Helm."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from support.availability import cannot_run
from support.controlplane import Accelerator, ControlPlane, NodeSpec, make_node
from support.node import NODE_ADDRESS, Node, Supplies, inside, prepare
from support.node.claims import claim_of_folder
from support.operator import CHART, RELEASE
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = "make e2e"
NAMESPACE = "qwen3-system"

L4 = Accelerator("NVIDIA-L4", 23_034, (8, 9), "ada-lovelace")
"""What the node says it has; the engine computes on the CPU, and is asked for tiny models."""

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@pytest.fixture(scope="session")
def supplies() -> Supplies:
    """Images and models, made before (`python -m support.node build`)."""
    if not inside():
        cannot_run("A real node lives in namespaces of its own.", COMMAND)
    return prepare(print)


@pytest.fixture(scope="session")
def cluster(supplies: Supplies) -> Iterator[ControlPlane]:
    """A control plane whose one node is real; each of its two GPUs is a word."""
    described = make_node(NodeSpec("real", L4, gpus=2))["metadata"]["labels"]
    labels = {key: value for key, value in described.items() if "kubernetes.io/" not in key}
    gpus = {"nvidia.com/gpu": 2}
    with (
        ControlPlane(address=NODE_ADDRESS) as running,
        Node(running, labels=labels, extended_resources=gpus, images=supplies.images),
    ):
        yield running


@pytest.fixture(scope="session")
def installed(cluster: ControlPlane, supplies: Supplies) -> ControlPlane:
    """The chart, installed as the README says, in a namespace of Pod Security level restricted."""
    repository, _, tag = supplies.images.operator.name.rpartition(":")
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("label", "namespace", NAMESPACE, RESTRICTED)
    cluster.helm(
        *("install", RELEASE, CHART, f"--namespace={NAMESPACE}", "--wait", "--timeout=170s"),
        f"--set=image.repository={repository},image.tag={tag}",
    )
    return cluster


@pytest.fixture
def team(installed: ControlPlane, supplies: Supplies) -> Iterator[str]:
    """A user's namespace, restricted, with the models in the claim `models`."""
    name = f"team-{secrets.token_hex(4)}"
    installed.kubectl("create", "namespace", name)
    installed.kubectl("label", "namespace", name, RESTRICTED)
    for part in claim_of_folder("models", name, supplies.models):
        installed.kubectl("apply", "-f", "-", input=json.dumps(part))
    yield name
    installed.kubectl("delete", "namespace", name, "--wait=false")
    installed.kubectl("delete", "pods", "--all", f"--namespace={name}", "--timeout=120s")


@pytest.fixture
def tiny(supplies: Supplies) -> dict[str, Any]:
    """A resource for a tiny model on the CPU, whose weights lie in the claim `models`."""
    engine = {
        "name": "vllm",
        "version": "0.32.0",
        "image": supplies.images.engine.name,
        "enforceEager": True,
        "env": [
            {"name": "VLLM_CPU_KVCACHE_SPACE", "value": "1"},
            {"name": "VLLM_CPU_OMP_THREADS_BIND", "value": "nobind"},
        ],
    }
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": "tiny"},
        "spec": {
            "model": {
                "variant": "Qwen3-0.6B",
                "source": "pvc://models/dense",
                "servedName": "qwen3",
            },
            "maxModelLen": 4096,
            "engine": engine,
            "resources": {
                "requests": {"cpu": "200m", "memory": "1Gi"},
                "limits": {"memory": "4Gi"},
            },
        },
    }


@pytest.fixture
def ready(installed: ControlPlane, team: str) -> Any:  # noqa: ANN401 - a function
    """Wait until a resource of the team is Ready; tell what its engine said when it is not."""

    def wait(name: str, seconds: float = 420) -> dict[str, Any]:
        def status() -> dict[str, Any]:
            asked = ("get", "q3d", name, f"--namespace={team}")
            return dict(installed.kubectl_json(*asked).get("status") or {})

        def is_ready() -> bool:
            return any(
                (one["type"], one["status"]) == ("Ready", "True")
                for one in status().get("conditions", ())
            )

        until(is_ready, seconds, lambda: f"{status()}\n{_logs(installed, team)}", interval=1)
        return status()

    return wait


def _logs(cluster: ControlPlane, namespace: str) -> str:
    selector = "serving.qwen3.dev/role=server"
    return cluster.kubectl(
        "logs", f"--namespace={namespace}", f"--selector={selector}", "--tail=80"
    )
