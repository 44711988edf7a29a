"""What a step runs on: rates of one device, and of the links between those of a replica."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.sizing.formats import WeightKind

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.formats import WeightFormat

GIGA = 1e9
TERA = 1e12

NODE_LINK_GB_PER_S = 25.0
"""Between nodes, one direction, per GPU: 200 Gbit/s. Assumed, as no inventory states it; a node of
eight such GPUs often has 400 Gbit/s per GPU, a cloud instance much less."""

DEFAULT_PCIE_GB_PER_S = 32.0
"""One direction of PCIe 4.0 x16, where the catalog does not state a device's own. Assumed."""

FLOPS_PER_BYTE = {
    AcceleratorClass.SOC: 26.0,
    AcceleratorClass.CPU: 16.0,
    AcceleratorClass.GPU: 60.0,
}
"""Arithmetic for each byte of memory bandwidth, where the catalog states no arithmetic. Assumed:
an M1 Max has 10.4 TFLOPS beside 400 GB/s; eight Zen 4 cores about 2 beside 90."""

FLOPS_PER_BYTE_OF = {"cortex-a76": 9.0}
"""The same of architectures that are poorer: four Cortex-A76 make 16 operations a cycle each,
0.15 TFLOPS beside 17 GB/s."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Rates that bound a step, before efficiency.

    Attributes:
        memory: bytes per second of one device's memory.
        flops: operations per second in the arithmetic of the weight format.
        attention_flops: the same in 16 bit, which scores are computed in.
        ranks: devices that share attention and a dense MLP.
        expert_ranks: devices that share the MLP or the routed experts: over the data-parallel
            ranks too, where there are experts.
        link: bytes per second between them, one direction.
        has_fast_link: whether that is NVLink, xGMI or the like, not PCIe or a network.
        stage_link: bytes per second from one pipeline stage to the next.
        assumed: which rates no source states, in words; empty where all are stated.
    """

    memory: float
    flops: float
    attention_flops: float
    ranks: int
    expert_ranks: int
    link: float
    has_fast_link: bool
    stage_link: float
    assumed: tuple[str, ...] = ()


def device_class(accelerator: Accelerator) -> str:
    """Name the group of devices that share efficiencies.

    >>> from qwen3_planner.catalog.loading import load_catalog
    >>> [device_class(load_catalog().accelerator(n)) for n in ("H200-SXM-141GB", "H20-96GB")]
    ['hopper', 'hopper-h20']
    >>> [device_class(load_catalog().accelerator(n)) for n in ("A10G-24GB", "RTX-5090-32GB")]
    ['ampere-gddr', 'blackwell-rtx']
    """
    if accelerator.vendor == "apple":
        return "apple"
    if accelerator.device_class is AcceleratorClass.CPU:
        return "cpu"
    names = (accelerator.name, *accelerator.product_labels)
    if any(_H20.search(name) for name in names):
        return "hopper-h20"
    architecture, capability = accelerator.architecture, accelerator.compute_capability
    if architecture not in TWO_KINDS or (capability or (0, 0)) in HBM_CAPABILITIES:
        return architecture
    if any(_DESK.search(name) for name in names):
        return f"{architecture}-rtx"
    return f"{architecture}-gddr" if capability else architecture


TWO_KINDS = ("ampere", "ada", "blackwell")
"""Generations whose chips differ by more than size: HBM boards, GDDR boards for servers (error
correction on, power held low), and cards for desks (neither)."""

HBM_CAPABILITIES = ((8, 0), (10, 0), (10, 3))
"""Compute capabilities of the HBM boards among them: A100, B200, B300."""

_H20 = re.compile(r"\bH20\b")
"""Its 148 TFLOPS beside 4 TB/s make it unlike all others of its generation."""

_RACK = re.compile(r"\bGB[23]00\b")
"""NVLink joins the nodes of a rack (18 of 4 in an NVL72), not only the GPUs of one."""

_DESK = re.compile(r"\b[RG]TX-")


def format_class(fmt: WeightFormat) -> str:
    """Name the group of weight formats whose kernels are alike.

    >>> from qwen3_planner.sizing.formats import BF16
    >>> format_class(BF16)
    '16bit'
    """
    name = fmt.quantization.value
    if fmt.quantization.is_gguf:
        return "gguf16" if name.endswith(WHOLE_GGUF) else "gguf"
    if fmt.kind is WeightKind.PLAIN:
        return "16bit"
    if name.startswith("fp8"):
        return "fp8"
    return "int8" if "int8" in name else "4bit"


WHOLE_GGUF = ("F32", "F16", "BF16")
"""Files whose weights are not quantized: other kernels multiply them."""


def machine_of(
    accelerator: Accelerator,
    fmt: WeightFormat,
    layout: Layout,
    *,
    has_experts: bool = False,
    is_pcie: bool = False,
) -> Machine:
    """Put together the rates of a layout on a device.

    Args:
        accelerator: the device.
        fmt: how weights are held; decides the arithmetic.
        layout: of one replica.
        has_experts: whether the model routes to experts.
        is_pcie: whether the GPUs of a node talk over PCIe although the product has fast links.
    """
    assumed: list[str] = []
    group = layout.tensor * (layout.data if has_experts else 1)
    needed = group > 1 or layout.pipeline > 1
    inside, fast = _node_link(accelerator, is_pcie=is_pcie, assumed=assumed, needed=needed)
    is_rack = fast and any(_RACK.search(n) for n in (accelerator.name, *accelerator.product_labels))
    crosses = layout.gpus_per_node % group != 0 and not is_rack
    stages_cross = layout.nodes_per_replica > 1 and layout.pipeline > 1 and not is_rack
    if crosses or stages_cross:
        assumed.append(f"{NODE_LINK_GB_PER_S:g} GB/s between nodes")
    plain = _flops_16bit(accelerator, assumed)
    return Machine(
        memory=accelerator.memory_gb_per_s * GIGA,
        flops=_flops(accelerator, fmt, plain),
        attention_flops=plain,
        ranks=layout.tensor,
        expert_ranks=group,
        link=(NODE_LINK_GB_PER_S if crosses else inside) * GIGA,
        has_fast_link=fast and not crosses,
        stage_link=(NODE_LINK_GB_PER_S if stages_cross else inside) * GIGA,
        assumed=tuple(assumed),
    )


def _node_link(
    accelerator: Accelerator, *, is_pcie: bool, assumed: list[str], needed: bool
) -> tuple[float, bool]:
    if accelerator.link_gb_per_s and not is_pcie:
        return accelerator.link_gb_per_s, True
    if accelerator.pcie_gb_per_s is None and needed:
        assumed.append(f"{DEFAULT_PCIE_GB_PER_S:g} GB/s over PCIe")
    return accelerator.pcie_gb_per_s or DEFAULT_PCIE_GB_PER_S, False


def _flops_16bit(accelerator: Accelerator, assumed: list[str]) -> float:
    known = accelerator.bf16_tflops or accelerator.fp16_tflops
    if known is not None:
        return known * TERA
    usual = FLOPS_PER_BYTE[accelerator.device_class]
    per_byte = FLOPS_PER_BYTE_OF.get(accelerator.architecture, usual)
    assumed.append(f"{per_byte:g} operations per byte of memory bandwidth")
    return accelerator.memory_gb_per_s * GIGA * per_byte


def _flops(accelerator: Accelerator, fmt: WeightFormat, plain: float) -> float:
    """Return the rate of the format's arithmetic; weight-only formats compute in 16 bit."""
    name = fmt.quantization.value
    tera: float | None = None
    if name.startswith("fp8"):
        tera = accelerator.fp8_tflops
    elif name == "int8":
        tera = accelerator.int8_tops
    elif name == "nvfp4":
        tera = accelerator.fp4_tflops
    return max(plain, tera * TERA) if tera else plain
