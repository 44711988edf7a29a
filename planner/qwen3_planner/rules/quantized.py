"""Rules about weight formats: which slices their kernels take, and on which GPUs."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm.semantics import FP8_MOE_REFINES_BLOCKS
from qwen3_planner.request import KvCacheDtype, Quantization
from qwen3_planner.rules.layouts import legal_tensor_sizes
from qwen3_planner.sizing.formats import WeightKind

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator, ModelArchitecture
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts

NATIVE_FP8_CAPABILITY = (8, 9)
"""FP8 matrix units from here on. Source: docs.vllm.ai stable features/quantization/fp8."""

WEIGHT_ONLY_FP8_CAPABILITY = (7, 5)
"""FP8 weights through Marlin, dense and experts alike. Source: vLLM 0.32.0
``layers/quantization/fp8.py`` get_min_capability, ``fused_moe/experts/marlin_moe.py``
_supports_current_device."""

INT4_CAPABILITY = (7, 5)
"""AWQ and GPTQ through Marlin. Source: vLLM 0.32.0 ``layers/quantization/auto_awq.py``
get_min_capability, ``utils/marlin_utils.py`` query_marlin_supported_quant_types."""

BF16_CAPABILITY = (8, 0)
"""vLLM: "Bfloat16 is only supported on GPUs with compute capability of at least 8.0."""

FP8_KV_CAPABILITY = (8, 0)
"""FlashInfer takes an fp8 KV cache from 8.0 on, FlashAttention from 9.0, Triton from 8.9. Source:
vLLM 0.32.0 ``v1/attention/backends/``."""

SMALLEST_REFINED_BLOCK = 32
"""Finer FP8 scales than this are not made. Source: vLLM 0.32.0 ``fused_moe/oracle/fp8.py``."""

MARLIN_MIN_ROWS = 64
MARLIN_MIN_COLUMNS = 128
"""Tile of the Marlin kernels. Source: vLLM 0.32.0 ``quantization/utils/marlin_utils.py``."""

FP8_AMD_ARCHITECTURES = ("cdna3", "cdna4")
"""AMD GPUs with FP8 units (gfx94x, gfx95x). Source: vLLM 0.32.0 ``platforms/rocm.py``
supports_fp8."""


def has_fp8_units(accelerator: Accelerator) -> bool:
    """Whether the device multiplies FP8 natively."""
    if accelerator.compute_capability is None:
        return accelerator.architecture in FP8_AMD_ARCHITECTURES
    return accelerator.compute_capability >= NATIVE_FP8_CAPABILITY


def bf16_weights_need_bf16_units(facts: PoolFacts) -> str | None:
    """bf16 weights run from compute capability 8.0 on."""
    capability = facts.accelerator.compute_capability
    if facts.fmt.quantization is not Quantization.BF16 or capability is None:
        return None
    if capability >= BF16_CAPABILITY:
        return None
    return (
        f"bf16 weights need compute capability 8.0; {facts.accelerator.name} has"
        f" {capability[0]}.{capability[1]}. Another GPU or a quantized checkpoint would do."
    )


def quantized_kernels_exist(facts: PoolFacts) -> str | None:
    """The engine has kernels for this format on this GPU."""
    capability = facts.accelerator.compute_capability
    needed = {
        WeightKind.FP8_BLOCK: WEIGHT_ONLY_FP8_CAPABILITY,
        WeightKind.FP8_CHANNEL: WEIGHT_ONLY_FP8_CAPABILITY,
        WeightKind.INT4_GROUP: INT4_CAPABILITY,
    }.get(facts.fmt.kind)
    if needed is None:
        return None
    if capability is None:
        if facts.fmt.kind is WeightKind.INT4_GROUP or has_fp8_units(facts.accelerator):
            return None
        has, wants = facts.accelerator.architecture, "FP8 units"
    elif capability >= needed:
        return None
    else:
        has = f"compute capability {capability[0]}.{capability[1]}"
        wants = f"compute capability {needed[0]}.{needed[1]}"
    return (
        f"{facts.fmt.quantization.value} weights need {wants}; {facts.accelerator.name} has {has}."
        " Another GPU or another quantization would do."
    )


def fp8_kv_cache_has_a_backend(facts: PoolFacts) -> str | None:
    """Some attention backend reads an FP8 KV cache on this GPU."""
    capability = facts.accelerator.compute_capability
    if facts.kv_cache_dtype is not KvCacheDtype.FP8:
        return None
    if capability is None:
        if has_fp8_units(facts.accelerator):
            return None
        has = facts.accelerator.architecture
    elif capability >= FP8_KV_CAPABILITY:
        return None
    else:
        has = f"compute capability {capability[0]}.{capability[1]}"
    return (
        f"No attention backend reads an fp8 KV cache on {facts.accelerator.name} ({has}; it takes"
        " 8.0 or FP8 units). Leave the KV cache in bf16."
    )


def fp8_blocks_divide(facts: LayoutFacts) -> str | None:
    """Each rank's slice holds whole FP8 scale blocks.

    Dense: only row-parallel layers are checked ("Weight input_size_per_partition = {n} is not
    divisible by weight quantization block_k = 128."); o_proj always passes, down_proj binds.
    Experts: "The output_size of gate's and up's weight = 192 is not divisible by weight
    quantization block_n = 128." until a version refines the scales instead, which needs FP8 units.
    """
    fmt, model = facts.fmt, facts.model
    if fmt.kind is not WeightKind.FP8_BLOCK:
        return None
    inner = model.moe_intermediate_size if model.is_moe else model.intermediate_size
    ranks = facts.experts_inner if model.is_moe else facts.layout.tensor
    part, block = inner // ranks, fmt.block_columns
    if part % block == 0 or (model.is_moe and _scales_are_refined(facts, part)):
        return None
    legal = _aligned(model, inner, block, facts.layout.tensor)
    help_text = f"tensor={legal} is aligned" if legal else "another quantization would do"
    if model.is_moe and facts.layout.expert == 1:
        help_text += ", and so is expert parallelism"
    return (
        f"fp8 scales of {model.name} cover blocks of {block}; {ranks} ranks would each hold"
        f" {part} of the inner {inner}, {part % block} more than whole blocks; {help_text}."
    )


def _scales_are_refined(facts: LayoutFacts, part: int) -> bool:
    pool = facts.pool
    refines = ruling_at(FP8_MOE_REFINES_BLOCKS, pool.version).value
    if not refines or not has_fp8_units(pool.accelerator):
        return False
    blocks = (facts.fmt.block_rows, facts.fmt.block_columns)
    return gcd(*blocks, part, facts.model.hidden_size) >= SMALLEST_REFINED_BLOCK


def _aligned(model: ModelArchitecture, inner: int, block: int, below: int) -> int | None:
    """Return the largest legal size below one that is not, whose slices hold whole blocks."""
    sizes = [t for t in legal_tensor_sizes(model) if t < below and (inner // t) % block == 0]
    return sizes[-1] if sizes else None


def marlin_tiles_divide(facts: LayoutFacts) -> str | None:
    """Each rank's int4 slices fit the kernels' tiles and hold whole scale groups.

    vLLM: "Weight input_size_per_partition={n} is not divisible by group_size={g}." For experts
    vLLM falls back to kernels that fail at the first request
    (github.com/vllm-project/vllm/issues/17604), so they are held to the same rule.
    """
    fmt, model = facts.fmt, facts.model
    if fmt.kind is not WeightKind.INT4_GROUP:
        return None
    for name, rows, columns in _int4_slices(facts):
        over_rows, over_columns = rows % MARLIN_MIN_ROWS, columns % max(1, fmt.group_size)
        if fmt.group_size <= 0:
            over_columns = columns % MARLIN_MIN_COLUMNS
        if over_rows == 0 and over_columns == 0:
            continue
        size, tile = (columns, fmt.group_size) if over_columns else (rows, MARLIN_MIN_ROWS)
        return (
            f"int4 kernels take {name} of {model.name} in multiples of {tile}; with"
            f" {facts.layout} a rank would hold {size}, {size % tile} more than that. A smaller"
            " tensor size or expert parallelism would do."
        )
    return None


def _int4_slices(facts: LayoutFacts) -> tuple[tuple[str, int, int], ...]:
    """List (name, outputs, inputs) of the quantized layers on one rank."""
    model, tensor = facts.model, facts.layout.tensor
    heads = model.attention_heads // tensor
    kv_heads = max(1, model.kv_heads // tensor)
    if model.is_moe:
        inner = model.moe_intermediate_size // facts.experts_inner
    else:
        inner = model.intermediate_size // tensor
    return (
        ("qkv_proj", (heads + 2 * kv_heads) * model.head_dim, model.hidden_size),
        ("o_proj", model.hidden_size, heads * model.head_dim),
        ("gate_up_proj", 2 * inner, model.hidden_size),
        ("down_proj", model.hidden_size, inner),
    )
