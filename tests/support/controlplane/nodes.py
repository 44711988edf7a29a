"""Nodes without a machine: what a GPU node looks like to whoever reads the API.

Pure. The labels are those that NVIDIA's GPU Feature Discovery writes (device plugin v0.20), so that
whatever chooses nodes by them is tested against what it meets in a real cluster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

GPU_RESOURCE = "nvidia.com/gpu"
READY_ANNOTATION = "test.qwen3.dev/node-ready"
"""On a KWOK node: "false" makes and keeps the node NotReady; anything else lets it be Ready."""

_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "",
    "kernelVersion": "6.8.0-79-generic",
    "kubeProxyVersion": "",
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "Ubuntu 24.04.3 LTS",
    "systemUUID": "",
}
"""What a kubelet would say of a typical GPU machine; the API server wants every field."""

_KWOK_ANNOTATIONS = {"kwok.x-k8s.io/node": "fake"}


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint as in `kubectl taint`."""

    key: str
    value: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


GPU_TAINT = Taint("nvidia.com/gpu", "present")
"""What most providers put on GPU nodes."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One type of GPU as GPU Feature Discovery describes it."""

    product: str
    memory_mib: int
    """As nvidia-smi and nvidia.com/gpu.memory show it: the total of one GPU."""
    compute: tuple[int, int]
    family: str
    mig_capable: bool = False
    mode: str = "compute"


H100_SXM_80GB = Accelerator("NVIDIA-H100-80GB-HBM3", 81_559, (9, 0), "hopper", mig_capable=True)
A100_SXM_80GB = Accelerator("NVIDIA-A100-SXM4-80GB", 81_920, (8, 0), "ampere", mig_capable=True)
RTX_4090 = Accelerator("NVIDIA-GeForce-RTX-4090", 24_564, (8, 9), "ada-lovelace", mode="display")
L40S = Accelerator("NVIDIA-L40S", 46_068, (8, 9), "ada-lovelace")


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node; everything but its name has an honest default."""

    name: str
    accelerator: Accelerator | None = None
    gpus: int = 0
    cpu: int = 64
    memory_gib: int = 512
    ephemeral_storage_gib: int = 1024
    pods: int = 110
    machine: str = "generic"
    """Value of nvidia.com/gpu.machine and of node.kubernetes.io/instance-type."""
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: bool = True
    replicas: int = 1
    """How many pods share one GPU (nvidia.com/gpu.replicas)."""
    sharing: Literal["none", "time-slicing", "mps"] = "none"
    driver: str = "570.124.06"
    cuda: str = "12.8"
    kubelet: str = "v1.37.2"
    runtime: str = "containerd://2.1.4"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Added last: overrides the labels made from the fields above."""
    extended: Mapping[str, int] = field(default_factory=dict)
    """Further extended resources, such as slices of GPUs or GPUs of other vendors."""

    def __post_init__(self) -> None:
        """Refuse a node that no machine could be."""
        if (self.accelerator is None) != (self.gpus == 0):
            raise ValueError(f"{self.name}: an accelerator and a number of GPUs go together")
        if (self.replicas > 1) != (self.sharing != "none"):
            raise ValueError(f"{self.name}: replicas > 1 and a way of sharing go together")


def gpu_labels(spec: NodeSpec) -> dict[str, str]:
    """Return the labels that GPU Feature Discovery would write on this node; none without a GPU."""
    gpu = spec.accelerator
    if gpu is None:
        return {}
    major, minor = gpu.compute
    driver = dict(zip(("major", "minor", "revision"), spec.driver.split("."), strict=False))
    runtime = dict(zip(("major", "minor"), spec.cuda.split("."), strict=True))
    labels = {
        "gpu.present": "true",
        "gpu.product": gpu.product + ("-SHARED" if spec.replicas > 1 else ""),
        "gpu.count": str(spec.gpus),
        "gpu.replicas": str(spec.replicas),
        "gpu.sharing-strategy": spec.sharing,
        "gpu.memory": str(gpu.memory_mib),
        "gpu.compute.major": str(major),
        "gpu.compute.minor": str(minor),
        "gpu.family": gpu.family,
        "gpu.machine": spec.machine,
        "gpu.mode": gpu.mode,
        "mig.capable": str(gpu.mig_capable).lower(),
        "mps.capable": str(spec.sharing == "mps").lower(),
        "cuda.driver-version.full": spec.driver,
        "cuda.runtime-version.full": spec.cuda,
        **{f"cuda.driver-version.{part}": value for part, value in driver.items()},
        **{f"cuda.runtime-version.{part}": value for part, value in runtime.items()},
    }
    if gpu.mig_capable:
        labels["mig.strategy"] = "single"
    return {f"nvidia.com/{name}": value for name, value in labels.items()}


def node_labels(spec: NodeSpec) -> dict[str, str]:
    """Return every label of the node."""
    return {
        "kubernetes.io/hostname": spec.name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": spec.machine,
        **gpu_labels(spec),
        **spec.labels,
    }


def make_node(spec: NodeSpec) -> dict[str, Any]:
    """Return the Node object that KWOK takes over and makes Ready (or not: `spec.ready`)."""
    resources = {
        "cpu": str(spec.cpu),
        "memory": f"{spec.memory_gib}Gi",
        "ephemeral-storage": f"{spec.ephemeral_storage_gib}Gi",
        "pods": str(spec.pods),
    }
    if spec.gpus:
        resources[GPU_RESOURCE] = str(spec.gpus * spec.replicas)
    resources |= {name: str(count) for name, count in spec.extended.items()}
    about = {
        **_NODE_INFO,
        "kubeletVersion": spec.kubelet,
        "containerRuntimeVersion": spec.runtime,
    }
    annotations = dict(_KWOK_ANNOTATIONS)
    if not spec.ready:
        annotations[READY_ANNOTATION] = "false"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": spec.name,
            "labels": node_labels(spec),
            "annotations": annotations,
        },
        "spec": {
            "taints": [
                {"key": taint.key, "value": taint.value, "effect": taint.effect}
                for taint in spec.taints
            ],
            "unschedulable": spec.unschedulable,
        },
        "status": {"capacity": resources, "allocatable": resources, "nodeInfo": about},
    }


def is_usable(node: Mapping[str, Any]) -> bool:
    """Say whether a Node object is Ready and no longer tainted as a new or a lost one."""
    conditions = node["status"].get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    taints = {taint["key"] for taint in node["spec"].get("taints", [])}
    lost = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
    return ready and not taints & lost


DEMO_NODES: tuple[NodeSpec, ...] = (
    *(
        NodeSpec(
            f"h100-{index}",
            H100_SXM_80GB,
            gpus=8,
            cpu=192,
            memory_gib=2048,
            machine="NVIDIA-DGX-H100",
            taints=(GPU_TAINT,),
        )
        for index in range(2)
    ),
    NodeSpec("a100-0", A100_SXM_80GB, gpus=4, cpu=96, memory_gib=1024, machine="PowerEdge-XE8545"),
    *(
        NodeSpec(
            f"rtx4090-{index}", RTX_4090, gpus=2, cpu=32, memory_gib=128, machine="workstation"
        )
        for index in range(2)
    ),
    NodeSpec("l40s-0", L40S, gpus=1, cpu=32, memory_gib=256, machine="PowerEdge-R760xa"),
    NodeSpec("cpu-0", cpu=64, memory_gib=256, machine="PowerEdge-R660"),
)
"""Every kind of node that the planner has to tell apart: tainted and not, 8, 4, 2, 1 and no GPU."""
