"""A prompt on a server: what it takes alone, and what it takes away from the decoding of others."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.performance.steps import MICRO, layer_seconds, prompt_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.performance.load import Server, Stage


class PromptTimes(NamedTuple):
    """Times of one prompt of a given length; the same whatever else is in flight.

    Attributes:
        added_s: by which it lengthens the decoding of others.
        alone_s: that it takes with nothing else running.
    """

    added_s: float
    alone_s: float


def hop_seconds(server: Server, tokens: float) -> float:
    """Return the time to send the hidden states of so many tokens to the next stage."""
    first = server.stages[0]
    sent = tokens * first.work.hidden_bytes / (first.machine.stage_link * first.efficiency.link)
    return sent + server.efficiency.collective_us * MICRO


def prompt_times(server: Server, tokens: int) -> PromptTimes:
    """Return the times of a prompt; compute them once for several loads of that length."""
    return PromptTimes(added_seconds(server, tokens), alone_seconds(server, tokens))


def added_seconds(server: Server, tokens: int) -> float:
    """Return what one prompt takes away from the decoding of others: its work on one stage.

    Where stages do not overlap it is its work on all of them.
    """
    part = _Part(tokens, tokens / server.limits.step_tokens, _in_step(server, tokens))
    each = [_at_best(stage, part, _added_on) for stage in server.stages]
    return max(each) if server.is_pipelined else sum(each)


class _Part(NamedTuple):
    """Prompts in steps: tokens of each, how many steps (a share of one counts), tokens in each."""

    tokens: int
    steps: float
    in_step: int
    prompts: int = 1


def _in_step(server: Server, tokens: int) -> int:
    return min(tokens, server.limits.step_tokens)


def _added_on(stage: Stage, part: _Part) -> float:
    work, machine, efficiency = stage.work, stage.machine, stage.efficiency
    return prompt_seconds(work, machine, efficiency, part.tokens) + part.steps * _overhead(stage)


def alone_seconds(server: Server, tokens: int) -> float:
    """Return how long a prompt takes with nothing else running, up to its first token."""
    return batch_seconds(server, tokens, 1)


def batch_seconds(server: Server, tokens: int, prompts: int) -> float:
    """Return how long so many prompts of so many tokens take that are computed together."""
    whole = prompts * tokens
    chunks = ceil(whole / server.limits.step_tokens)
    part = _Part(tokens, chunks, _in_step(server, whole), prompts)
    total = (len(server.stages) - 1) * hop_seconds(server, whole)
    return total + sum(_at_best(stage, part, _alone_on) for stage in server.stages)


def _alone_on(stage: Stage, part: _Part) -> float:
    work, machine, efficiency = stage.work, stage.machine, stage.efficiency
    read = (work.dense_bytes + work.head_bytes) / (machine.memory * efficiency.memory)
    hit = work.experts_hit(part.in_step)
    read += hit * work.expert_bytes / (machine.memory * efficiency.experts)
    tokens = part.prompts * part.tokens
    linear = tokens * work.token_flops / (machine.flops * efficiency.compute)
    beyond = max(0.0, part.steps * read - linear)
    each = prompt_seconds(work, machine, efficiency, part.tokens)
    return part.prompts * each + beyond + part.steps * _overhead(stage)


def _at_best(stage: Stage, part: _Part, on: Callable[[Stage, _Part], float]) -> float:
    """Return the time of a prompt on a stage, or on its helper where copying weights pays.

    llama.cpp copies weights that stay in host memory to a GPU for long prompts, in each step anew.
    """
    here = on(stage, part)
    if stage.helper is None:
        return here
    work, helper = stage.work, stage.helper
    hit = work.experts_hit(part.in_step)
    copied = work.dense_bytes + work.head_bytes + hit * work.expert_bytes
    rate = stage.machine.stage_link * helper.efficiency.link
    there = replace(stage, machine=helper.machine, efficiency=helper.efficiency)
    return min(here, max(1.0, part.steps) * copied / rate + on(there, part))


def _overhead(stage: Stage) -> float:
    """Return the fixed cost of a step on one stage."""
    efficiency, layers = stage.efficiency, stage.work.layers
    latency = layers * layer_seconds(0.0, 0.0, stage.machine, efficiency)
    return MICRO * (efficiency.step_us + layers * efficiency.layer_us) + latency
