"""What a Kubernetes node without GPUs offers: its memory and cores, for llama.cpp.

Pure, as :mod:`qwen3_planner.inventory.kubernetes`. Nodes of one machine type differ by a few MiB
in what the kubelet offers, so memory is counted in steps: nodes of one step are one pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qwen3_planner.catalog.rows import Accelerator, AcceleratorClass
from qwen3_planner.inventory.hardware import NodeGroup
from qwen3_planner.inventory.quantities import parse_quantity
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

ARCHITECTURE_LABEL: Final = "kubernetes.io/arch"
"""Written by every kubelet: ``amd64``, ``arm64`` … Source: https://kubernetes.io/docs/reference/
labels-annotations-taints/#kubernetes-io-arch (read 2026-11-23)."""

ARCHITECTURES: Final = ("amd64", "arm64")
"""What images of llama.cpp are made for, beside mainframes. Source: ggml-org/llama.cpp @30255fc
docs/docker.md."""

NAME_PREFIX: Final = "CPU-"

STEPS_PER_DOUBLING: Final = 8
"""Memory is rounded down by at most an eighth; nodes of one machine type fall into one step."""

LEAST_BYTES: Final = 1 * GIB
"""Below it not even the smallest model has room."""

CHANNEL_GB_PER_S: Final = 25.6
"""Bandwidth that is assumed of a CPU of which nothing is known: one channel of DDR4-3200."""


def cpu_group(node: Mapping[str, Any]) -> NodeGroup | None:
    """Read one Node object as a CPU with its memory; None where none is offered to pods.

    Whether the node has GPUs, too, is not looked at.
    """
    metadata, status = node.get("metadata") or {}, node.get("status") or {}
    labels: Mapping[str, str] = metadata.get("labels") or {}
    allocatable: Mapping[str, Any] = status.get("allocatable") or {}
    n_bytes = int(parse_quantity(allocatable.get("memory")) or 0)
    cores = float(parse_quantity(allocatable.get("cpu")) or 0)
    architecture = labels.get(ARCHITECTURE_LABEL, "")
    if architecture not in ARCHITECTURES or n_bytes < LEAST_BYTES or cores < 1:
        return None
    return NodeGroup(
        accelerator=cpu_of(architecture, n_bytes),
        accelerators_per_node=1,
        name=metadata.get("name"),
        interconnect="unified",
        cpu=cores,
        memory_bytes=n_bytes,
    )


def cpu_of(architecture: str, n_bytes: int) -> Accelerator:
    """Describe the CPU of a node by the memory that it offers to pods.

    >>> cpu_of("arm64", 7_900 * 2**20).name, cpu_of("amd64", 256 * 2**30).name
    ('CPU-arm64-7.5GB', 'CPU-amd64-256GB')
    """
    memory_mib = _step_mib(n_bytes)
    return Accelerator(
        name=f"{NAME_PREFIX}{architecture}-{memory_mib / 1024:g}GB",
        vendor="generic",
        device_class=AcceleratorClass.CPU,
        architecture=architecture,
        compute_capability=None,
        resource="",
        product_labels=(),
        memory_mib=memory_mib,
        usable_memory_mib=memory_mib,
        usable_relative_error=0.0,
        usable_source="node: what the kubelet offers to pods, rounded down",
        memory_gb_per_s=CHANNEL_GB_PER_S,
        bf16_tflops=None,
        fp16_tflops=None,
        fp8_tflops=None,
        int8_tops=None,
        fp4_tflops=None,
        link_gb_per_s=0.0,
        pcie_gb_per_s=None,
        tdp_w=None,
        confidence="C",
        source="memory: the node; bandwidth: assumed, one channel of DDR4-3200",
        as_of="",
    )


def _step_mib(n_bytes: int) -> int:
    """Round down to a step: an eighth of the power of two below.

    >>> _step_mib(16_200 * 2**20), _step_mib(64 * 2**30)
    (15360, 65536)
    """
    memory_mib = n_bytes // MIB
    step = max(1, (1 << (memory_mib.bit_length() - 1)) // STEPS_PER_DOUBLING)
    return memory_mib // step * step
