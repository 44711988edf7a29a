"""The time of one step on one rank, as a sum of named terms.

A step is a pass of some tokens through the layers. Weights stream from memory while the arithmetic
runs, so the slower of the two counts; attention, communication between ranks and what the engine
spends beside its kernels come on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from qwen3_planner.performance.efficiency import Efficiency
    from qwen3_planner.performance.machine import Machine
    from qwen3_planner.performance.work import StageWork

MICRO = 1e-6


class StepTime(NamedTuple):
    """Seconds of one step, by what takes them. A tuple: hundreds are made for one search.

    Attributes:
        weights: reading dense weights and the output head.
        experts: reading the routed experts that are visited.
        arithmetic: of matrix products, as far as it takes longer than that reading.
        attention: reading the KV cache, or computing scores where that takes longer.
        communication: collectives between the ranks of a layer.
        overhead: kernel launches, scheduling, sampling.
    """

    weights: float
    experts: float
    arithmetic: float
    attention: float
    communication: float
    overhead: float

    @property
    def total(self) -> float:
        """Seconds of the step."""
        return sum(self)


def all_reduce_seconds(
    n_bytes: float, ranks: int, machine: Machine, efficiency: Efficiency
) -> float:
    """Return the time in which so many ranks add up what each of them holds.

    A ring moves 2 (n-1)/n of the bytes through each link; latency grows with the logarithm of
    the ranks. Zero for one rank.
    """
    if ranks == 1:
        return 0.0
    moved = 2.0 * (ranks - 1) / ranks * n_bytes / (machine.link * efficiency.link)
    latency = efficiency.collective_us * MICRO * (ranks - 1).bit_length()
    return moved + (latency if machine.has_fast_link else SLOW_LINK_LATENCY * latency)


def layer_seconds(
    own_bytes: float, routed_bytes: float, machine: Machine, efficiency: Efficiency
) -> float:
    """Return the communication of one layer: after attention, and after the MLP.

    Handing tokens to experts on other ranks and back moves as much as adding up does.

    Args:
        own_bytes: hidden states of this data-parallel rank's tokens.
        routed_bytes: those of all tokens that the experts see.
        machine: whose ranks talk.
        efficiency: of the engine on it.
    """
    return all_reduce_seconds(own_bytes, machine.ranks, machine, efficiency) + all_reduce_seconds(
        routed_bytes, machine.expert_ranks, machine, efficiency
    )


SLOW_LINK_LATENCY = 2.0
"""Latency of a collective through host memory, in those of NVLink. Assumed."""


def decode_step(  # noqa: PLR0913 - each is a fact of its own
    work: StageWork,
    machine: Machine,
    efficiency: Efficiency,
    *,
    sequences: float,
    context_tokens: float,
    expert_tokens: float | None = None,
) -> StepTime:
    """Return the time in which every sequence gets one token.

    Args:
        work: of the stage.
        machine: that it runs on.
        efficiency: of the engine on it.
        sequences: on this data-parallel rank.
        context_tokens: mean length of their contexts.
        expert_tokens: tokens that the routed experts see, over all data-parallel ranks that share
            them; the rank's own by default.
    """
    bandwidth = machine.memory
    weights = (work.dense_bytes + work.head_bytes) / (bandwidth * efficiency.memory)
    experts = 0.0
    routed = sequences if expert_tokens is None else expert_tokens
    rows = max(sequences, efficiency.tile_rows)
    flops = rows * (work.dense_flops + work.head_flops)
    if work.local_experts:
        always = efficiency.experts_always
        hit = work.experts_hit(routed)
        read = always * work.local_experts + (1.0 - always) * hit
        experts = read * work.expert_bytes / (bandwidth * efficiency.experts)
        visits = routed * work.expert_share * work.local_experts
        flops += max(visits, hit * efficiency.expert_tile_rows) * work.expert_row_flops
    arithmetic = flops / (machine.flops * efficiency.compute)
    attention = (
        sequences
        * (context_tokens * work.kv_bytes + 2 * work.state_bytes)
        / (bandwidth * efficiency.kv)
    )
    return StepTime(
        weights=weights,
        experts=experts,
        arithmetic=max(0.0, arithmetic - weights - experts),
        attention=attention,
        communication=work.layers
        * layer_seconds(
            sequences * work.hidden_bytes,
            (routed if work.local_experts else sequences) * work.hidden_bytes,
            machine,
            efficiency,
        ),
        overhead=MICRO
        * (
            efficiency.step_us
            + work.layers * efficiency.layer_us
            + sequences * efficiency.sequence_us
        ),
    )


def prompt_seconds(
    work: StageWork, machine: Machine, efficiency: Efficiency, tokens: float
) -> float:
    """Return what one prompt adds to the steps that it is computed in, beyond their fixed cost.

    Args:
        work: of the stage.
        machine: that it runs on.
        efficiency: of the engine on it.
        tokens: of the prompt.
    """
    linear = tokens * work.token_flops / (machine.flops * efficiency.compute)
    scores = 0.5 * tokens * tokens * work.score_flops
    attention = scores / (machine.attention_flops * efficiency.attention)
    hidden = tokens * work.hidden_bytes
    moved = layer_seconds(hidden, hidden, machine, efficiency)
    latency = layer_seconds(0.0, 0.0, machine, efficiency)
    return linear + attention + work.layers * (moved - latency)
