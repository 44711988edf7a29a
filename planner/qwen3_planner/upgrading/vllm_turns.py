"""What vLLM decides by version, of what a plan depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.engines.versions import ruling_at
from qwen3_planner.engines.vllm.batches import BATCH_TIERS, BatchTier, default_tier
from qwen3_planner.engines.vllm.capture import CAPTURE_RULES, CaptureRule
from qwen3_planner.engines.vllm.profiling import (
    CONSUMPTION_COUNTS,
    ENCODER_PROFILED,
    EXPERT_BUFFERS_STAY,
    GRAPHS_IN_BUDGET,
    PINNED_SEGMENTS_COUNT,
    SAMPLER_BYTES_PER_LOGIT,
    UTILIZATION,
)
from qwen3_planner.engines.vllm.runners import FIRST_RUNNER_FOR, Runner, runner_at
from qwen3_planner.engines.vllm.semantics import (
    FP8_MOE_REFINES_BLOCKS,
    YARN_FACTOR_STRETCHES,
    YARN_FORM,
    traits_of,
)
from qwen3_planner.engines.vllm.yarn import yarn_factor
from qwen3_planner.sizing.formats import WeightKind
from qwen3_planner.upgrading.subjects import decided, spoken, subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qwen3_planner.candidates import Pool
    from qwen3_planner.engines.versions import Ruling, Version
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.upgrading.subjects import Subject


def vllm_subjects(
    question: Question, choice: WeightChoice, pool: Pool, versions: tuple[Version, Version]
) -> Iterator[Subject]:
    """Yield what vLLM decides by version, of what this question depends on."""
    model = question.model
    is_block = choice.fmt.kind is WeightKind.FP8_BLOCK
    runner_of = _runner_at(question, choice)
    if question.request.tuning.gpu_memory_utilization is None:
        yield subject("default of --gpu-memory-utilization", UTILIZATION, versions)
    yield decided(
        "model runner", FIRST_RUNNER_FOR, versions, lambda at: runner_of(at).value.upper()
    )
    yield subject("default scheduler sizes here", BATCH_TIERS, versions, _sizes_on(pool))
    yield _by_runner("CUDA graphs taken out of the budget", GRAPHS_IN_BUDGET, runner_of, versions)
    yield _by_runner(
        "bytes per logit of the profile run", SAMPLER_BYTES_PER_LOGIT, runner_of, versions
    )
    yield subject(
        "memory that the allocator cannot give back counts", PINNED_SEGMENTS_COUNT, versions
    )
    if not model.is_pooling and runner_of(max(versions)) is Runner.V2:
        yield subject("state of the sampler takes from the KV pool", CONSUMPTION_COUNTS, versions)
    yield subject("batch sizes captured as graphs", CAPTURE_RULES, versions, _capture)
    if model.is_moe:
        yield subject("buffers of the experts stay allocated", EXPERT_BUFFERS_STAY, versions)
    if model.is_moe and is_block:
        yield subject(
            "FP8 experts get finer scales where blocks do not divide",
            FP8_MOE_REFINES_BLOCKS,
            versions,
        )
    if model.vision is not None:
        yield _by_runner("the profile run encodes images", ENCODER_PROFILED, runner_of, versions)
    if yarn_factor(model, question.wanted_context) is not None:
        yield subject("flag that switches YaRN on", YARN_FORM, versions)
        yield subject("YaRN's factor stretches the context", YARN_FACTOR_STRETCHES, versions)


def _runner_at(question: Question, choice: WeightChoice) -> Callable[[Version], Runner]:
    """Return which runner a version starts the model with."""
    traits = traits_of(
        question.model,
        is_quantized=choice.fmt.is_quantized,
        has_draft=question.request.tuning.draft_model is not None,
    )
    return lambda version: runner_at(version, traits)


def _by_runner(
    name: str,
    tables: Mapping[Runner, Sequence[Ruling[Any]]],
    runner_of: Callable[[Version], Runner],
    versions: tuple[Version, Version],
) -> Subject:
    """Look a table up that differs between the runners, at each version that of its own runner."""
    rulings = [*FIRST_RUNNER_FOR, *(ruling for table in tables.values() for ruling in table)]

    def said_at(version: Version) -> str:
        return spoken(ruling_at(tables[runner_of(version)], version).value)

    return decided(name, rulings, versions, said_at)


def _sizes_on(pool: Pool) -> Callable[[tuple[BatchTier, ...]], str]:
    """Return how the default sizes of one card are said."""
    accelerator = pool.accelerator

    def say(tiers: tuple[BatchTier, ...]) -> str:
        tier = default_tier(
            tiers, pool.device_bytes, accelerator.name, accelerator.compute_capability
        )
        return f"{tier.max_num_batched_tokens:,} tokens, {tier.max_num_seqs:,} sequences"

    return say


def _capture(rule: CaptureRule) -> str:
    below, above = rule.strides
    whole = ", decoding steps also whole" if rule.whole_steps else ""
    return f"every {below}, from 256 on every {above}, up to {rule.ceiling}{whole}"
