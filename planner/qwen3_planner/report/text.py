"""A plan for people: the verdict first, then what it stands on."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.engines.ranks import on_other_nodes
from qwen3_planner.plan import NoPlan
from qwen3_planner.report.explanation_text import explanation_lines, origin_lines, time_lines
from qwen3_planner.report.memory_text import memory_lines
from qwen3_planner.report.offers import offer_lines
from qwen3_planner.report.speed_text import speed_facts
from qwen3_planner.report.table import labelled, render, thousands, wrapped
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qwen3_planner.explanation import Explanation
    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import Layout, LoraRoom, Plan, PlanResult, Refusal
    from qwen3_planner.report.peers import Peers

REFUSALS_SHOWN = 5
ALTERNATIVES_SHOWN = 5
_LABEL = 13
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def to_text(  # noqa: PLR0913 - parts of an answer
    result: PlanResult,
    width: int = 80,
    *,
    styled: bool = False,
    blocks: bool = False,
    explanation: Explanation | None = None,
    offers: Sequence[Offer] = (),
    peers: Peers = (),
) -> str:
    """Say a plan, or why there is none, as lines of at most ``width`` columns where words allow.

    Args:
        result: of the planner.
        width: columns of the terminal.
        styled: bold headings; False where the output is no terminal.
        blocks: bars of block characters; False where the encoding lacks them.
        explanation: how the figures add up, if that is wanted.
        offers: hardware that was compared, best first.
        peers: what other planners say of the plan.
    """
    parts = (
        _no_plan(result, width)
        if isinstance(result, NoPlan)
        else _plan(result, width, blocks=blocks)
    )
    parts.insert(1, offer_lines(offers))
    if peers and not isinstance(result, NoPlan):
        from qwen3_planner.report.peers import peer_lines  # noqa: PLC0415 - rare

        parts.append(peer_lines(result, peers, width))
    if explanation is not None:
        parts += [explanation_lines(explanation, width), time_lines(explanation, width)]
        parts += [origin_lines(explanation, width)]
    return "\n\n".join("\n".join(_headed(block, styled=styled)) for block in parts if block) + "\n"


def verdict(plan: Plan) -> str:
    """Say in one line what runs where: ``Qwen3-32B fits: bf16, TP 2 on 2 x H100-SXM-80GB``."""
    layout = plan.layout
    gpus = f"{layout.gpus_per_replica} x {plan.placement.accelerator}"
    if layout.nodes_per_replica > 1:
        gpus += f" over {layout.nodes_per_replica} nodes"
    parts = [plan.quantization, *_groups(layout)]
    each = f"{plan.replicas} replicas, each " if plan.replicas > 1 else ""
    return f"{plan.variant} fits: {each}{', '.join(parts)} on {gpus}"


def _groups(layout: Layout) -> list[str]:
    sizes = (
        ("TP", layout.tensor),
        ("PP", layout.pipeline),
        ("DP", layout.data),
        ("EP", layout.expert),
    )
    return [f"{name} {size}" for name, size in sizes if size > 1]


def _headed(block: Sequence[str], *, styled: bool) -> Iterable[str]:
    """Set off the first line of a block; an empty one means that the block has no heading."""
    first, *rest = block
    if not first:
        return rest
    return [f"{_BOLD}{first}{_PLAIN}" if styled else first, *rest]


def _plan(plan: Plan, width: int, *, blocks: bool) -> list[list[str]]:
    return [
        wrapped(verdict(plan), width),
        _serving(plan, width),
        memory_lines(plan.memory.per_gpu, width, device=plan.placement.accelerator, blocks=blocks),
        _command(plan, width),
        _warnings(plan.warnings, width),
        _alternatives(plan.alternatives),
        _refusals("Refused", plan.refusals, width),
    ]


def _serving(plan: Plan, width: int) -> list[str]:
    memory = plan.memory
    low, high = memory.kv_cache_tokens_low, memory.kv_cache_tokens_high
    spread = "" if low == high else f" (90 % sure: {thousands(low)} to {thousands(high)})"
    each = " on each data-parallel rank" if plan.layout.data > 1 else ""
    needed = max(gpu.kv_needed_bytes for gpu in memory.per_gpu)
    load = f"the load asked for needs {format_gib(needed)} of KV cache per GPU"
    facts = [
        ("Engine", f"{plan.engine} {plan.engine_version}, {plan.kv_cache_dtype} KV cache"),
        ("Weights", f"{plan.source}, {format_gib(memory.checkpoint_bytes)}"),
        ("Context", f"{thousands(plan.max_model_len)} tokens a request"),
        ("KV cache", f"{thousands(memory.kv_cache_tokens)} tokens{each}{spread}"),
        ("At once", f"{memory.max_concurrency:.2f} requests of full length{each}; {load}"),
        ("Host memory", f"{format_gib(memory.host_bytes)} a replica"),
    ]
    if len(memory.concurrency_by_context) > 1:
        facts.insert(5, _by_length(plan))
    if plan.lora is not None:
        facts.append(_lora(plan.lora))
    if plan.revision is not None:
        facts.insert(2, ("Revision", plan.revision))
    if plan.served_name != plan.variant:
        facts.insert(0, ("Served as", plan.served_name))
    facts += speed_facts(plan)
    lines = (line for label, text in facts for line in labelled(label, text, width, _LABEL))
    return ["", *lines]


def _lora(room: LoraRoom) -> tuple[str, str]:
    """Say which adapters there are and what room they have."""
    size = f"{format_gib(room.bytes_per_gpu)} per GPU"
    slots = f"{room.slots} {'slot' if room.slots == 1 else 'slots'} of rank {room.rank}, {size}"
    named = ", ".join(name for name, _ in room.adapters)
    return "Adapters", f"{named}: {slots}" if named else slots


def _by_length(plan: Plan) -> tuple[str, str]:
    """Say how many requests of which length the cache holds.

    Or could hold: some engines allocate no more of it than was asked for.
    """
    counts = plan.memory.concurrency_by_context
    said = [f"{requests:,} of {thousands(context)}" for context, requests in counts]
    listed = ", ".join([f"{said[0]} tokens", *said[1:]])
    allocated = plan.memory.max_concurrency * plan.layout.data
    if dict(counts).get(plan.max_model_len, 0) > allocated:
        return "Could hold", f"{listed}: with as many slots and as large a cache"
    return "By length", listed


def _command(plan: Plan, width: int) -> list[str]:
    """Show the command as a shell takes it: an option stays on one line with its value."""
    words = [f"{name}={shlex.quote(value)}" for name, value in plan.env]
    for word in map(shlex.quote, plan.command):
        if (
            words
            and words[-1].startswith("-")
            and " " not in words[-1]
            and not word.startswith("-")
        ):
            words[-1] += f" {word}"
        else:
            words.append(word)
    lines, line = ["Command"], " "
    for word in words:
        if len(line) + 1 + len(word) > width - 2 and line.strip():
            lines.append(f"{line} \\")
            line = "   "
        line += f" {word}"
    others = on_other_nodes(plan.engine, plan.command, plan.layout.nodes_per_replica)
    return [*lines, line, *([f"  ({others})"] if others else [])]


def _warnings(warnings: Sequence[str], width: int) -> list[str]:
    if not warnings:
        return []
    return [
        "Warnings",
        *(line for text in warnings for line in wrapped(text, width, "  ! ", "    ")),
    ]


def _alternatives(plans: Sequence[Plan]) -> list[str]:
    if not plans:
        return []
    headers = ("quant", "layout", "GPUs", "context", "KV tokens", "at once")
    rows = [
        (
            plan.quantization,
            str(plan.layout),
            f"{plan.layout.gpus_per_replica} x {plan.placement.accelerator}",
            thousands(plan.max_model_len),
            thousands(plan.memory.kv_cache_tokens),
            f"{plan.memory.max_concurrency:.2f}",
        )
        for plan in plans[:ALTERNATIVES_SHOWN]
    ]
    table = render(headers, rows, right=("context", "KV tokens", "at once"))
    return ["Alternatives", *(f"  {line}" for line in table), *_more(plans, ALTERNATIVES_SHOWN)]


def _refusals(title: str, refusals: Sequence[Refusal], width: int) -> list[str]:
    if not refusals:
        return []
    told = _merged(refusals)
    shown = [line for alike in told[:REFUSALS_SHOWN] for line in _refusal(alike, width)]
    return [title, *shown, *_more(told, REFUSALS_SHOWN)]


def _merged(refusals: Sequence[Refusal]) -> list[list[Refusal]]:
    """Put together what differs in the quantization only, to be told once."""
    told: dict[Refusal, list[Refusal]] = {}
    for refusal in refusals:
        told.setdefault(replace(refusal, quantization=""), []).append(refusal)
    return list(told.values())


def _refusal(alike: Sequence[Refusal], width: int) -> list[str]:
    refusal = alike[0]
    what = ", ".join(dict.fromkeys(member.quantization for member in alike))
    layout = f" {refusal.layout}" if refusal.layout else ""
    where = f" on {refusal.accelerator}" if refusal.accelerator else ""
    missing = _missing(refusal)
    head = f"{what}{layout}{where}: {refusal.rule}{f', {missing}' if missing else ''}"
    lines = wrapped(head, width, "  ", "    ")
    lines += wrapped(refusal.message, width, "    ")
    for fix in refusal.fixes:
        lines += wrapped(str(fix), width, "    try  ", "         ")
    return lines


def _missing(refusal: Refusal) -> str:
    if refusal.needed_bytes is None or refusal.available_bytes is None:
        return ""
    short = refusal.needed_bytes - refusal.available_bytes
    return f"{format_gib(short)} missing per GPU" if short > 0 else ""


def _more(items: Sequence[object], shown: int) -> list[str]:
    return [f"  and {len(items) - shown} more: -o json lists all"] if len(items) > shown else []


def _verdict(result: NoPlan) -> str:
    """Say in a line what is wrong: nothing fits, or what fits is too slow."""
    rules = [refusal.rule for refusal in result.refusals]
    if rules and rules[0] == "TargetMissed":
        return f"{result.variant} fits, but misses what is wanted"
    return f"{result.variant} does not fit"


def _no_plan(result: NoPlan, width: int) -> list[list[str]]:
    blocks = [[_verdict(result)], _refusals("Why", result.refusals, width)]
    if result.nearest is None:
        return [*blocks, ["No single change of the question is known that would fit."]]
    nearest = result.nearest
    lines = ["Nearest that fits", *wrapped(str(nearest.change), width, "  ", "  ")]
    lines += wrapped(verdict(nearest.plan), width, "  ", "  ")
    kept = f"context {thousands(nearest.plan.max_model_len)} tokens,"
    kept += f" {nearest.plan.memory.max_concurrency:.2f} requests of full length at once"
    return [*blocks, [*lines, *wrapped(kept, width, "  ", "  ")]]
