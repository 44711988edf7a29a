"""Rules about what is served: the device, the context, the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.vllm.semantics import VLLM_VENDORS, YARN_MAX_FACTOR
from qwen3_planner.engines.vllm.yarn import original_positions

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.rules.facts import PoolFacts


def longest_context(model: ModelArchitecture) -> int:
    """Return the longest context YaRN gives: four times what the model was trained on.

    The April 2025 models state 40960 positions, of which 32768 are the training length.
    """
    return YARN_MAX_FACTOR * original_positions(model)


def engine_runs_here(facts: PoolFacts) -> str | None:
    """The engine is planned on NVIDIA and AMD GPUs."""
    accelerator = facts.accelerator
    if accelerator.device_class is AcceleratorClass.GPU and accelerator.vendor in VLLM_VENDORS:
        return None
    return (
        f"vLLM is planned on NVIDIA and AMD GPUs; {accelerator.name} is"
        f" {'an Apple' if accelerator.vendor == 'apple' else 'a'} {accelerator.device_class.value}"
        " device. A GPU would do."
    )


def context_is_within_yarn(facts: PoolFacts) -> str | None:
    """No context longer than YaRN stretches to."""
    asked, limit = facts.longest_tokens, longest_context(facts.model)
    if asked is None or asked <= limit:
        return None
    return (
        f"max-model-len={asked} is {asked - limit} tokens beyond what {facts.model.name} can be"
        f" stretched to: {limit}, {YARN_MAX_FACTOR} times its training length by YaRN."
    )


def request_is_within_context(facts: PoolFacts) -> str | None:
    """One request of the stated load is no longer than the context."""
    tokens = facts.request_tokens
    limit = facts.longest_tokens or longest_context(facts.model)
    if tokens is None or tokens <= limit:
        return None
    return (
        f"One request of {tokens} tokens (input and output) is {tokens - limit} longer than the"
        f" context of {limit}."
    )


def scheduler_step_holds_every_sequence(facts: PoolFacts) -> str | None:
    """A scheduler step has a token for each sequence.

    vLLM: "max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (256)."
    """
    tokens, seqs = facts.batch.tokens, facts.batch.seqs
    if tokens >= seqs:
        return None
    return (
        f"max-num-batched-tokens={tokens} is {seqs - tokens} less than max-num-seqs={seqs}; a"
        " step must hold a token of every sequence."
    )
