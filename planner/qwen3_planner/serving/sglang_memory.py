"""Memory of each rank under SGLang, in the frame that plans are told in.

The budget is ``--mem-fraction-static`` of the device. SGLang takes that share of what is free
before loading, so the same share of what was not free counts as overhead. It fills the budget with
weights and KV cache and profiles nothing: activations and CUDA graphs lie beside the budget, and
are 0 within it. A block of the KV cache is one token.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING

from qwen3_planner.engines.sglang.semantics import page_tokens, semantics_at
from qwen3_planner.engines.vllm.yarn import rope_positions
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.serving.sglang_run import run_of, semantics_of, slots_of
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32, token_bytes
from qwen3_planner.sizing.lora import NO_SLOTS, Slots, slot_bytes
from qwen3_planner.sizing.sglang_memory import (
    LOAD_GROWTH_BYTES,
    Serving,
    activation_bytes,
    context_bytes,
    graph_bytes,
    request_table_bytes,
    running_requests,
    state_bytes_per_request,
    state_slots,
    workspace_bytes,
)
from qwen3_planner.sizing.sglang_weights import Placing, rank_weights, stage_layers
from qwen3_planner.sizing.stages import Device, StageMemory
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.sglang.semantics import SglangSemantics
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question
    from qwen3_planner.sizing.formats import WeightFormat

SURELY_SHORT_SHARE = 0.42
"""Of what must fit beside the budget so much is sure: 1.645 sigma below the estimate."""


@dataclass(frozen=True, slots=True)
class RankQuestion:
    """All that the memory of a candidate's ranks depends on.

    Attributes:
        model: the architecture.
        fmt: how linear weights are held.
        layout: of one replica.
        version: of the engine, whose rules are known.
        run: its settings.
        device: the accelerator's memory and units.
        positions: rows of the rotary table.
        kv_bytes_per_32: of 32 elements of the KV cache.
        given_bytes: KV cache that the user fixed; None: what fits.
        offload_bytes: weights kept in host memory.
        slots: for LoRA adapters.
    """

    model: ModelArchitecture
    fmt: WeightFormat
    layout: Layout
    version: Version
    run: Serving
    device: Device
    positions: int
    kv_bytes_per_32: int
    given_bytes: int | None
    offload_bytes: int
    slots: Slots = NO_SLOTS

    @property
    def major(self) -> int | None:
        """Compute capability major; None where the device has none."""
        return self.device.capability[0] if self.device.capability else None

    @property
    def context(self) -> int:
        """What is taken of the device before loading."""
        world = self.layout.gpus_per_replica
        return context_bytes(self.major, world, is_linked=self.device.is_linked)

    @property
    def free_before(self) -> int:
        """What is free before loading."""
        return self.device.n_bytes - self.context


@dataclass(frozen=True, slots=True)
class RankParts:
    """The addends of one rank's memory, in bytes; :func:`memory_of` puts them together.

    Attributes:
        weights: on the device.
        growth: what loading takes beside them.
        context: share of what was not free before loading.
        reserve: for the embeddings of images.
        states: of linear-attention layers.
        unused: not given to the KV cache: another stage has less room, whole pages, a fixed pool.
        short: what is surely missing beside the budget.
        token: KV cache of one token.
        tokens: that the pool holds.
        outside: what must fit beside the budget.
        slack: that there is beside it.
    """

    weights: int
    growth: int
    context: int
    reserve: int
    states: int
    unused: int
    short: int
    token: int
    tokens: int
    outside: int
    slack: int

    @property
    def overhead(self) -> int:
        """What is neither weights nor KV cache."""
        return self.growth + self.context + self.reserve + self.states + self.unused + self.short


def asked_of(question: Question, candidate: Candidate, context: int | None = None) -> RankQuestion:
    """Gather what the memory of a candidate depends on; by default at the wanted context."""
    pool, tuning = candidate.pool, question.request.tuning
    accelerator = pool.accelerator
    return RankQuestion(
        model=question.model,
        fmt=candidate.choice.fmt,
        layout=candidate.layout,
        version=semantics_of(question).version,
        run=run_of(question, pool, candidate.layout),
        device=Device(
            pool.device_bytes,
            accelerator.compute_capability,
            has_fp8_units(accelerator),
            accelerator.link_gb_per_s > 0,
        ),
        positions=rope_positions(question.model, context or question.wanted_context),
        kv_bytes_per_32=kv_bytes_per_32(question.kv_cache_dtype),
        given_bytes=tuning.kv_cache_memory_bytes,
        offload_bytes=int(tuning.cpu_offload_gib or 0) * GIB,
        slots=slots_of(question),
    )


@lru_cache(maxsize=16384)
def memory_of(asked: RankQuestion) -> tuple[StageMemory, ...]:
    """Compute one rank of each stage; all ranks of a stage hold the same."""
    budget = floor(asked.run.fraction * asked.device.n_bytes)
    return tuple(
        StageMemory(
            stage=stage,
            weights=parts.weights,
            activation=0,
            graphs=0,
            overhead=parts.overhead,
            block=parts.token,
            budget=budget,
        )
        for stage, parts in enumerate(parts_of(asked))
    )


@lru_cache(maxsize=4096)
def parts_of(asked: RankQuestion) -> tuple[RankParts, ...]:
    """Compute the addends of one rank of each stage.

    The pool is as large as the rank with least room allows, in whole pages.
    """
    semantics, fraction = semantics_at(asked.version), asked.run.fraction
    held = [_weights(asked, semantics, stage) for stage in range(asked.layout.pipeline)]
    tokens_of = [_token_bytes(asked, layers) for layers in _stages(asked, semantics)]
    reserve = semantics.multimodal_reserve_mib * MIB if asked.model.vision else 0
    share = floor(fraction * asked.free_before)
    rests = [share - weights - LOAD_GROWTH_BYTES - reserve for weights in held]
    states = [_states(asked, semantics, layers, min(rests)) for layers in _stages(asked, semantics)]
    room = min(rest - state for rest, state in zip(rests, states, strict=True))
    tokens = _pool_tokens(asked, semantics, room, max(tokens_of))
    kept = tokens * max(tokens_of) if room > 0 else room
    outside, slack = _outside(asked, tokens), asked.free_before - share
    lacking = max(0, round(outside * SURELY_SHORT_SHARE) - slack)
    short = max(0, kept) + lacking if lacking else 0
    return tuple(
        RankParts(
            weights=held[stage],
            growth=LOAD_GROWTH_BYTES,
            context=floor(fraction * asked.device.n_bytes) - share,
            reserve=reserve,
            states=states[stage],
            unused=rests[stage] - states[stage] - kept,
            short=short,
            token=tokens_of[stage],
            tokens=tokens,
            outside=outside,
            slack=slack,
        )
        for stage in range(asked.layout.pipeline)
    )


def _stages(asked: RankQuestion, semantics: SglangSemantics) -> tuple[range, ...]:
    """List the layers of each stage."""
    takes_rest = semantics.last_stage_takes_rest
    counts = stage_layers(asked.model.layers, asked.layout.pipeline, last_takes_rest=takes_rest)
    ends = [sum(counts[: stage + 1]) for stage in range(len(counts))]
    return tuple(range(end - count, end) for end, count in zip(ends, counts, strict=True))


def placing_of(asked: RankQuestion, semantics: SglangSemantics) -> Placing:
    """Return what of the version and the device decides where tensors lie."""
    return Placing(
        last_stage_takes_rest=semantics.last_stage_takes_rest,
        embedding_is_whole=semantics.embedding_is_whole,
        expanded_scales=not asked.device.has_fp8_units,
        head_is_wide=asked.model.is_hybrid and semantics.hybrid_head_is_wide,
    )


def _weights(asked: RankQuestion, semantics: SglangSemantics, stage: int) -> int:
    """Return what a rank holds on the device after loading."""
    placing = placing_of(asked, semantics)
    weights = rank_weights(
        asked.model, asked.fmt, asked.layout, placing, stage=stage, positions=asked.positions
    )
    return max(0, weights - asked.offload_bytes) + adapters_of(asked, stage)


def adapters_of(asked: RankQuestion, stage: int) -> int:
    """Return what a rank holds for LoRA adapters."""
    layers = _stages(asked, semantics_at(asked.version))[stage]
    return slot_bytes(asked.model, asked.layout, stage, layers, asked.slots)


def _token_bytes(asked: RankQuestion, layers: range) -> int:
    full = asked.model.full_attention_layers(layers.start, layers.stop)
    return token_bytes(asked.model, asked.layout.tensor, max(1, full), asked.kv_bytes_per_32)


def _states(asked: RankQuestion, semantics: SglangSemantics, layers: range, rest: int) -> int:
    each = state_bytes_per_request(asked.model, asked.layout.tensor, layers)
    if each == 0 or rest <= 0:
        return 0
    return state_slots(rest, semantics.mamba_share, each) * each


def _pool_tokens(asked: RankQuestion, semantics: SglangSemantics, room: int, token: int) -> int:
    """Return the tokens of the pool, in whole pages; a fixed pool is taken if it fits."""
    tokens = max(0, room) // token
    if asked.given_bytes is not None:
        tokens = min(tokens, asked.given_bytes // token)
    return tokens - tokens % page_tokens(semantics, asked.device.capability)


def _outside(asked: RankQuestion, tokens: int) -> int:
    """Estimate what must fit beside the budget: none of it is counted by the engine."""
    run, layout = asked.run, asked.layout
    requests = running_requests(max(2, tokens), run.context, run.max_requests, layout.data)
    return (
        request_table_bytes(requests, run.context)
        + workspace_bytes(asked.major, is_moe=asked.model.is_moe)
        + graph_bytes(run, layout.gpus_per_replica)
        + activation_bytes(asked.model, layout, run.chunked_prefill)
    )
