"""GPUs of the catalog, as their driver would describe them to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.units import MIB

from .oracle import DescribedGpu

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator

_DRIVER_NAMES = {
    "A100-SXM-80GB": "NVIDIA A100-SXM4-80GB",
    "A100-SXM-40GB": "NVIDIA A100-SXM4-40GB",
    "H100-SXM-80GB": "NVIDIA H100 80GB HBM3",
    "H200-SXM-141GB": "NVIDIA H200",
    "B200-SXM-180GB": "NVIDIA B200",
    "L4-24GB": "NVIDIA L4",
    "L40S-48GB": "NVIDIA L40S",
    "T4-16GB": "Tesla T4",
    "RTX-4090-24GB": "NVIDIA GeForce RTX 4090",
}
"""Names that the driver reports; vLLM looks for "a100" in them."""

_COMPUTE_UNITS = {"T4-16GB": 40, "L4-24GB": 58, "A100-SXM-80GB": 108, "B200-SXM-180GB": 148}
"""Streaming multiprocessors where a figure is known; workspaces of kernels depend on it."""


def described(accelerator: Accelerator, count: int = 8) -> DescribedGpu:
    """Describe one node's GPUs.

    Raises:
        ValueError: it is no CUDA device.
    """
    if accelerator.compute_capability is None:
        raise ValueError(f"{accelerator.name} is no CUDA device")
    return DescribedGpu(
        name=_DRIVER_NAMES.get(accelerator.name, accelerator.name),
        capability=accelerator.compute_capability,
        total_bytes=accelerator.usable_memory_mib * MIB,
        count=count,
        compute_units=_COMPUTE_UNITS.get(accelerator.name, 132),
    )
