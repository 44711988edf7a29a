"""Rules about how a model may be divided. Each holds for every vLLM version unless it says so.

Sources: vLLM 0.32.0 ``config/model.py`` verify_with_parallel_config, ``model_executor/models/
{qwen3,qwen3_moe}.py``, ``layers/vocab_parallel_embedding.py``; the texts the engine stops with are
in each rule.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.rules.facts import LayoutFacts

LARGEST_TENSOR = 128
"""Sizes up to this are named in messages; no replica here is larger."""


def divides_heads(model: ModelArchitecture, tensor: int) -> bool:
    """Whether every rank gets the same number of query heads."""
    return model.attention_heads % tensor == 0


def divides_kv_heads(model: ModelArchitecture, tensor: int) -> bool:
    """Whether KV heads divide over the ranks, or the ranks over the KV heads."""
    if tensor <= model.kv_heads:
        return model.kv_heads % tensor == 0
    return tensor % model.kv_heads == 0


def divides_vocabulary(model: ModelArchitecture, tensor: int) -> bool:
    """Whether every rank gets the same number of vocabulary rows."""
    return model.vocab_size % tensor == 0


def divides_dense_inner(model: ModelArchitecture, tensor: int) -> bool:
    """Whether the MLP's inner size divides over the ranks; experts have rules of their own."""
    return model.is_moe or model.intermediate_size % tensor == 0


_DIVISIONS: tuple[Callable[[ModelArchitecture, int], bool], ...] = (
    divides_heads,
    divides_kv_heads,
    divides_vocabulary,
    divides_dense_inner,
)


@lru_cache(maxsize=64)
def legal_tensor_sizes(model: ModelArchitecture) -> tuple[int, ...]:
    """List the tensor-parallel sizes that bf16 weights allow, smallest first."""
    sizes = range(1, min(LARGEST_TENSOR, model.attention_heads) + 1)
    return tuple(t for t in sizes if all(divides(model, t) for divides in _DIVISIONS))


def _legal_text(model: ModelArchitecture) -> str:
    return "legal sizes are " + ", ".join(str(size) for size in legal_tensor_sizes(model))


def attention_heads_divide(facts: LayoutFacts) -> str | None:
    """Query heads divide evenly over the tensor-parallel ranks.

    vLLM: "Total number of attention heads (32) must be divisible by tensor parallel size (3)."
    """
    model, tensor = facts.model, facts.layout.tensor
    if divides_heads(model, tensor):
        return None
    return (
        f"{model.name} has {model.attention_heads} attention heads, which tensor={tensor} does not"
        f" divide ({model.attention_heads % tensor} left over); {_legal_text(model)}."
    )


def kv_heads_divide_or_replicate(facts: LayoutFacts) -> str | None:
    """KV heads divide over the ranks, or each is copied to the same number of ranks.

    vLLM: a bare AssertionError in the attention layer. It is what stops 14B at 5, 10 and 20.
    """
    model, tensor = facts.model, facts.layout.tensor
    if divides_kv_heads(model, tensor):
        return None
    return (
        f"{model.name} has {model.kv_heads} KV heads, and tensor={tensor} neither divides them nor"
        f" is a multiple of them; {_legal_text(model)}."
    )


def vocabulary_divides(facts: LayoutFacts) -> str | None:
    """Vocabulary rows divide evenly. vLLM: "151936 is not divisible by 3"."""
    model, tensor = facts.model, facts.layout.tensor
    if divides_vocabulary(model, tensor):
        return None
    return (
        f"The vocabulary of {model.name} has {model.vocab_size} rows, which tensor={tensor} does"
        f" not divide; {_legal_text(model)}."
    )


def inner_size_divides(facts: LayoutFacts) -> str | None:
    """The MLP's inner size divides over the ranks that share it.

    vLLM: "{n} is not divisible by {d}". It is what stops 14B at 40.
    """
    model, layout = facts.model, facts.layout
    if model.is_moe:
        ranks, inner, what = facts.experts_inner, model.moe_intermediate_size, "one expert's"
    else:
        ranks, inner, what = layout.tensor, model.intermediate_size, "the MLP's"
    if inner % ranks == 0:
        return None
    return (
        f"{what.capitalize()} inner size {inner} of {model.name} does not divide over {ranks}"
        f" ranks ({inner % ranks} left over); {_legal_text(model)}."
    )


def expert_parallel_needs_experts(facts: LayoutFacts) -> str | None:
    """Expert parallelism needs experts.

    vLLM: "Number of experts in the model must be greater than 0 when expert parallelism is
    enabled."
    """
    if facts.layout.expert == 1 or facts.model.is_moe:
        return None
    return (
        f"{facts.model.name} is dense: it has no experts for expert={facts.layout.expert};"
        " leave expert at 1."
    )


def expert_group_is_tensor_times_data(facts: LayoutFacts) -> str | None:
    """With vLLM the expert-parallel group is off, or all tensor x data ranks.

    ``--enable-expert-parallel`` takes no size. Source: vLLM 0.32.0
    ``layers/fused_moe/config.py`` FusedMoEParallelConfig.make.
    """
    layout = facts.layout
    group = layout.tensor * layout.data
    if layout.expert in (1, group):
        return None
    return (
        f"vLLM's expert-parallel group is 1 (off) or tensor x data = {group};"
        f" expert={layout.expert} cannot be had."
    )


def every_rank_has_an_expert(facts: LayoutFacts) -> str | None:
    """There are at least as many experts as ranks.

    vLLM: "Tensor parallel size {tp} is greater than the number of experts {E}."
    """
    model, layout = facts.model, facts.layout
    ranks = max(layout.tensor, layout.expert)
    if not model.is_moe or ranks <= model.experts:
        return None
    return (
        f"{model.name} has {model.experts} experts, fewer than the {ranks} ranks that would share"
        f" them; at most {model.experts} are legal."
    )


def every_stage_has_a_layer(facts: LayoutFacts) -> str | None:
    """No pipeline stage is empty. vLLM accepts it and fails later; we do not."""
    model, pipeline = facts.model, facts.layout.pipeline
    if pipeline <= model.layers:
        return None
    return (
        f"{model.name} has {model.layers} layers, too few for pipeline={pipeline};"
        f" at most {model.layers} stages can hold one."
    )
