"""Small random clusters and what is asked of them, by seed; many share one control plane.

Each case has nodes, other people's pods and resources of its own, kept apart by a label on its
nodes that everything in the case selects.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from support.controlplane import (
    A100_SXM_80GB,
    GPU_RESOURCE,
    GPU_TAINT,
    H100_SXM_80GB,
    L40S,
    RTX_4090,
    NodeSpec,
    Taint,
)

CASE_LABEL = "test.qwen3.dev/case"
ZONE_LABEL = "topology.kubernetes.io/zone"

TEAM_TAINT = Taint("example.com/team", "research")

PRODUCTS = (
    (H100_SXM_80GB, "H100-SXM-80GB", (4, 8)),
    (A100_SXM_80GB, "A100-SXM-80GB", (2, 4, 8)),
    (RTX_4090, "RTX-4090-24GB", (1, 2, 4)),
    (L40S, "L40S-48GB", (1, 2, 4)),
)
"""Product, its name in the catalog, and how many of them a node may have."""

PRIORITIES = {"agreement-higher": 10, "agreement-highest": 1000}
"""PriorityClasses that never preempt: who is let through must find room, not make it. Pods without
one have priority 0 and may preempt, but find nobody below them."""


@dataclass(frozen=True)
class Case:
    """One cluster with its workload.

    Attributes:
        seed: names it.
        nodes: of the cluster.
        foreign: pods that are bound to nodes already.
        resources: Qwen3Deployments, in the order in which they are applied.
    """

    seed: int
    nodes: tuple[NodeSpec, ...]
    foreign: tuple[dict[str, Any], ...]
    resources: tuple[dict[str, Any], ...]


def priority_classes() -> list[dict[str, Any]]:
    """Return the PriorityClasses that the cases use."""
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "preemptionPolicy": "Never",
        }
        for name, value in PRIORITIES.items()
    ]


def make_case(seed: int, namespace: str) -> Case:
    """Make a case; the same seed makes the same case."""
    rng = random.Random(seed)  # noqa: S311 - a test's choice, no secret
    products = rng.sample(PRODUCTS, k=rng.randint(1, 2))
    nodes = tuple(_node(rng, seed, number, products) for number in range(rng.randint(2, 5)))
    foreign = tuple(
        pod for node in nodes for pod in _foreign_pods(rng, node, namespace) if node.ready
    )
    resources = tuple(
        _resource(rng, seed, number, [name for _, name, _ in products], namespace)
        for number in range(rng.randint(2, 6))
    )
    return Case(seed, nodes, foreign, resources)


def _node(rng: random.Random, seed: int, number: int, products: list[Any]) -> NodeSpec:
    product, _, sizes = rng.choice(products)
    taints = [GPU_TAINT] if rng.random() < 0.5 else []
    if rng.random() < 0.15:
        taints.append(TEAM_TAINT)
    return NodeSpec(
        f"case-{seed}-node-{number}",
        product,
        gpus=rng.choice(sizes),
        cpu=rng.choice((16, 32, 64, 128)),
        memory_gib=rng.choice((96, 192, 512)),
        pods=rng.choice((4, 16, 110)),
        taints=tuple(taints),
        unschedulable=rng.random() < 0.1,
        ready=rng.random() >= 0.07,
        labels={CASE_LABEL: str(seed), ZONE_LABEL: rng.choice("ab")},
    )


def _foreign_pods(rng: random.Random, node: NodeSpec, namespace: str) -> list[dict[str, Any]]:
    """Put some pods on a node, never more than it has room for."""
    pods = []
    gpus, cpu = node.gpus, node.cpu
    for number in range(rng.choice((0, 0, 1, 2, 3))):
        take = rng.randint(0, gpus)
        cores = rng.randint(0, max(0, cpu // 3))
        gpus, cpu = gpus - take, cpu - cores
        requests = {"cpu": str(cores), "memory": f"{rng.choice((1, 8, 16))}Gi"}
        limits = {GPU_RESOURCE: str(take)} if take else {}
        pods.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"{node.name}-other-{number}", "namespace": namespace},
                "spec": {
                    "nodeName": node.name,
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [
                        {
                            "name": "other",
                            "image": "example.invalid/other",
                            "resources": {"requests": requests, "limits": limits},
                        }
                    ],
                },
            }
        )
    return pods


def _resource(
    rng: random.Random, seed: int, number: int, products: list[str], namespace: str
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "model": {"variant": "Qwen3-0.6B"},
        # Spans nodes only through Ray: every replica is one pod, which is forced through as such.
        "engine": {"name": "vllm", "version": "0.10.2"},
        "quantization": "bf16",
        "maxModelLen": 8192,
        "parallelism": {"tensor": rng.choice((1, 1, 2, 2, 4, 8)), "pipeline": 1, "data": 1},
        "replicas": rng.choice((1, 1, 2, 3, 5)),
        "nodeSelector": {CASE_LABEL: str(seed)},
    }
    if rng.random() < 0.3:
        spec["accelerators"] = [rng.choice(products)]
    if rng.random() < 0.2:
        spec["nodeSelector"][ZONE_LABEL] = rng.choice("ab")
    if rng.random() < 0.3:
        spec["tolerations"] = [{"key": TEAM_TAINT.key, "operator": "Exists"}]
    if rng.random() < 0.4:
        spec["priorityClassName"] = rng.choice(sorted(PRIORITIES))
    if rng.random() < 0.3:
        spec["resources"] = {
            "requests": {
                "cpu": str(rng.choice((4, 12, 30))),
                "memory": f"{rng.choice((16, 60, 120))}Gi",
            }
        }
    if rng.random() < 0.15:
        spec["affinity"] = {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": [_NOT_ZONE_A]}}}
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": f"case-{seed}-{number}", "namespace": namespace},
        "spec": spec,
    }


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_NOT_ZONE_A = {"matchExpressions": [{"key": ZONE_LABEL, "operator": "NotIn", "values": ["a"]}]}
