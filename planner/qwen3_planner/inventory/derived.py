"""Accelerators that the catalog does not hold: made from one it does, or from what is stated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import Accelerator, AcceleratorClass

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT_LOSS_MIB = 563
"""What CUDA reports to a process is less than nvidia-smi shows: 0.45 GiB on L4 (22.05 of 23034 MiB)
to 0.77 on A100-SXM-80GB; 0.55 GiB is the middle of the catalog's stated pairs."""

UNSTATED_LOSS_ERROR = 0.01
"""The loss is known to a few hundred MiB: 1 % of the smallest GPU that is planned for."""

SLOWEST_GB_PER_S = 272.0
"""Bandwidth assumed where no row of the same compute capability tells: RTX 4060, the slowest GPU
here."""

_FAMILIES = {7: "turing", 8: "ampere", 9: "hopper", 10: "blackwell", 12: "blackwell"}
_ADA = (8, 9)


def interconnect_of(accelerator: Accelerator) -> str:
    """Say what joins the devices of a node, by the form of the product.

    SXM parts have NVLink, cards have none; chips of one memory need none.
    """
    if accelerator.device_class is not AcceleratorClass.GPU:
        return "unified"
    if accelerator.link_gb_per_s == 0:
        return "pcie"
    return "xgmi" if accelerator.vendor == "amd" else "nvlink"


def with_memory(row: Accelerator, memory_mib: int) -> Accelerator:
    """Return the product with another size of memory; what a process sees is less by as much.

    The catalog's own size stays as it is.
    """
    if memory_mib == row.memory_mib:
        return row
    usable = memory_mib - (row.memory_mib - row.usable_memory_mib)
    return replace(
        row,
        memory_mib=memory_mib,
        usable_memory_mib=usable,
        usable_relative_error=max(row.usable_relative_error, UNSTATED_LOSS_ERROR),
        usable_source=f"derived: {memory_mib} MiB less what {row.name} loses",
    )


def unknown_gpu(
    label: str, memory_mib: int, capability: tuple[int, int], rows: Sequence[Accelerator]
) -> Accelerator:
    """Make an NVIDIA accelerator from its node labels alone.

    Memory and compute capability are stated, so fit and legality are right; bandwidth is that of
    the slowest known product of the same capability, and no rate of computing is claimed.
    """
    alike = [row.memory_gb_per_s for row in rows if row.compute_capability == capability]
    name = label.removeprefix("NVIDIA-").removeprefix("GeForce-")
    gigabytes = round(memory_mib / 1024)
    return Accelerator(
        name=name if name.lower().endswith("gb") else f"{name}-{gigabytes}GB",
        vendor="nvidia",
        device_class=AcceleratorClass.GPU,
        architecture="ada" if capability == _ADA else _FAMILIES.get(capability[0], "unknown"),
        compute_capability=capability,
        resource="nvidia.com/gpu",
        product_labels=(label,),
        memory_mib=memory_mib,
        usable_memory_mib=memory_mib - CONTEXT_LOSS_MIB,
        usable_relative_error=UNSTATED_LOSS_ERROR,
        usable_source=f"derived: node label less {CONTEXT_LOSS_MIB} MiB",
        memory_gb_per_s=min(alike, default=SLOWEST_GB_PER_S),
        bf16_tflops=None,
        fp16_tflops=None,
        fp8_tflops=None,
        int8_tops=None,
        fp4_tflops=None,
        link_gb_per_s=0.0,
        pcie_gb_per_s=None,
        tdp_w=None,
        confidence="C",
        source="node labels; bandwidth assumed",
        as_of="",
    )
