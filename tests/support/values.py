"""Builders of what the operator sees, with honest defaults: a test says what it is about."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import Claim, Demand
from qwen3_operator.decisions.eligibility import Requirement, Selector, Term, Toleration
from qwen3_operator.observed import Key, Node, Pod, Resources, Taint
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.profiles import profile_of
from qwen3_planner.inventory.cpu_nodes import cpu_of
from qwen3_planner.inventory.hardware import NodeGroup
from qwen3_planner.inventory.slices import RESOURCE_PREFIX, slice_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import Accelerator

GPU = "nvidia.com/gpu"


@lru_cache
def accelerator(name: str) -> Accelerator:
    """Return a row of the real catalog."""
    return load_catalog().accelerator(name)


def amount(gpus: int = 0, cpu: int = 0, memory_gib: int = 0, pods: int = 1) -> Resources:
    """Say an amount in GPUs, whole cores and GiB."""
    return Resources(((GPU, gpus),) if gpus else (), cpu * 1000, memory_gib * 2**30, pods)


def node(  # noqa: PLR0913 - a builder names what a test may vary
    name: str,
    gpus: int = 8,
    *,
    product: str = "H100-SXM-80GB",
    cpu: int = 128,
    memory_gib: int = 1024,
    pods: int = 110,
    schedulable: bool = True,
    labels: Mapping[str, str] | None = None,
    taints: tuple[Taint, ...] = (),
    kubelet: str = "v1.37.2",
    runtime: str = "containerd://2.1.4",
    slices: Mapping[str, int] | None = None,
    arch: str = "",
) -> Node:
    """Make a node with GPUs of one product, labelled as its vendor's labeller does.

    Without GPUs, and with an architecture, it is a CPU to compute on.
    """
    row = accelerator(product)
    group = NodeGroup(
        accelerator=row,
        accelerators_per_node=gpus,
        name=name,
        interconnect="nvlink",
        cpu=float(cpu),
        memory_bytes=memory_gib * 2**30,
    )
    own_labels = {"kubernetes.io/hostname": name}
    if arch:
        own_labels["kubernetes.io/arch"] = arch
    if gpus and row.vendor == "nvidia":
        own_labels["nvidia.com/gpu.product"] = row.product_labels[0]
        own_labels["nvidia.com/gpu.memory"] = str(row.memory_mib)
    elif gpus:
        own_labels["amd.com/gpu.product-name"] = row.product_labels[0]
        own_labels["amd.com/gpu.vram"] = f"{row.memory_mib // 1024}G"
    parts = _slices(row, slices or {})
    offered = [(row.resource, gpus)] if gpus else []
    offered += [(part.accelerator.resource, part.accelerators_per_node) for part in parts]
    return Node(
        name=name,
        labels={**own_labels, **(labels or {})},
        taints=taints,
        schedulable=schedulable,
        allocatable=replace(amount(0, cpu, memory_gib, pods), gpus=tuple(sorted(offered))),
        slices=parts,
        group=group if gpus else None,
        kubelet=kubelet,
        runtime=runtime,
        cpu=None if gpus or not arch else _cpu_group(name, arch, cpu, memory_gib),
    )


def _slices(row: Accelerator, counts: Mapping[str, int]) -> tuple[NodeGroup, ...]:
    """Make MIG slices of a product by profile."""
    made = []
    for text, count in counts.items():
        profile = profile_of(text)
        assert profile is not None
        resource = f"{RESOURCE_PREFIX}{text}"
        part = slice_of(row.product_labels[0], profile, resource, None, load_catalog())
        assert part is not None
        made.append(NodeGroup(part, count))
    return tuple(made)


def _cpu_group(name: str, arch: str, cores: int, memory_gib: int) -> NodeGroup:
    row = cpu_of(arch, memory_gib * 2**30)
    return NodeGroup(row, 1, name=name, interconnect="unified", cpu=float(cores))


def pod(  # noqa: PLR0913 - a builder names what a test may vary
    name: str,
    requests: Resources,
    *,
    node: str | None = None,
    owner: str | Key | None = None,
    namespace: str = "default",
    plan_hash: str = "",
    terminating: bool = False,
    ready: bool = False,
    phase: str = "",
    problem: str = "",
    problem_message: str = "",
    restarts: int = 0,
) -> Pod:
    """Make a pod; a name of an owner means one of the pod's namespace."""
    key = Key(namespace, owner) if isinstance(owner, str) else owner
    return Pod(
        uid=f"uid-{namespace}-{name}",
        namespace=namespace,
        name=name,
        owner=key,
        node=node,
        requests=requests,
        terminating=terminating,
        phase=phase or ("Running" if node else "Pending"),
        ready=ready,
        plan_hash=plan_hash,
        problem=problem,
        problem_message=problem_message,
        restarts=restarts,
    )


def selector(
    *,
    tolerations: tuple[Toleration, ...] = (),
    **labels: str,
) -> Selector:
    """Select nodes by labels in a required node affinity; none selects every node."""
    expressions = tuple(Requirement(key, "In", (value,)) for key, value in sorted(labels.items()))
    return Selector(terms=(Term(expressions),) if labels else None, tolerations=tolerations)


def demand(  # noqa: PLR0913 - a builder names what a test may vary
    name: str,
    need: Resources,
    replicas: int = 1,
    *,
    namespace: str = "default",
    where: Selector | None = None,
    plan_hash: str = "h1",
) -> Demand:
    """Make the demand of a resource."""
    return Demand(Key(namespace, name), need, where or Selector(), plan_hash, replicas)


def claim(  # noqa: PLR0913 - a builder names what a test may vary
    name: str,
    need: Resources,
    replicas: int = 1,
    *,
    namespace: str = "default",
    where: Selector | None = None,
    plan_hash: str = "h1",
    priority: int = 0,
    created: str = "2026-11-23T00:00:00Z",
) -> Claim:
    """Make the claim of a resource."""
    wanted = demand(name, need, replicas, namespace=namespace, where=where, plan_hash=plan_hash)
    return Claim(wanted, priority, created)
