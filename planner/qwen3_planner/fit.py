"""Does one candidate fit: the memory of each rank, the KV pool, and the context it can hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS, RESERVED_BLOCKS, default_batch
from qwen3_planner.engines.vllm.yarn import rope_positions
from qwen3_planner.rules.quantized import has_fp8_units
from qwen3_planner.sizing.activation import Batch
from qwen3_planner.sizing.kv_cache import blocks_for, logged_tokens
from qwen3_planner.sizing.overhead import memory_error_bytes
from qwen3_planner.sizing.stages import Device, Setting, StageMemory, stage_memory
from qwen3_planner.units import MIB, ceil_div

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question

NINETY_PERCENT = 1.645
"""Standard deviations on each side of a 90 % interval."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A candidate that holds the load.

    Attributes:
        candidate: which.
        setting: of the engine.
        stages: memory of each stage's tightest rank.
        blocks: KV blocks of the pool: the minimum over all ranks.
        needed_blocks: of which the load needs so many.
        max_model_len: the context it holds.
        is_shortened: whether that is less than was wanted.
        error_bytes: how far the KV memory per GPU may be off, one standard deviation.
    """

    candidate: Candidate
    setting: Setting
    stages: tuple[StageMemory, ...]
    blocks: int
    needed_blocks: int
    max_model_len: int
    is_shortened: bool
    error_bytes: float

    @property
    def margin_blocks(self) -> int:
        """Half the width of the 90 % interval around ``blocks``."""
        return _margin_blocks(self.stages, self.error_bytes)

    @property
    def is_narrow(self) -> bool:
        """Whether the need lies inside the error of the estimate: the engine may not start."""
        return self.blocks - self.needed_blocks < self.margin_blocks

    @property
    def kv_cache_tokens(self) -> int:
        """What the engine logs for one data-parallel rank."""
        return logged_tokens(self.blocks, self.max_model_len, BLOCK_TOKENS)

    @property
    def kv_cache_interval(self) -> tuple[int, int]:
        """Ends of the 90 % interval of that."""
        margin = self.margin_blocks
        low, high = max(0, self.blocks - margin), self.blocks + margin
        return (
            logged_tokens(low, self.max_model_len, BLOCK_TOKENS),
            logged_tokens(high, self.max_model_len, BLOCK_TOKENS),
        )


@dataclass(frozen=True, slots=True)
class Misfit:
    """A candidate that does not hold the load, with what its tightest rank lacks.

    Attributes:
        candidate: which.
        setting: of the engine.
        stage: the stage that lacks most.
        needed_blocks: KV blocks the load needs at the shortest context that would do.
        context: that context.
    """

    candidate: Candidate
    setting: Setting
    stage: StageMemory
    needed_blocks: int
    context: int

    @property
    def needed_bytes(self) -> int:
        """What the tightest rank would have to have."""
        return self.stage.fixed + self.needed_blocks * self.stage.block

    @property
    def missing_bytes(self) -> int:
        """How much of it is missing."""
        return self.needed_bytes - self.stage.budget


def setting_of(question: Question, pool: Pool) -> Setting:
    """Resolve the engine's settings on a pool.

    Source of the bounds: vLLM 0.32.0 ``engine/arg_utils.py``
    _set_default_max_num_seqs_and_batched_tokens_args.
    """
    tuning, semantics = question.request.tuning, question.semantics
    device = device_bytes(pool)
    tokens, seqs = default_batch(semantics, device, pool.accelerator.name)
    seqs = tuning.max_num_seqs or seqs
    if tuning.max_num_batched_tokens is None:
        tokens = min(tokens, seqs * question.wanted_context)
    else:
        tokens = tuning.max_num_batched_tokens
    if tuning.max_num_seqs is None:
        seqs = min(seqs, tokens)
    return Setting(tuning.gpu_memory_utilization or semantics.utilization, Batch(tokens, seqs))


def device_bytes(pool: Pool) -> int:
    """Return what CUDA reports of one GPU of the pool."""
    return pool.accelerator.usable_memory_mib * MIB


def fit(question: Question, candidate: Candidate, setting: Setting) -> Fit | Misfit:
    """Decide whether a legal candidate holds the load, and with which context.

    The context that is wanted comes first; where the user left it open, the longest multiple of a
    block that the whole load surely fits into.
    """
    stages = replica_stages(question, candidate, setting)
    layout, context = candidate.layout, question.wanted_context
    blocks = min(stage.blocks for stage in stages)
    error = _error_bytes(question, candidate, setting, stages)
    is_short = needed_blocks(question, layout, context) > blocks
    if is_short:
        if longest_context_in(question, layout, blocks) < question.shortest_context:
            return _misfit(question, candidate, setting, stages)
        sure = longest_context_in(question, layout, blocks - _margin_blocks(stages, error))
        context = max(sure, question.shortest_context)
    needed = needed_blocks(question, layout, context)
    return Fit(candidate, setting, stages, blocks, needed, context, is_short, error)


def _margin_blocks(stages: tuple[StageMemory, ...], error_bytes: float) -> int:
    tightest = min(stages, key=lambda stage: stage.blocks)
    return ceil(NINETY_PERCENT * error_bytes / tightest.block)


def _misfit(
    question: Question, candidate: Candidate, setting: Setting, stages: tuple[StageMemory, ...]
) -> Misfit:
    context = question.shortest_context
    needed = needed_blocks(question, candidate.layout, context)
    tightest = max(stages, key=lambda stage: stage.fixed + needed * stage.block - stage.budget)
    return Misfit(candidate, setting, tightest, needed, context)


def requests_per_rank(question: Question, layout: Layout) -> int:
    """Return the requests in flight on one data-parallel rank."""
    return ceil_div(question.request.workload.concurrency, layout.data)


def needed_blocks(question: Question, layout: Layout, context: int) -> int:
    """Return the KV blocks of one rank that hold the load, the engine's reserved one included.

    Each request in flight takes its stated tokens, or a whole context where none are stated; one
    request of the whole context must always fit.
    """
    each = blocks_for(question.request_tokens or context, BLOCK_TOKENS)
    whole = blocks_for(context, BLOCK_TOKENS)
    return max(whole, requests_per_rank(question, layout) * each) + RESERVED_BLOCKS


def longest_context_in(question: Question, layout: Layout, blocks: int) -> int:
    """Return the longest context (whole blocks) that the load leaves room for; 0 if none."""
    usable = blocks - RESERVED_BLOCKS
    requests = requests_per_rank(question, layout)
    if question.request_tokens is None:
        return max(0, floor(usable / requests)) * BLOCK_TOKENS
    if requests * blocks_for(question.request_tokens, BLOCK_TOKENS) > usable:
        return 0
    return min(question.wanted_context, usable * BLOCK_TOKENS)


def replica_stages(
    question: Question, candidate: Candidate, setting: Setting
) -> tuple[StageMemory, ...]:
    """Compute the tightest rank of each stage of a candidate."""
    accelerator = candidate.pool.accelerator
    return stage_memory(
        question.model,
        candidate.choice.fmt,
        candidate.layout,
        semantics=question.semantics,
        setting=setting,
        device=Device(
            device_bytes(candidate.pool), accelerator.compute_capability, has_fp8_units(accelerator)
        ),
        positions=rope_positions(question.model, question.wanted_context),
        kv_element_bytes=question.kv_element_bytes,
    )


def _error_bytes(
    question: Question, candidate: Candidate, setting: Setting, stages: tuple[StageMemory, ...]
) -> float:
    """Combine the errors of the device's memory and of the formulas: one standard deviation."""
    accelerator = candidate.pool.accelerator
    device = accelerator.usable_relative_error * device_bytes(candidate.pool) * setting.utilization
    formula = memory_error_bytes(
        candidate.layout.gpus_per_replica,
        candidate.layout.pipeline,
        question.semantics.runner,
        max(stage.weights for stage in stages),
        is_quantized=candidate.choice.fmt.is_quantized,
    )
    return sqrt(device**2 + formula**2)
