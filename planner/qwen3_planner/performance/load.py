"""A load on a server: how long requests wait, start and stream.

Closed loop: so many clients, each of which sends its next request when the last has been answered.
Everything follows from three times: a decode step, what a prompt adds to the steps it is computed
in, and what a lone prompt takes. (An open loop: :mod:`qwen3_planner.performance.saturation`.)

Every request sees, from its arrival to its end, one prompt of each of the other
running requests (each of them is replaced once meanwhile). A part ``burst`` of them comes before
its own first token, the rest slows its decoding; which part is the engine's way of scheduling.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

from qwen3_planner.performance.steps import (
    MICRO,
    StepTime,
    collective_seconds,
    decode_step,
    prompt_seconds,
)

if TYPE_CHECKING:
    from qwen3_planner.performance.efficiency import Efficiency
    from qwen3_planner.performance.machine import Machine
    from qwen3_planner.performance.work import StageWork

MILLI = 1e-3


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the requests that run at once on one data-parallel rank.

    Attributes:
        sequences: of the scheduler.
        step_tokens: of one step; a longer prompt is computed in several.
        kv_tokens: that the KV cache holds.
    """

    sequences: int
    step_tokens: int
    kv_tokens: int


@dataclass(frozen=True, slots=True)
class Server:
    """One replica, as far as its speed depends on it.

    Attributes:
        stages: work of each pipeline stage.
        machine: that each of its ranks runs on.
        efficiency: of the engine.
        limits: of each data-parallel rank.
        data: data-parallel ranks.
        subject: names of model and accelerator.
    """

    stages: tuple[StageWork, ...]
    machine: Machine
    efficiency: Efficiency
    limits: Limits
    data: int = 1
    subject: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of one size.

    Attributes:
        input_tokens: of each prompt.
        output_tokens: of each answer.
        concurrency: requests in flight over all data-parallel ranks (closed loop).
    """

    input_tokens: int
    output_tokens: int
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class Service:
    """What a load gets, in seconds and per second, of one replica.

    Attributes:
        ttft_s: mean time to the first token, queueing included.
        tpot_s: mean over requests of (end-to-end - TTFT) / (output tokens - 1).
        requests_per_s: answered.
        output_tokens_per_s: generated.
        running: requests being served at once; the others of the concurrency wait.
        decode_s: one decode step over all stages.
        prompts_s: what other requests' prompts add to each output token.
        waiting_s: part of the TTFT before a request is taken up, for want of room.
        prompt_s: part of the TTFT that its own prompt takes.
    """

    ttft_s: float
    tpot_s: float
    requests_per_s: float
    output_tokens_per_s: float
    running: float
    decode_s: float
    prompts_s: float
    waiting_s: float
    prompt_s: float


def room(server: Server, load: Load) -> float:
    """Return how many requests can run at once over all data-parallel ranks.

    A request holds its prompt and, on average, half of its answer.
    """
    held = load.input_tokens + 0.5 * load.output_tokens
    each = min(float(server.limits.sequences), server.limits.kv_tokens / held)
    return server.data * max(1.0, each)


def step_terms(server: Server, load: Load, running: float) -> tuple[StepTime, ...]:
    """Return the terms of a decode step on each stage, with so many requests running.

    Under pipeline parallelism the requests form as many groups as there are stages, each group in
    another stage.
    """
    stages = server.stages
    each = max(1.0, running / (server.data * len(stages)))
    context = load.input_tokens + 0.5 * load.output_tokens
    routed = each * server.data
    return tuple(
        decode_step(
            work,
            server.machine,
            server.efficiency,
            sequences=each,
            context_tokens=context,
            expert_tokens=routed,
        )
        for work in stages
    )


def decode_seconds(server: Server, load: Load, running: float) -> float:
    """Return the time between two tokens of one request, prompts of others left out."""
    steps = step_terms(server, load, running)
    hops = len(steps) - 1
    each = max(1.0, running / (server.data * len(steps)))
    return sum(step.total for step in steps) + hops * _hop_seconds(server, each)


def _hop_seconds(server: Server, tokens: float) -> float:
    """Return the time to send the hidden states of so many tokens to the next stage."""
    link = server.machine.stage_link * server.efficiency.link
    sent = tokens * server.stages[0].hidden_bytes / link
    return sent + server.efficiency.collective_us * MICRO


def added_seconds(server: Server, tokens: int) -> float:
    """Return what one prompt takes away from the decoding of others: its work on one stage."""
    overhead = max(_overhead(server, work) for work in server.stages)
    steps = tokens / server.limits.step_tokens
    slowest = max(
        prompt_seconds(work, server.machine, server.efficiency, tokens) for work in server.stages
    )
    return slowest + steps * overhead


def alone_seconds(server: Server, tokens: int) -> float:
    """Return how long a prompt takes with nothing else running, up to its first token."""
    machine, efficiency = server.machine, server.efficiency
    chunks = ceil(tokens / server.limits.step_tokens)
    total = 0.0
    for work in server.stages:
        read = (work.dense_bytes + work.head_bytes) / (machine.memory * efficiency.memory)
        hit = work.experts_hit(min(tokens, server.limits.step_tokens))
        read += hit * work.expert_bytes / (machine.memory * efficiency.experts)
        linear = tokens * work.token_flops / (machine.flops * efficiency.compute)
        added = prompt_seconds(work, machine, efficiency, tokens)
        total += added + max(0.0, chunks * read - linear) + chunks * _overhead(server, work)
        total += _hop_seconds(server, tokens) if work is not server.stages[-1] else 0.0
    return total


def _overhead(server: Server, work: StageWork) -> float:
    """Return the fixed cost of a step on one stage."""
    efficiency = server.efficiency
    latency = collective_seconds(0.0, work.layers, server.machine, efficiency)
    return MICRO * (efficiency.step_us + work.layers * efficiency.layer_us) + latency


def _prompts_in_the_way(server: Server, requests: float) -> float:
    """Return how many of so many requests' prompts hold up a given rank.

    Ranks that share routed experts wait for each other; independent ones do not.
    """
    is_shared = server.stages[0].local_experts > 0
    return requests if is_shared else requests / server.data


def closed_loop(server: Server, load: Load, clients: float | None = None) -> Service:
    """Return what each of ``load.concurrency`` clients gets in the steady state.

    Args:
        server: the replica.
        load: sizes of the requests, and how many are in flight.
        clients: requests in flight instead of ``load.concurrency``; need not be whole.
    """
    efficiency = server.efficiency
    in_flight = float(load.concurrency) if clients is None else clients
    running = min(in_flight, room(server, load))
    decode = decode_seconds(server, load, running)
    added = added_seconds(server, load.input_tokens)
    others = max(0.0, _prompts_in_the_way(server, running) - 1.0)
    before = min(others, others * efficiency.burst + sqrt(others) * efficiency.bunch)
    gaps = max(1, load.output_tokens - 1)
    slowed = (others - before) * added / gaps
    tpot = decode + slowed
    alone = alone_seconds(server, load.input_tokens)
    first = efficiency.first_ms * MILLI + alone + before * added
    if others:
        first += efficiency.first_steps * decode
    served = first + (load.output_tokens - 1) * tpot
    rate = running / served
    waiting = max(0.0, in_flight / rate - served) if rate else 0.0
    return Service(
        ttft_s=first + waiting,
        tpot_s=tpot,
        requests_per_s=rate,
        output_tokens_per_s=rate * load.output_tokens,
        running=running,
        decode_s=decode,
        prompts_s=slowed,
        waiting_s=waiting,
        prompt_s=alone,
    )
