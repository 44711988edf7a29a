"""Rules about FP8 weights with one scale per block: which slices a rank may hold."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from qwen3_planner.catalog.tensor_sizes import legal_tensor_sizes
from qwen3_planner.engines.vllm.kernels import SMALLEST_REFINED_BLOCK
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.sizing.formats import WeightKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.rules.facts import LayoutFacts


def fp8_blocks_divide_dense_layers(facts: LayoutFacts) -> str | None:
    """Each rank's slice of a dense layer's inputs holds whole FP8 scale blocks.

    o_proj always does; down_proj binds, and in hybrid models the shared expert's, which expert
    parallelism leaves cut.
    """
    block = facts.fmt.block_columns
    if facts.fmt.kind is not WeightKind.FP8_BLOCK or facts.fmt.online:
        return None
    tensor = facts.layout.tensor
    for module, what, inner in _row_parallel(facts.model):
        is_block = facts.fmt.of(module).kind is WeightKind.FP8_BLOCK
        if not is_block or tensor == 1 or inner // tensor % block == 0:
            continue
        part = inner // tensor
        return (
            f"fp8 scales of {facts.model.name} cover blocks of {block}; {tensor} ranks would each"
            f" hold {part} of {what} {inner}, {part % block} more than whole blocks;"
            f" {_aligned(facts.model, inner, block, tensor)}."
        )
    return None


def _row_parallel(model: ModelArchitecture) -> Iterator[tuple[str, str, int]]:
    """Yield (module, what its inputs are, how many) of the layers that are cut by input."""
    layer = "model.layers.0"
    heads = model.attention_heads * model.head_dim
    yield f"{layer}.self_attn.o_proj", "the heads'", heads
    if model.linear_attention is not None:
        linear = model.linear_attention
        width = linear.value_heads * linear.value_head_dim
        yield f"{layer}.linear_attn.out_proj", "the linear heads'", width
    if not model.is_moe:
        yield f"{layer}.mlp.down_proj", "the inner", model.intermediate_size
    elif model.shared_expert_intermediate_size:
        inner = model.shared_expert_intermediate_size
        yield f"{layer}.mlp.shared_expert.down_proj", "the shared expert's inner", inner


def fp8_blocks_divide_experts(facts: LayoutFacts) -> str | None:
    """Each rank's slice of an expert holds whole FP8 scale blocks."""
    part = _cut_part(facts)
    return None if part is None else _blocks_are_cut(facts, part)


def fp8_blocks_divide_or_can_be_refined(facts: LayoutFacts) -> str | None:
    """Each rank's slice holds whole blocks, or finer scales make it whole: with FP8 units only."""
    part = _cut_part(facts)
    if part is None:
        return None
    if (
        has_fp8_units(facts.pool.accelerator)
        and refined_block(facts, part) >= SMALLEST_REFINED_BLOCK
    ):
        return None
    return _blocks_are_cut(facts, part)


def _cut_part(facts: LayoutFacts) -> int | None:
    """Return a rank's slice of an expert's inner size, where it cuts through a block."""
    fmt, model = facts.fmt, facts.model
    if fmt.kind is not WeightKind.FP8_BLOCK or not model.is_moe:
        return None
    part = model.moe_intermediate_size // facts.experts_inner
    return None if part % fmt.block_columns == 0 else part


def _blocks_are_cut(facts: LayoutFacts, part: int) -> str | None:
    model, block = facts.model, facts.fmt.block_columns
    if facts.fmt.online:
        return None
    inner = model.moe_intermediate_size
    return (
        f"fp8 scales of {model.name} cover blocks of {block}; {facts.experts_inner} ranks would"
        f" each hold {part} of the inner {inner}, {part % block} more than whole blocks;"
        f" {_aligned(model, inner, block, facts.layout.tensor)}, and so is expert parallelism."
    )


def refined_block(facts: LayoutFacts, part: int) -> int:
    """Return the largest block that divides the checkpoint's, the slice and the hidden size."""
    fmt = facts.fmt
    return gcd(fmt.block_rows, fmt.block_columns, part, facts.model.hidden_size)


def _aligned(model: ModelArchitecture, inner: int, block: int, below: int) -> str:
    """Name the largest legal size below one that is not, whose slices hold whole blocks."""
    sizes = [t for t in legal_tensor_sizes(model) if t < below and (inner // t) % block == 0]
    return f"tensor={sizes[-1]} is aligned" if sizes else "another quantization would do"


def online_blocks_divide_experts(facts: LayoutFacts) -> str | None:
    """Experts made fp8 per block while loading are whole blocks on each rank."""
    part, block = _cut_part(facts), facts.fmt.block_columns
    if part is None or not facts.fmt.online:
        return None
    inner = facts.model.moe_intermediate_size
    return (
        f"vLLM {facts.version} makes fp8 experts in blocks of {block}; {facts.experts_inner} ranks"
        f" would each hold {part} of the inner {inner}, {part % block} more than whole blocks;"
        f" {_aligned(facts.model, inner, block, facts.layout.tensor)}, and so is expert"
        " parallelism; newer versions pad."
    )


def refined_scales_leave_one_backend(facts: LayoutFacts) -> str | None:
    """Experts with refined scales run on Triton kernels only."""
    part, block = _cut_part(facts), facts.fmt.block_columns
    if part is None or facts.fmt.online:
        return None
    return (
        f"{facts.experts_inner} ranks each hold {part} of an expert's"
        f" {facts.model.moe_intermediate_size}: its fp8 scales are refined from {block} to"
        f" {refined_block(facts, part)}, which only the Triton kernels take; expert parallelism"
        " keeps the faster ones."
    )


def padded_blocks_cost_memory(facts: LayoutFacts) -> str | None:
    """Experts made fp8 per block while loading are padded to whole blocks."""
    part, block = _cut_part(facts), facts.fmt.block_columns
    if part is None or not facts.fmt.online:
        return None
    return (
        f"Each rank's {part} of an expert's {facts.model.moe_intermediate_size} is padded to"
        f" {part - part % block + block}, and so are memory and arithmetic; expert parallelism"
        " needs no padding."
    )
