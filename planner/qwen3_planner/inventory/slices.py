"""MIG slices: parts of an NVIDIA GPU with memory and processors of their own.

What a slice is called, and its memory, are the node's own labels (GPU Feature Discovery,
NVIDIA/k8s-device-plugin@1b826ac internal/lm/resource.go); its bandwidth and its rate of computing
are shares of the whole GPU's (NVIDIA MIG user guide, supported profiles:
https://docs.nvidia.com/datacenter/tesla/mig-user-guide/, read 2026-11-23: 1g.10gb of an H100 has
1/8 of the memory with its bandwidth, and 1/7 of the processors).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.catalog.matching import by_product
from qwen3_planner.catalog.profiles import PRODUCT_INFIX, profile_of
from qwen3_planner.inventory.derived import UNSTATED_LOSS_ERROR
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.profiles import Profile
    from qwen3_planner.catalog.rows import Accelerator, Catalog

RESOURCE_PREFIX = "nvidia.com/mig-"
"""Of the resources that the device plugin offers with the strategy ``mixed``."""

LARGEST_MEMORY_SLICES = 8
"""A whole GPU in slices of memory; an A30 has four, of which each is as large a share as two."""

COMPUTE_SLICES: Mapping[str, int] = {"A30-24GB": 4}
"""A whole GPU in slices of processors, where these are not seven."""

MOST_COMPUTE_SLICES = 7


def profiles_in(resources: Mapping[str, object]) -> dict[str, Profile]:
    """Return the profiles among the resources of a node, by resource, in order."""
    read = ((name, profile_of(name.removeprefix(RESOURCE_PREFIX))) for name in sorted(resources))
    return {name: one for name, one in read if name.startswith(RESOURCE_PREFIX) and one}


def slice_of(
    product: str, profile: Profile, resource: str, memory_mib: int | None, catalog: Catalog
) -> Accelerator | None:
    """Make the accelerator that a slice is; None where nothing is known of the whole GPU.

    Args:
        product: of the whole GPU, as the node's label names it.
        profile: of the slice.
        resource: that pods ask for.
        memory_mib: of the slice, as the node's label says; None where it does not.
        catalog: knows whole GPUs.
    """
    rows = by_product(catalog.accelerators, product, memory_mib=None)
    if not rows:
        return None
    whole = max(rows, key=lambda row: (-_distance(row, profile), row.memory_mib))
    memory = memory_mib or profile.gigabytes * 1024 * whole.memory_mib // _rounded_up(whole)
    share = round(LARGEST_MEMORY_SLICES * memory / whole.memory_mib) or 1
    compute = profile.compute / COMPUTE_SLICES.get(whole.name, MOST_COMPUTE_SLICES)
    return replace(
        whole,
        name=f"{whole.name}{PRODUCT_INFIX}{profile.text}",
        resource=resource,
        product_labels=(),
        memory_mib=memory,
        usable_memory_mib=memory - (whole.memory_mib - whole.usable_memory_mib),
        usable_relative_error=max(whole.usable_relative_error, UNSTATED_LOSS_ERROR),
        usable_source=f"derived: {memory} MiB less what {whole.name} loses",
        memory_gb_per_s=whole.memory_gb_per_s * min(1.0, share / LARGEST_MEMORY_SLICES),
        bf16_tflops=_part(whole.bf16_tflops, compute),
        fp16_tflops=_part(whole.fp16_tflops, compute),
        fp8_tflops=_part(whole.fp8_tflops, compute),
        int8_tops=_part(whole.int8_tops, compute),
        fp4_tflops=_part(whole.fp4_tflops, compute),
        link_gb_per_s=0.0,
        tdp_w=None,
        confidence="C",
        source=f"a share of {whole.name}; {whole.source}",
        slice_of=whole.name,
    )


def _distance(row: Accelerator, profile: Profile) -> float:
    """Say how far a slice of this size is from a whole number of the GPU's slices of memory."""
    slices = LARGEST_MEMORY_SLICES * profile.gigabytes * 1024 / _rounded_up(row)
    return abs(slices - round(slices)) + (1.0 if slices > LARGEST_MEMORY_SLICES + 1 else 0.0)


def _rounded_up(row: Accelerator) -> int:
    """Return the memory in whole GiB, as MiB: profiles are named after that."""
    return ceil_div(row.memory_mib, 1024) * 1024


def _part(rate: float | None, share: float) -> float | None:
    return None if rate is None else rate * min(1.0, share)
