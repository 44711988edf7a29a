"""What SGLang asks of a layout: checks whose bounds are its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.catalog.tensor_sizes import padded_vocabulary
from qwen3_planner.sizing.formats import WeightKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.rules.facts import LayoutFacts

INT_TILE_ROWS = 64
INT_TILE_COLUMNS = 128
"""Tile of the Marlin kernels.

Source: PyPI sglang 0.5.23 ``layers/quantization/marlin_utils.py``.
"""


def _ranks(facts: LayoutFacts) -> int:
    """Return the ranks that share the MLP, the embedding and the head: SGLang's own tp."""
    return facts.layout.tensor * facts.layout.data


def vocabulary_divides(facts: LayoutFacts) -> str | None:
    """Vocabulary rows divide evenly over all ranks of a stage."""
    rows, ranks = padded_vocabulary(facts.model), _ranks(facts)
    if rows % ranks == 0:
        return None
    return (
        f"The vocabulary of {facts.model.name} has {rows} rows, which tensor x data = {ranks} does"
        f" not divide ({rows % ranks} left over)."
    )


def inner_sizes_divide(facts: LayoutFacts) -> str | None:
    """The inner sizes divide over the ranks that share them."""
    for what, inner, ranks in _cut_sizes(facts):
        if inner % ranks:
            return (
                f"{what.capitalize()} inner size {inner} of {facts.model.name} does not divide over"
                f" {ranks} ranks ({inner % ranks} left over)."
            )
    return None


def _cut_sizes(facts: LayoutFacts) -> Iterator[tuple[str, int, int]]:
    """Yield (whose, inner size, ranks that share it)."""
    model, ranks = facts.model, _ranks(facts)
    if not model.is_moe:
        yield "the MLP's", model.intermediate_size, ranks
        return
    yield "one expert's", model.moe_intermediate_size, facts.experts_inner
    if model.shared_expert_intermediate_size:
        yield "the shared expert's", model.shared_expert_intermediate_size, ranks


def expert_group_divides(facts: LayoutFacts) -> str | None:
    """The expert group divides the ranks and the experts."""
    model, group, ranks = facts.model, facts.layout.expert, _ranks(facts)
    if group == 1:
        return None
    if ranks % group:
        return (
            f"SGLang's expert group divides tensor x data = {ranks}; expert={group} leaves"
            f" {ranks % group} over."
        )
    if model.experts % group:
        return (
            f"{model.name} has {model.experts} experts, which expert={group} does not divide"
            f" ({model.experts % group} left over)."
        )
    return None


def expert_group_is_all_ranks(facts: LayoutFacts) -> str | None:
    """Older versions spread experts over all ranks or none."""
    group, ranks = facts.layout.expert, _ranks(facts)
    if group in (1, ranks):
        return None
    return (
        f"SGLang {facts.version} spreads experts over all tensor x data = {ranks} ranks or none;"
        f" expert={group} cannot be had before 0.5.1."
    )


def experts_are_not_spread(facts: LayoutFacts) -> str | None:
    """The first version cannot spread Qwen3's experts."""
    if facts.layout.expert == 1:
        return None
    return (
        f"SGLang {facts.version} cannot spread the experts of {facts.model.name}; newer ones can."
    )


def stages_are_not_made(facts: LayoutFacts) -> str | None:
    """Early versions have no pipeline stages for Qwen3."""
    if facts.layout.pipeline == 1:
        return None
    return (
        f"SGLang {facts.version} cannot cut {facts.model.name} into pipeline stages; newer versions"
        " can."
    )


def hybrid_models_have_one_stage(facts: LayoutFacts) -> str | None:
    """Hybrid models are not cut into pipeline stages."""
    if facts.layout.pipeline == 1 or not facts.model.is_hybrid:
        return None
    return f"SGLang does not cut {facts.model.name} into pipeline stages; leave pipeline at 1."


def dense_attention_is_not_copied(facts: LayoutFacts) -> str | None:
    """Early versions have no attention data parallelism for dense Qwen3."""
    return None if facts.model.is_moe else _attention_is_not_copied(facts)


def sparse_attention_is_not_copied(facts: LayoutFacts) -> str | None:
    """Early versions have no attention data parallelism for sparse Qwen3."""
    return _attention_is_not_copied(facts) if facts.model.is_moe else None


def _attention_is_not_copied(facts: LayoutFacts) -> str | None:
    if facts.layout.data == 1:
        return None
    return (
        f"SGLang {facts.version} has no attention data parallelism for {facts.model.name}; newer"
        " versions have. Replicas would do instead."
    )


def nodes_hold_whole_stages(facts: LayoutFacts) -> str | None:
    """A node holds whole pipeline stages, or a stage fills whole nodes."""
    nodes, stages = facts.layout.nodes_per_replica, facts.layout.pipeline
    if nodes % stages == 0 or stages % nodes == 0:
        return None
    return (
        f"{stages} pipeline stages over {nodes} nodes: a stage would fill {nodes / stages:.2f} of"
        " them; take numbers of which one is a multiple of the other."
    )


def fp8_blocks_divide(facts: LayoutFacts) -> str | None:
    """Each rank's slice of MLP and experts holds whole FP8 scale blocks.

    Experts: (inner / (ranks / expert)) % 128 == 0, which a larger expert group mends.
    """
    fmt, block = facts.fmt, facts.fmt.block_columns
    if fmt.kind is not WeightKind.FP8_BLOCK or fmt.online:
        return None
    for what, inner, ranks in _cut_sizes(facts):
        part = inner // ranks
        if part % block == 0:
            continue
        return (
            f"fp8 scales of {facts.model.name} cover blocks of {block}; {ranks} ranks would each"
            f" hold {part} of {what} inner size {inner}, {part % block} more than whole blocks;"
            f" {_aligned(facts, inner, block)}."
        )
    return None


def _aligned(facts: LayoutFacts, inner: int, block: int) -> str:
    """Name what would hold whole blocks: a larger expert group, else fewer ranks."""
    model, ranks = facts.model, _ranks(facts)
    if model.is_moe:
        for group in range(facts.layout.expert + 1, ranks + 1):
            divides = ranks % group == 0 and model.experts % group == 0
            if divides and inner % (ranks // group * block) == 0:
                return f"expert={group} is aligned"
    fewer = (size for size in range(ranks - 1, 0, -1) if inner % (size * block) == 0)
    return f"at most {next(fewer, 1)} ranks are aligned"


def int_groups_divide(facts: LayoutFacts) -> str | None:
    """Each rank's int4 or int8 slices fit the kernels' tiles and hold whole scale groups."""
    fmt, model = facts.fmt, facts.model
    if fmt.kind not in (WeightKind.INT4_GROUP, WeightKind.INT8_GROUP):
        return None
    group = fmt.group_size if fmt.group_size > 0 else INT_TILE_COLUMNS
    for what, inner, ranks in _cut_sizes(facts):
        part = inner // ranks
        for size, tile in ((2 * part, INT_TILE_ROWS), (part, group)):
            if size % tile:
                return (
                    f"{fmt.quantization.value} kernels take {what} slices of {model.name} in"
                    f" multiples of {tile}; with {facts.layout} a rank would hold {size},"
                    f" {size % tile} more than that. Fewer ranks would do, or larger expert groups"
                    " where there are experts."
                )
    return None


def data_means_attention(facts: LayoutFacts) -> str | None:
    """Caution: what data parallelism means to SGLang."""
    layout = facts.layout
    if layout.data == 1:
        return None
    return (
        f"data={layout.data} is attention data parallelism: {layout.data} groups of"
        f" {_gpus(layout.tensor)} each hold the attention's weights and a KV cache of their own;"
        " the MLP is shared by all. Independent copies are replicas."
    )


def _gpus(count: int) -> str:
    return "one GPU" if count == 1 else f"{count} GPUs"
