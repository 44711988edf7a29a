"""A load on a server: how long requests wait, start and stream.

Closed loop: so many clients, each of which sends its next request when the last has been answered.
Everything follows from three times: a decode step, what a prompt adds to the steps it is computed
in, and what a lone prompt takes. (An open loop: :mod:`qwen3_planner.performance.saturation`.)

Every request sees, from its arrival to its end, one prompt of each of the other running requests
(each of them is replaced once meanwhile). A part ``burst`` of them comes before its own first
token, the rest slows its decoding; which part is the engine's way of scheduling.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.performance.prompts import (
    PromptTimes,
    added_seconds,
    alone_seconds,
    hop_seconds,
    prompt_times,
)
from qwen3_planner.performance.steps import StepTime, decode_step

if TYPE_CHECKING:
    from qwen3_planner.performance.efficiency import Efficiency
    from qwen3_planner.performance.machine import Machine
    from qwen3_planner.performance.work import StageWork

__all__ = [
    "MILLI",
    "Limits",
    "Load",
    "PromptTimes",
    "Server",
    "Service",
    "Stage",
    "added_seconds",
    "alone_seconds",
    "closed_loop",
    "decode_seconds",
    "prompt_times",
    "prompts_in_the_way",
    "room",
    "step_terms",
]

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
class Stage:
    """A part of the layers, and where it is computed.

    Attributes:
        work: of its tightest rank.
        machine: that the rank runs on.
        efficiency: of the engine on that.
        helper: a device that weights may be copied to, for prompts; None where there is none.
    """

    work: StageWork
    machine: Machine
    efficiency: Efficiency
    helper: Stage | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One replica, as far as its speed depends on it.

    Attributes:
        stages: in the order that a token passes them.
        efficiency: of the engine; its scheduling is that of the whole replica.
        limits: of each data-parallel rank.
        data: data-parallel ranks.
        is_pipelined: whether groups of requests are in different stages at once (vLLM, SGLang), or
            each step passes all stages (llama.cpp).
        subject: names of model and accelerator.
    """

    stages: tuple[Stage, ...]
    efficiency: Efficiency
    limits: Limits
    data: int = 1
    is_pipelined: bool = True
    subject: tuple[str, str] = ("", "")

    @property
    def groups(self) -> int:
        """Groups that the requests of a data-parallel rank are decoded in."""
        return len(self.stages) if self.is_pipelined else 1

    @property
    def assumed(self) -> tuple[str, ...]:
        """Rates that no source states, each said once."""
        return tuple(dict.fromkeys(text for s in self.stages for text in s.machine.assumed))


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


class Service(NamedTuple):
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
    """Return the terms of a decode step on each stage, with so many requests running."""
    each = max(1.0, running / (server.data * server.groups))
    context = load.input_tokens + 0.5 * load.output_tokens
    return tuple(
        decode_step(
            stage.work,
            stage.machine,
            stage.efficiency,
            sequences=each,
            context_tokens=context,
            expert_tokens=each * server.data,
        )
        for stage in server.stages
    )


def decode_seconds(server: Server, load: Load, running: float) -> float:
    """Return the time between two tokens of one request, prompts of others left out."""
    steps = step_terms(server, load, running)
    if len(steps) == 1:
        return steps[0].total
    each = max(1.0, running / (server.data * server.groups))
    return sum(step.total for step in steps) + (len(steps) - 1) * hop_seconds(server, each)


def prompts_in_the_way(server: Server, requests: float) -> float:
    """Return how many of so many requests' prompts hold up a given rank.

    Ranks that share routed experts wait for each other; independent ones do not.
    """
    is_shared = server.stages[0].work.local_experts > 0
    return requests if is_shared else requests / server.data


def closed_loop(
    server: Server,
    load: Load,
    clients: float | None = None,
    prompts: PromptTimes | None = None,
) -> Service:
    """Return what each of ``load.concurrency`` clients gets in the steady state.

    Args:
        server: the replica.
        load: sizes of the requests, and how many are in flight.
        clients: requests in flight instead of ``load.concurrency``; need not be whole.
        prompts: times of the load's prompts, where they were computed before.
    """
    efficiency = server.efficiency
    in_flight = float(load.concurrency) if clients is None else clients
    running = min(in_flight, room(server, load))
    decode = decode_seconds(server, load, running)
    prompt = prompts or prompt_times(server, load.input_tokens)
    others = max(0.0, prompts_in_the_way(server, running) - 1.0)
    before = min(others, others * efficiency.burst + sqrt(others) * efficiency.bunch)
    slowed = (others - before) * prompt.added_s / max(1, load.output_tokens - 1)
    tpot = decode + slowed
    first = efficiency.first_ms * MILLI + prompt.alone_s + before * prompt.added_s
    if others:  # a step of theirs may be running already, if they decode at all
        decoded = (load.output_tokens - 1) / load.output_tokens
        first += efficiency.first_steps * decode * decoded
    served = first + (load.output_tokens - 1) * tpot
    rate = running / served
    waiting = max(0.0, in_flight / rate - served) if in_flight > running else 0.0
    return Service(
        ttft_s=first + waiting,
        tpot_s=tpot,
        requests_per_s=rate,
        output_tokens_per_s=rate * load.output_tokens,
        running=running,
        decode_s=decode,
        prompts_s=slowed,
        waiting_s=waiting,
        prompt_s=prompt.alone_s,
    )
