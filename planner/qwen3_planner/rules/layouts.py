"""Rules about how a model may be divided. They know no version: that is the chain's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.catalog.tensor_sizes import (
    divides_heads,
    divides_image_encoder,
    divides_kv_heads,
    divides_linear_heads,
    divides_vocabulary,
    legal_tensor_sizes,
    padded_vocabulary,
)
from qwen3_planner.rules.rule import Rule

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.rules.facts import LayoutFacts


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
        f"The vocabulary of {model.name} has {padded_vocabulary(model)} rows, which"
        f" tensor={tensor} does not divide; {_legal_text(model)}."
    )


def inner_size_divides(facts: LayoutFacts) -> str | None:
    """The inner sizes divide over the ranks that share them. It is what stops 14B at 40."""
    model, layout = facts.model, facts.layout
    parts = [("the MLP's", model.intermediate_size, layout.tensor)]
    if model.is_moe:
        parts = [
            ("one expert's", model.moe_intermediate_size, facts.experts_inner),
            ("the shared expert's", model.shared_expert_intermediate_size, layout.tensor),
        ]
    for what, inner, ranks in parts:
        if inner % ranks:
            return (
                f"{what.capitalize()} inner size {inner} of {model.name} does not divide over"
                f" {ranks} ranks ({inner % ranks} left over); {_legal_text(model)}."
            )
    return None


def linear_heads_divide(facts: LayoutFacts) -> str | None:
    """Heads of linear attention divide evenly; unlike KV heads they are never copied."""
    model, tensor = facts.model, facts.layout.tensor
    linear = model.linear_attention
    if linear is None or divides_linear_heads(model, tensor):
        return None
    return (
        f"{model.name} has {linear.key_heads} key and {linear.value_heads} value heads of linear"
        f" attention, which tensor={tensor} does not divide; {_legal_text(model)}."
    )


def image_encoder_divides(facts: LayoutFacts) -> str | None:
    """The image encoder is cut like the language model, unless told otherwise."""
    model, tensor = facts.model, facts.layout.tensor
    vision = model.vision
    if vision is None or divides_image_encoder(model, tensor):
        return None
    return (
        f"The image encoder of {model.name} has {vision.heads} heads and an MLP of"
        f" {vision.intermediate_size}, which tensor={tensor} does not divide;"
        f" {_legal_text(model)}."
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


def replica_takes_one_slice(facts: LayoutFacts) -> str | None:
    """A replica takes one MIG slice: a process sees no second one, and slices have no link."""
    accelerator, gpus = facts.pool.accelerator, facts.layout.gpus_per_replica
    if not accelerator.slice_of or gpus == 1:
        return None
    return (
        f"{facts.layout} would spread over {gpus} MIG slices, of which a process sees one;"
        f" take a larger slice than {accelerator.name}, or a whole {accelerator.slice_of}."
    )


ONE_SLICE: Final[Rule[LayoutFacts]] = Rule(
    "OneSlicePerReplica",
    replica_takes_one_slice,
    source="NVIDIA Multi-Instance GPU user guide, application considerations"
    " (docs.nvidia.com/datacenter/tesla/mig-user-guide, read 2026-11-23)",
    said="CUDA shows a process a single MIG device, and none reaches another directly",
)
"""The same for every engine."""


def nodes_hold_whole_data_ranks(facts: LayoutFacts) -> str | None:
    """A data-parallel rank fills whole nodes, or a node holds whole ranks."""
    nodes, data = facts.layout.nodes_per_replica, facts.layout.data
    if nodes == 1 or data == 1 or nodes % data == 0 or data % nodes == 0:
        return None
    return (
        f"{data} data-parallel ranks over {nodes} nodes: a rank would fill {nodes / data:.2f} of"
        " them; take numbers of which one is a multiple of the other."
    )


def nodes_need_no_ray(facts: LayoutFacts) -> str | None:
    """A replica over several nodes is started without Ray only by newer versions."""
    if facts.layout.nodes_per_replica == 1 or facts.pool.tuning.takes_ray:
        return None
    return (
        f"vLLM {facts.version} spans nodes only through Ray;"
        f" {facts.layout} takes {facts.layout.nodes_per_replica} nodes. --multi-node ray, a newer"
        " version or a replica within one node would do."
    )


def ray_places_whole_data_ranks(facts: LayoutFacts) -> str | None:
    """Through Ray each node holds whole data-parallel ranks, which its leader is told in advance.

    Otherwise vLLM's strategy "span" is needed, which starts one rank per process group of Ray.
    """
    nodes, data = facts.layout.nodes_per_replica, facts.layout.data
    if not facts.pool.tuning.takes_ray or nodes == 1 or data == 1 or data % nodes == 0:
        return None
    return (
        f"{data} data-parallel ranks over {nodes} nodes: through Ray each node holds whole ranks."
        f" A multiple of {nodes} ranks or --multi-node native would do."
    )


def copied_kv_heads_hold_no_more(facts: LayoutFacts) -> str | None:
    """Above as many ranks as KV heads each head is copied, and the cache grows no further."""
    model, tensor = facts.model, facts.layout.tensor
    if tensor <= model.kv_heads or model.is_pooling:
        return None
    copies = tensor // model.kv_heads
    return (
        f"{model.name} has {model.kv_heads} KV heads: with tensor={tensor} each is kept {copies}"
        f" times, and a token takes as much of each GPU as with tensor={model.kv_heads};"
        f" tensor={model.kv_heads} with data={copies}, or as many replicas, caches more."
    )
