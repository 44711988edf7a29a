"""Rules about integer and fp4 weights in groups: which slices the kernels take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.kernels import (
    MARLIN_COLUMNS,
    MARLIN_ROWS,
    SMALLEST_WNA16_GROUP,
    WNA16_BLOCK,
)
from qwen3_planner.rules.quantized import FP4_KINDS, NATIVE_FP4_MAJOR
from qwen3_planner.sizing.formats import FileLayout, WeightKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.rules.facts import LayoutFacts

INTEGER_KINDS = frozenset((WeightKind.INT4_GROUP, WeightKind.INT8_GROUP))


@dataclass(frozen=True, slots=True)
class Slice:
    """One quantized layer on one rank.

    Attributes:
        name: of the layer.
        rows: outputs.
        columns: inputs.
        is_cut_by_input: whether ranks share its inputs, not its outputs.
    """

    name: str
    rows: int
    columns: int
    is_cut_by_input: bool


def dense_slices(facts: LayoutFacts) -> Iterator[Slice]:
    """Yield the dense layers of one rank, experts left out."""
    model, tensor = facts.model, facts.layout.tensor
    heads = model.attention_heads // tensor
    kv_heads = max(1, model.kv_heads // tensor)
    queries = heads * (2 if model.attention_output_gate else 1)
    qkv = (queries + 2 * kv_heads) * model.head_dim
    yield Slice("qkv_proj", qkv, model.hidden_size, is_cut_by_input=False)
    yield Slice("o_proj", model.hidden_size, heads * model.head_dim, is_cut_by_input=True)
    inner = model.shared_expert_intermediate_size if model.is_moe else model.intermediate_size
    if inner:
        yield Slice("gate_up_proj", 2 * inner // tensor, model.hidden_size, is_cut_by_input=False)
        yield Slice("down_proj", model.hidden_size, inner // tensor, is_cut_by_input=True)


def groups_divide_dense_layers(facts: LayoutFacts) -> str | None:
    """Each rank's slice of a dense layer's inputs holds whole groups."""
    group = facts.fmt.group_size
    if facts.fmt.kind not in INTEGER_KINDS | FP4_KINDS or group <= 0:
        return None
    for part in dense_slices(facts):
        over = part.columns % group
        if part.is_cut_by_input and over:
            return (
                f"{facts.fmt.quantization.value} scales of {facts.model.name} cover groups of"
                f" {group}; {facts.layout.tensor} ranks would each hold {part.columns} inputs of"
                f" {part.name}, {over} more than whole groups. A smaller tensor size or another"
                " quantization would do."
            )
    return None


def marlin_tiles_divide_dense_layers(facts: LayoutFacts) -> str | None:
    """Each rank's slice of a GPTQ layer fits Marlin's tiles.

    AWQ falls back to plain kernels instead; GPUs without Marlin have others as well.
    """
    is_marlin = facts.fmt.kind in INTEGER_KINDS and facts.fmt.layout is not FileLayout.AWQ
    if not is_marlin or facts.pool.accelerator.compute_capability is None:
        return None
    for part in dense_slices(facts):
        for has, tile, what in (
            (part.rows, MARLIN_ROWS, "outputs"),
            (part.columns, MARLIN_COLUMNS, "inputs"),
        ):
            if has % tile:
                return (
                    f"Marlin kernels take {what} of {part.name} in multiples of {tile};"
                    f" {facts.layout.tensor} ranks of {facts.model.name} would each hold {has},"
                    f" {has % tile} more than that. A smaller tensor size would do; newer versions"
                    " pad."
                )
    return None


def groups_divide_experts(facts: LayoutFacts) -> str | None:
    """Each rank's slice of an expert holds whole groups, or ones that can be halved so often.

    Where Marlin cannot take the slice, moe_wna16 halves the groups down to 32.
    """
    fmt, model = facts.fmt, facts.model
    if fmt.kind not in INTEGER_KINDS | FP4_KINDS or not model.is_moe or fmt.group_size <= 0:
        return None
    part = model.moe_intermediate_size // facts.experts_inner
    over = part % fmt.group_size
    if over == 0 or (fmt.kind in INTEGER_KINDS and halved_group(facts) is not None):
        return None
    return (
        f"{fmt.quantization.value} scales of {model.name} cover groups of {fmt.group_size};"
        f" {facts.experts_inner} ranks would each hold {part} of the inner"
        f" {model.moe_intermediate_size}, {over} more than whole groups. A smaller tensor size or"
        " expert parallelism would do."
    )


def halved_group(facts: LayoutFacts) -> int | None:
    """Return the group that moe_wna16 halves the checkpoint's to; None where it finds none."""
    if facts.fmt.layout is FileLayout.COMPRESSED_TENSORS:
        return None
    part = facts.model.moe_intermediate_size // facts.experts_inner
    group = facts.fmt.group_size
    while group >= SMALLEST_WNA16_GROUP:
        if part % group == 0 and facts.model.hidden_size % group == 0:
            return group
        group //= 2
    return None


def falls_back_to_wna16(facts: LayoutFacts) -> bool:
    """Whether experts' slices leave Marlin for moe_wna16: groups do not lie whole on a rank."""
    fmt, model = facts.fmt, facts.model
    if fmt.kind not in INTEGER_KINDS or not model.is_moe or fmt.group_size <= 0:
        return False
    return bool(model.moe_intermediate_size // facts.experts_inner % fmt.group_size)


def wna16_block_divides_experts(facts: LayoutFacts) -> str | None:
    """The CUDA kernel of moe_wna16 works on whole blocks of 128: it starts, and then fails."""
    fmt, model = facts.fmt, facts.model
    if fmt.kind is not WeightKind.INT4_GROUP or not falls_back_to_wna16(facts):
        return None
    if facts.pool.accelerator.compute_capability is None:
        return None
    part = model.moe_intermediate_size // facts.experts_inner
    if part % WNA16_BLOCK == 0:
        return None
    return (
        f"{facts.experts_inner} ranks would each hold {part} of the inner"
        f" {model.moe_intermediate_size} of {model.name}, {part % WNA16_BLOCK} more than whole"
        f" blocks of {WNA16_BLOCK}: vLLM {facts.version} starts and fails at the first request. A"
        " smaller tensor size, expert parallelism or a newer version would do."
    )


def wna16_experts_are_slow(facts: LayoutFacts) -> str | None:
    """Experts whose slices Marlin does not take run on slower kernels."""
    if not falls_back_to_wna16(facts):
        return None
    part = facts.model.moe_intermediate_size // facts.experts_inner
    return (
        f"{facts.experts_inner} ranks each hold {part} of an expert's"
        f" {facts.model.moe_intermediate_size}, no whole groups of {facts.fmt.group_size}: the"
        " experts run on the slower moe_wna16 kernels; expert parallelism keeps Marlin."
    )


def fp4_tiles_divide_experts(facts: LayoutFacts) -> str | None:
    """Weight-only fp4 experts fit Marlin's tiles."""
    capability = facts.pool.accelerator.compute_capability
    if facts.fmt.kind not in FP4_KINDS or not facts.model.is_moe:
        return None
    if capability is None or capability[0] >= NATIVE_FP4_MAJOR:
        return None
    part = facts.model.moe_intermediate_size // facts.experts_inner
    if part % MARLIN_ROWS == 0:
        return None
    return (
        f"Weight-only fp4 kernels take experts in multiples of {MARLIN_ROWS}; {facts.experts_inner}"
        f" ranks of {facts.model.name} would each hold {part}, {part % MARLIN_ROWS} more than that."
        " A smaller tensor size or expert parallelism would do; newer versions pad."
    )
