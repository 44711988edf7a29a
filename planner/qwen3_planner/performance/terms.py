"""The arithmetic behind a predicted speed, term by term, with the numbers put in."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.performance.load import MILLI, prompt_times, prompts_in_the_way
from qwen3_planner.performance.prediction import tpot_terms

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Load, Server, Service, Stage

GIGA = 1e9
TERA = 1e12


class Addend(NamedTuple):
    """One part of a time: seconds, and how they come about."""

    name: str
    seconds: float
    formula: str


class Rate(NamedTuple):
    """A rate of the hardware and the share of it that is reached.

    Attributes:
        name: what is done at this rate.
        nominal: of the data sheet, in ``unit``.
        share: that is reached, fitted on measured runs.
        unit: of the nominal rate.
    """

    name: str
    nominal: float
    share: float
    unit: str


def token_addends(server: Server, load: Load, service: Service) -> tuple[Addend, ...]:
    """Take the time per output token apart, largest part first; the parts add up to it.

    Args:
        server: the replica.
        load: that was predicted.
        service: what the prediction said.
    """
    stage = max(server.stages, key=lambda each: each.work.dense_bytes + each.work.head_bytes)
    each = max(1.0, service.running / (server.data * server.groups))
    formulas = {
        "reading weights": _reading(stage),
        "reading experts": _experts(stage, each, each * server.data),
        "arithmetic beyond reading": _arithmetic(stage, each),
        "attention over the context": _attention(stage, load, each),
        "communication between GPUs": _communication(stage, each),
        "launching and scheduling": _launching(stage, each),
    }
    if len(server.stages) > 1:
        count = len(server.stages)
        formulas = {
            name: f"{text}; the largest of {count} stages" for name, text in formulas.items()
        }
        formulas["sending between stages"] = f"{count - 1} times"
    formulas["prompts of other requests"] = _prompts(server, load, service)
    return tuple(
        Addend(term.name, term.seconds, formulas.get(term.name, ""))
        for term in tpot_terms(server, load, service)
    )


def _bandwidth(stage: Stage, share: float) -> str:
    return f"{stage.machine.memory / GIGA:,.0f} GB/s x {share:.2g}"


def _reading(stage: Stage) -> str:
    held = (stage.work.dense_bytes + stage.work.head_bytes) / GIGA
    return f"{held:.3g} GB a rank at {_bandwidth(stage, stage.efficiency.memory)}"


def _experts(stage: Stage, sequences: float, routed: float) -> str:
    work, row = stage.work, stage.efficiency
    if not work.local_experts:
        return ""
    hit = work.experts_hit(routed)
    read = row.experts_always * work.local_experts + (1 - row.experts_always) * hit
    whose = "" if routed == sequences else " of all data-parallel ranks"
    return (
        f"{read:.3g} of {work.local_experts} experts a rank ({routed:.3g} tokens{whose} visit"
        f" {hit:.3g}) x {work.expert_bytes / GIGA:.3g} GB at {_bandwidth(stage, row.experts)}"
    )


def _attention(stage: Stage, load: Load, sequences: float) -> str:
    context = load.input_tokens + 0.5 * load.output_tokens
    return (
        f"{sequences:.3g} sequences x {context:,.0f} tokens x {stage.work.kv_bytes:,} B at"
        f" {_bandwidth(stage, stage.efficiency.kv)}"
    )


def _communication(stage: Stage, sequences: float) -> str:
    machine, row = stage.machine, stage.efficiency
    ranks = max(machine.ranks, machine.expert_ranks)
    sent = sequences * stage.work.hidden_bytes / 1e3
    return (
        f"{stage.work.layers} layers x 2 x {sent:,.3g} kB among {ranks} ranks over"
        f" {machine.link / GIGA:,.0f} GB/s x {row.link:.2g}, and {row.collective_us:.3g} us for"
        " every doubling of them"
    )


def _launching(stage: Stage, sequences: float) -> str:
    row = stage.efficiency
    return (
        f"{row.step_us:,.0f} us a step + {stage.work.layers} layers x {row.layer_us:.3g} us +"
        f" {sequences:.3g} sequences x {row.sequence_us:.3g} us"
    )


def _prompts(server: Server, load: Load, service: Service) -> str:
    others, before = _others(server, service.running)
    added = prompt_times(server, load.input_tokens).added_s / MILLI
    return (
        f"{others - before:.3g} prompts x {added:,.3g} ms over"
        f" {max(1, load.output_tokens - 1):,} tokens; {before:.3g} come before its first token"
    )


def _arithmetic(stage: Stage, sequences: float) -> str:
    work, machine, row = stage.work, stage.machine, stage.efficiency
    rows = max(sequences, row.tile_rows)
    flops = rows * (work.dense_flops + work.head_flops)
    return (
        f"{rows:.3g} rows x {(work.dense_flops + work.head_flops) / GIGA:.3g} GFLOP"
        f" at {machine.flops / TERA:,.3g} TFLOPS x {row.compute:.2g}:"
        f" {flops / (machine.flops * row.compute) / MILLI:.3g} ms for dense weights, as far as"
        " reading does not hide it"
    )


def first_token_addends(server: Server, load: Load, service: Service) -> tuple[Addend, ...]:
    """Take the time to the first token apart, in the order in which it passes."""
    row = server.efficiency
    prompt = prompt_times(server, load.input_tokens)
    others, before = _others(server, service.running)
    running_step = 0.0
    if others:
        decoded = (load.output_tokens - 1) / load.output_tokens
        running_step = row.first_steps * service.decode_s * decoded
    parts = (
        Addend("taking the request in", row.first_ms * MILLI, "HTTP, tokenizing"),
        Addend(
            "waiting for room", service.waiting_s, f"{service.running:.3g} requests run at once"
        ),
        Addend(
            "prompts before it",
            before * prompt.added_s,
            f"{before:.3g} of {others:.3g} others x {prompt.added_s / MILLI:,.3g} ms",
        ),
        Addend(
            "steps that run already",
            running_step,
            f"{row.first_steps:.2g} x {service.decode_s / MILLI:.3g} ms",
        ),
        Addend("its own prompt", prompt.alone_s, _own_prompt(server, load)),
    )
    return tuple(part for part in parts if part.seconds > 0)


def _own_prompt(server: Server, load: Load) -> str:
    work = sum(stage.work.token_flops for stage in server.stages)
    scores = sum(stage.work.score_flops for stage in server.stages)
    stage = server.stages[-1]
    return (
        f"{load.input_tokens:,} tokens x {work / GIGA:.3g} GFLOP a rank at"
        f" {stage.machine.flops / TERA:,.3g} TFLOPS x {stage.efficiency.compute:.2g}, and"
        f" {0.5 * load.input_tokens**2 * scores / TERA:.2g} TFLOP of scores at"
        f" {stage.machine.attention_flops / TERA:,.3g} x {stage.efficiency.attention:.2g}"
    )


def _others(server: Server, running: float) -> tuple[float, float]:
    """Return the other requests whose prompts a request meets, and those before its first token."""
    row = server.efficiency
    others = max(0.0, prompts_in_the_way(server, running) - 1.0)
    return others, min(others, others * row.burst + sqrt(others) * row.bunch)


def rates(server: Server) -> tuple[Rate, ...]:
    """List the rates behind the terms, of the last stage, and the share of each that is reached."""
    stage = server.stages[-1]
    machine, row = stage.machine, stage.efficiency
    found = [
        Rate("reading weights", machine.memory / GIGA, row.memory, "GB/s"),
        Rate("reading the KV cache", machine.memory / GIGA, row.kv, "GB/s"),
        Rate("matrix products", machine.flops / TERA, row.compute, "TFLOPS"),
        Rate("attention over prompts", machine.attention_flops / TERA, row.attention, "TFLOPS"),
    ]
    if stage.work.local_experts:
        found.insert(1, Rate("reading experts", machine.memory / GIGA, row.experts, "GB/s"))
    if max(machine.ranks, machine.expert_ranks) > 1:
        found.append(Rate("between GPUs", machine.link / GIGA, row.link, "GB/s"))
    return tuple(found)
