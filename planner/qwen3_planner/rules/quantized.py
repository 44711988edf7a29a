"""Rules about which GPUs a weight format runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm import kernels
from qwen3_planner.request import Quantization
from qwen3_planner.sizing.formats import FileLayout, WeightKind

if TYPE_CHECKING:
    from typing import TypeAlias

    from qwen3_planner.catalog.rows import Accelerator, ModelArchitecture
    from qwen3_planner.engines.versions import Ruling
    from qwen3_planner.engines.vllm.kernels import Capability
    from qwen3_planner.rules.facts import PoolFacts
    from qwen3_planner.sizing.formats import WeightFormat

NATIVE_FP8_CAPABILITY = kernels.FP8_UNITS
"""FP8 matrix units from here on. Source: docs.vllm.ai stable features/quantization/fp8."""

BF16_CAPABILITY = kernels.BF16_UNITS
"""vLLM: "Bfloat16 is only supported on GPUs with compute capability of at least 8.0."""

NATIVE_FP4_MAJOR: Final = 10
"""Compute capability major from which FP4 is multiplied natively. Source: PyPI vllm 0.33.0
vllm/model_executor/layers/fused_moe/oracle/nvfp4.py and the kernels it names."""

FP8_AMD_ARCHITECTURES = ("cdna3", "cdna4")
"""AMD GPUs with FP8 units (gfx94x, gfx95x). Source: vLLM 0.32.0 ``platforms/rocm.py``
supports_fp8."""

FP8_KINDS: Final = frozenset((WeightKind.FP8_BLOCK, WeightKind.FP8_CHANNEL, WeightKind.FP8_TENSOR))

FP4_KINDS: Final = frozenset((WeightKind.NVFP4_GROUP, WeightKind.MXFP4_GROUP))


def has_fp8_units(accelerator: Accelerator) -> bool:
    """Whether the device multiplies FP8 natively."""
    if accelerator.compute_capability is None:
        return accelerator.architecture in FP8_AMD_ARCHITECTURES
    return accelerator.compute_capability >= NATIVE_FP8_CAPABILITY


def shown(capability: Capability) -> str:
    """Write a compute capability as NVIDIA does.

    >>> shown((8, 9))
    '8.9'
    """
    return f"{capability[0]}.{capability[1]}"


def bf16_weights_need_bf16_units(facts: PoolFacts) -> str | None:
    """bf16 weights run from compute capability 8.0 on; in half precision they run below."""
    capability = facts.accelerator.compute_capability
    if facts.fmt.quantization is not Quantization.BF16 or capability is None:
        return None
    if capability >= BF16_CAPABILITY:
        return None
    return (
        f"bf16 weights need compute capability {shown(BF16_CAPABILITY)}; {facts.accelerator.name}"
        f" has {shown(capability)}. Served in fp16 they would run, as would a quantized checkpoint"
        " or another GPU."
    )


def version_has_kernels(facts: PoolFacts) -> str | None:
    """The version has kernels for this format on some GPU."""
    needed = [ruling_at(table, facts.version).value for table in kernels_of(facts.fmt, facts.model)]
    if None not in needed:
        return None
    what = "experts" if facts.model.is_moe else "layers"
    return (
        f"vLLM {facts.version} has no kernels for {what} in {facts.fmt.quantization.value}. A newer"
        " version or another quantization would do."
    )


def gpu_has_kernels(facts: PoolFacts) -> str | None:
    """The version has kernels for this format on this GPU."""
    capability, kind = facts.accelerator.compute_capability, facts.fmt.kind
    tables = kernels_of(facts.fmt, facts.model)
    if capability is None:
        if kind in FP8_KINDS and not has_fp8_units(facts.accelerator):
            return _lacks(facts, "FP8 units", facts.accelerator.architecture)
        if kind in FP4_KINDS:
            return _lacks(facts, "an NVIDIA GPU", facts.accelerator.architecture)
        return None
    bounds = [ruling_at(table, facts.version).value or (0, 0) for table in tables]
    needed = max(bounds, default=(0, 0))
    has = f"compute capability {shown(capability)}"
    if capability < needed:
        return _lacks(facts, f"compute capability {shown(needed)} on", has)
    if kind is WeightKind.INT8_CHANNEL and capability >= kernels.INT8_BELOW:
        return _lacks(facts, f"a compute capability below {shown(kernels.INT8_BELOW)} on", has)
    return None


def _lacks(facts: PoolFacts, needed: str, has: str) -> str:
    where = needed.removesuffix(" on")
    version = f" with vLLM {facts.version}" if needed != where else ""
    return (
        f"{facts.fmt.quantization.value} weights need {where}{version}; {facts.accelerator.name}"
        f" has {has}. Another GPU or another quantization would do."
    )


def kernels_of(fmt: WeightFormat, model: ModelArchitecture) -> tuple[Kernels, ...]:
    """Find the tables that say where vLLM has kernels for a format; all of them must be met.

    Attention layers of a mixture of experts are dense, so that it needs both kinds of kernels.
    """
    layout = FileLayout.FP8 if fmt.online else fmt.layout
    tables = (_DENSE, _EXPERTS) if model.is_moe else (_DENSE,)
    found = (table.get((fmt.kind, layout)) or table.get((fmt.kind, None)) for table in tables)
    return tuple(rulings for rulings in found if rulings is not None)


if TYPE_CHECKING:
    Kernels: TypeAlias = tuple[Ruling[Capability | None], ...]

_DENSE: Final[dict[tuple[WeightKind, FileLayout | None], Kernels]] = {
    (WeightKind.FP8_BLOCK, None): kernels.FP8_BLOCKS,
    (WeightKind.FP8_CHANNEL, None): kernels.FP8_ONLINE,
    (WeightKind.FP8_CHANNEL, FileLayout.COMPRESSED_TENSORS): kernels.FP8_COMPRESSED,
    (WeightKind.FP8_TENSOR, None): kernels.FP8_ONLINE,
    (WeightKind.FP8_TENSOR, FileLayout.COMPRESSED_TENSORS): kernels.FP8_COMPRESSED,
    (WeightKind.FP8_TENSOR, FileLayout.MODELOPT): kernels.FP8_MODELOPT,
    (WeightKind.INT8_CHANNEL, None): kernels.INT8,
    (WeightKind.INT8_GROUP, None): kernels.GPTQ,
    (WeightKind.INT8_GROUP, FileLayout.COMPRESSED_TENSORS): kernels.WNA16_COMPRESSED,
    (WeightKind.INT4_GROUP, None): kernels.GPTQ,
    (WeightKind.INT4_GROUP, FileLayout.AWQ): kernels.INT4_AWQ,
    (WeightKind.INT4_GROUP, FileLayout.COMPRESSED_TENSORS): kernels.WNA16_COMPRESSED,
    (WeightKind.NVFP4_GROUP, None): kernels.NVFP4_COMPRESSED,
    (WeightKind.NVFP4_GROUP, FileLayout.MODELOPT): kernels.NVFP4_MODELOPT,
    (WeightKind.MXFP4_GROUP, None): kernels.MXFP4,
}
"""Kernels of dense layers, by format and by whose files they are; None: any other's."""

_EXPERTS: Final[dict[tuple[WeightKind, FileLayout | None], Kernels]] = {
    (WeightKind.FP8_CHANNEL, None): kernels.FP8_EXPERTS,
    (WeightKind.FP8_TENSOR, None): kernels.FP8_EXPERTS,
    (WeightKind.INT8_CHANNEL, None): kernels.INT8_EXPERTS,
    (WeightKind.INT8_GROUP, FileLayout.GPTQ): kernels.GPTQ_EXPERTS,
    (WeightKind.INT4_GROUP, FileLayout.GPTQ): kernels.GPTQ_EXPERTS,
    (WeightKind.NVFP4_GROUP, FileLayout.COMPRESSED_TENSORS): kernels.NVFP4_COMPRESSED_EXPERTS,
    (WeightKind.MXFP4_GROUP, None): kernels.MXFP4_EXPERTS,
}
"""Kernels of experts that need more than the dense layers beside them."""

ALL_KERNELS: Final = tuple(dict.fromkeys((*_DENSE.values(), *_EXPERTS.values())))
"""Every table."""


def fp4_is_multiplied_as_16_bit(facts: PoolFacts) -> str | None:
    """FP4 weights on a GPU without FP4 units run through weight-only kernels."""
    capability = facts.accelerator.compute_capability
    if facts.fmt.kind not in FP4_KINDS or capability is None or capability[0] >= NATIVE_FP4_MAJOR:
        return None
    return (
        f"{facts.accelerator.name} has no FP4 units: the weights are"
        f" {facts.fmt.quantization.value}, the arithmetic is 16 bit (weight-only kernels)."
    )
