"""Memory of each pipeline stage's tightest rank under vLLM: its formulas put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.keeping import MACHETE_CAPABILITY
from qwen3_planner.engines.vllm.runners import Runner
from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS
from qwen3_planner.plan import Layout
from qwen3_planner.serving.vllm_lora import WITH_AND_WITHOUT
from qwen3_planner.serving.vllm_sigmas import sigma_of
from qwen3_planner.sizing.activation import (
    BF16_BYTES,
    Batch,
    compiler_copy,
    compiling_peak,
    eager_forward_peak,
    encoder_output,
    encoder_peak,
    expert_caches,
    forward_peak,
    logits_peak,
    matmul_workspace,
    moe_workspaces,
    sampler_peak,
    sampler_state,
    stage_inputs,
)
from qwen3_planner.sizing.formats import FileLayout, WeightFormat
from qwen3_planner.sizing.graphs import graph_bytes, graph_count, graph_sizes
from qwen3_planner.sizing.kv_cache import kv_shape, token_bytes
from qwen3_planner.sizing.lora import NO_SLOTS, Slots, slot_bytes
from qwen3_planner.sizing.overhead import non_torch_bytes
from qwen3_planner.sizing.stages import Device, Setting, StageMemory
from qwen3_planner.sizing.weights import rank_weights, stage_range

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.vllm.semantics import VllmSemantics


@dataclass(frozen=True, slots=True)
class Additions:
    """What the user's tuning adds to a rank or takes off it.

    Attributes:
        kv_cache_bytes: KV pool, taken as given; None: what is left of the budget.
        offload_bytes: weights kept in host memory.
        is_eager: whether nothing is compiled and no graph captured.
        slots: for LoRA adapters.
        draft: the model that drafts tokens; None: no speculation.
        draft_fmt: how its weights are held.
        draft_tokens: drafted per step.
    """

    kv_cache_bytes: int | None = None
    offload_bytes: int = 0
    is_eager: bool = False
    slots: Slots = NO_SLOTS
    draft: ModelArchitecture | None = None
    draft_fmt: WeightFormat | None = None
    draft_tokens: int = 0


NOTHING_ADDED = Additions()


@dataclass(frozen=True, slots=True)
class RankParts:
    """The addends of one rank's memory, in bytes; :func:`stage_of` puts them together.

    Attributes:
        weights: of the model after loading.
        adapters: slots for LoRA adapters.
        draft: weights of the draft model.
        offloaded: of the weights, in host memory instead.
        forward: peak of one layer's pass, what the experts free again included.
        sampling: peak of the dummy sampling step; 0 where the rank has none.
        flash_sampling: the same where FlashInfer samples; equal where it never does.
        compiling: what the compiler holds to try the embedding's kernel; 0 where it does not.
        copy: of the embedding, of which an allocator that cannot give it back takes one more; 0
            where the version does not count that, or nothing is compiled.
        encoding: peak of encoding an image; 0 without an encoder.
        encoded: the image's tokens, kept while the rest runs.
        expert_buffers: of the fused experts, where they stay.
        sampler_state: counts for penalties.
        stage_inputs: what a pipeline stage keeps for the one before it.
        matmul: cuBLAS workspaces.
        non_torch: the context's growth and communication.
        graphs: counted in the budget, else 0.
    """

    weights: int
    adapters: int
    draft: int
    offloaded: int
    forward: int
    sampling: int
    flash_sampling: int
    compiling: int
    copy: int
    encoding: int
    encoded: int
    expert_buffers: int
    sampler_state: int
    stage_inputs: int
    matmul: int
    non_torch: int
    graphs: int

    @property
    def held(self) -> int:
        """What "Model loading took" names."""
        return self.weights + self.adapters + self.draft - self.offloaded

    @property
    def warm_peak(self) -> int:
        """Transient peak of the profile run where the compiler's cache is at hand."""
        return max(self.encoding, self.encoded + max(self.forward, self.sampling))

    @property
    def peak(self) -> int:
        """The same of a first start."""
        return max(self.warm_peak, self.encoded + self.compiling)

    @property
    def least_peak(self) -> int:
        """The least that either may be: FlashInfer samples, and where it is not known, warm."""
        language = max(self.forward, self.flash_sampling)
        return max(self.encoding, self.encoded + language)

    @property
    def overhead(self) -> int:
        """What stays allocated beside the weights."""
        kept = self.expert_buffers + self.sampler_state + self.stage_inputs
        return kept + self.matmul + self.non_torch


@lru_cache(maxsize=16384)
def memory_of_stages(  # noqa: PLR0913 - the cache's key: all that memory depends on, and nothing else
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    *,
    semantics: VllmSemantics,
    setting: Setting,
    device: Device,
    positions: int,
    kv_bytes_per_32: int,
    additions: Additions = NOTHING_ADDED,
) -> tuple[StageMemory, ...]:
    """Compute the tightest rank of each stage: of unevenly split experts, one that holds more.

    Args:
        model: the architecture.
        fmt: how linear weights are held.
        layout: of one replica.
        semantics: of the engine's version.
        setting: of the engine.
        device: the accelerator's memory and units.
        positions: length of the rotary table.
        kv_bytes_per_32: of 32 elements of the KV cache.
        additions: of the user's tuning.
    """
    parts = _parts_of_stages(
        model,
        fmt,
        layout,
        semantics=semantics,
        batch=setting.batch,
        is_compiled=setting.is_compiled,
        device=device,
        positions=positions,
        additions=additions,
    )
    share = ceil(device.n_bytes * setting.utilization)
    is_quantized = fmt.is_quantized
    return tuple(
        _stage(
            one,
            stage=stage,
            block=_block_bytes(model, layout, stage, kv_bytes_per_32, additions),
            share=share,
            device_bytes=device.n_bytes,
            given=additions.kv_cache_bytes,
            sigma=sigma_of(one, layout, device, is_quantized=is_quantized),
            is_cold=setting.is_compiled is False,
        )
        for stage, one in enumerate(parts)
    )


@lru_cache(maxsize=16384)
def _parts_of_stages(  # noqa: PLR0913 - the cache's key
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    *,
    semantics: VllmSemantics,
    batch: Batch,
    is_compiled: bool | None,
    device: Device,
    positions: int,
    additions: Additions,
) -> tuple[RankParts, ...]:
    """Compute what does not depend on the share of the device, nor on the cache's dtype."""
    return tuple(
        rank_parts(
            model,
            fmt,
            layout,
            stage=stage,
            semantics=semantics,
            batch=batch,
            is_compiled=is_compiled,
            device=device,
            positions=positions,
            additions=additions,
        )
        for stage in range(layout.pipeline)
    )


def _stage(  # noqa: PLR0913 - the frame's own fields
    parts: RankParts,
    *,
    stage: int,
    block: int,
    share: int,
    device_bytes: int,
    given: int | None,
    sigma: float,
    is_cold: bool,
) -> StageMemory:
    """Put one rank together; a given KV pool replaces the share of the device."""
    budget, least = share, parts.least_peak
    if is_cold:
        least = max(least, parts.encoded + parts.compiling)
    may_lack, may_spare = parts.copy, parts.peak - least
    if given is not None:
        may_lack = may_spare = 0
        fixed = parts.held + parts.peak + parts.graphs + parts.overhead
        budget = fixed + given if fixed + given <= device_bytes else min(fixed, device_bytes)
    return StageMemory(
        stage=stage,
        weights=parts.held,
        activation=parts.peak,
        graphs=parts.graphs,
        overhead=parts.overhead,
        block=block,
        budget=budget,
        sigma=sigma,
        may_lack=may_lack,
        may_spare=may_spare,
    )


def rank_parts(  # noqa: PLR0913 - each is a fact of its own
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    *,
    stage: int,
    semantics: VllmSemantics,
    batch: Batch,
    device: Device,
    positions: int,
    additions: Additions = NOTHING_ADDED,
    expert_rank: int = 0,
    is_compiled: bool | None = None,
) -> RankParts:
    """Compute the addends of one rank of one stage; arguments as of :func:`memory_of_stages`."""
    is_first, is_last = stage == 0, stage == layout.pipeline - 1
    weights = rank_weights(
        model,
        fmt,
        layout,
        stage=stage,
        expert_rank=expert_rank,
        positions=positions,
        expanded_scales=not device.has_fp8_units,
        packed_scales=semantics.packs_scales(device.capability),
        expanded_blocks=semantics.expands_blocks(device.capability),
        machete=machete_files(semantics, device.capability),
        batch_tokens=batch.tokens if model.vision else 0,
    )
    first, end = stage_range(model.layers, layout.pipeline, stage)
    buffers = _expert_buffers(model, layout, semantics, batch)
    profiles_images = model.vision is not None and is_first and semantics.encoder_profiled
    keeps_state = semantics.runner is Runner.V2 and semantics.consumption_counts
    has_state = is_last and keeps_state and not model.is_pooling
    major = device.capability[0] if device.capability else None
    compiles = is_first and not additions.is_eager and not is_compiled
    is_plain = additions.is_eager and not model.is_moe
    one_pass = eager_forward_peak if is_plain else forward_peak
    return RankParts(
        weights=weights,
        adapters=slot_bytes(model, layout, stage, range(first, end), additions.slots),
        draft=_draft_weights(layout, additions, device, stage=stage),
        offloaded=min(additions.offload_bytes, weights),
        forward=one_pass(model, layout.tensor, batch)
        + (0 if semantics.expert_buffers_stay else buffers),
        sampling=_sampling(model, layout, semantics, batch) if is_last else 0,
        flash_sampling=_flash_sampling(model, layout, semantics, batch) if is_last else 0,
        compiling=compiling_peak(model, layout.tensor, batch) if compiles else 0,
        copy=compiler_copy(model, layout.tensor) if compiles and semantics.pinned_count else 0,
        encoding=encoder_peak(model.vision, layout.tensor)
        if profiles_images and model.vision
        else 0,
        encoded=encoder_output(model.vision, semantics.encoded_tokens)
        if profiles_images and model.vision
        else 0,
        expert_buffers=buffers if semantics.expert_buffers_stay else 0,
        sampler_state=sampler_state(model, batch) if has_state else 0,
        stage_inputs=0 if is_first else stage_inputs(model, batch),
        matmul=matmul_workspace(major),
        non_torch=non_torch_bytes(layout.gpus_per_replica, is_linked=device.is_linked),
        graphs=_graphs(semantics, batch, device.capability, additions, end - first),
    )


def machete_files(
    semantics: VllmSemantics, capability: tuple[int, int] | None
) -> tuple[FileLayout, ...]:
    """Return whose integer weights Machete holds on a GPU of this compute capability."""
    if capability != MACHETE_CAPABILITY:
        return ()
    usual = (FileLayout.GPTQ, FileLayout.COMPRESSED_TENSORS)
    return (*usual, FileLayout.AWQ) if semantics.machete_takes_awq else usual


def _block_bytes(
    model: ModelArchitecture,
    layout: Layout,
    stage: int,
    kv_bytes_per_32: int,
    additions: Additions,
) -> int:
    """Return one KV block over a stage's layers, those of a draft model included."""
    first, end = stage_range(model.layers, layout.pipeline, stage)
    layers = model.full_attention_layers(first, end)
    tokens = kv_shape(model, layout.tensor, kv_bytes_per_32, BLOCK_TOKENS).tokens
    each = token_bytes(model, layout.tensor, max(1, layers), kv_bytes_per_32)
    if additions.draft is not None:
        draft = additions.draft
        each += token_bytes(draft, layout.tensor, draft.layers, kv_bytes_per_32)
    return tokens * each


def _draft_weights(layout: Layout, additions: Additions, device: Device, *, stage: int) -> int:
    """Return the draft model's weights: on the last stage, shared as the target's are."""
    draft, fmt = additions.draft, additions.draft_fmt
    if draft is None or fmt is None or stage != layout.pipeline - 1:
        return 0
    return rank_weights(
        draft,
        fmt,
        Layout(tensor=layout.tensor),
        stage=0,
        expert_rank=0,
        positions=draft.max_position_embeddings,
        expanded_scales=not device.has_fp8_units,
    )


def _sampling(
    model: ModelArchitecture, layout: Layout, semantics: VllmSemantics, batch: Batch
) -> int:
    """Return the peak of the dummy sampling step; pooling models have none."""
    if model.is_pooling:
        return 0
    gathered = logits_peak(model, layout.tensor, batch)
    if semantics.runner is Runner.V2 and semantics.sampler_bytes == BF16_BYTES:
        return gathered
    return max(gathered, sampler_peak(model, batch, semantics.sampler_bytes))


def _flash_sampling(
    model: ModelArchitecture, layout: Layout, semantics: VllmSemantics, batch: Batch
) -> int:
    """Return the same peak where FlashInfer samples."""
    if semantics.flashinfer_bytes is None or model.is_pooling:
        return _sampling(model, layout, semantics, batch)
    gathered = logits_peak(model, layout.tensor, batch)
    return max(gathered, sampler_peak(model, batch, semantics.flashinfer_bytes))


def _expert_buffers(
    model: ModelArchitecture, layout: Layout, semantics: VllmSemantics, batch: Batch
) -> int:
    """Return the fused experts' buffers; data-parallel ranks exchange their tokens."""
    inner = 1 if layout.expert > 1 else layout.tensor * layout.data
    together = Batch(batch.tokens * layout.data, batch.seqs)
    size = moe_workspaces if semantics.expert_buffers_stay else expert_caches
    return size(model, inner, together, semantics.expert_chunk)


def _graphs(
    semantics: VllmSemantics,
    batch: Batch,
    capability: tuple[int, int] | None,
    additions: Additions,
    layers: int,
) -> int:
    if not semantics.graphs_in_budget or additions.is_eager:
        return 0
    decode = 1 + additions.draft_tokens
    sizes = graph_sizes(batch.seqs, batch.tokens, semantics.capture, capability, decode)
    count = graph_count(sizes, batch.seqs * decode, semantics.capture)
    return graph_bytes(count * (WITH_AND_WITHOUT if additions.slots.count else 1), layers)
