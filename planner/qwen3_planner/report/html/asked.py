"""What was asked and what to run: command lines, warnings, facts of the plan."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from qwen3_planner.report.html.figures import between, size
from qwen3_planner.report.html.markup import NOTHING, Content, Markup, join, tag
from qwen3_planner.report.html.page import facts_list, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.plan import Plan


def warnings_section(warnings: Sequence[str]) -> Markup:
    """List what the user should know; nothing where all is well."""
    if not warnings:
        return NOTHING
    items = [tag("li", tag("b", "! "), text) for text in warnings]
    return section("warnings", "What to know", tag("ul", *items, class_="warnings"))


def command_section(plan: Plan) -> Markup:
    """Show the engine's command as a shell takes it."""
    words = [f"{name}={shlex.quote(value)}" for name, value in plan.env]
    for word in plan.command:
        is_value = words and words[-1].startswith("--") and not word.startswith("-")
        if is_value and " " not in words[-1]:
            words[-1] += f" {shlex.quote(word)}"
        else:
            words.append(shlex.quote(word))
    head = max(1, next((i for i, word in enumerate(words) if word.startswith("--")), len(words)))
    lines = [" ".join(words[:head]), *words[head:]]
    shown = tag("pre", tag("code", " \\\n  ".join(lines), id="engine-command"))
    button = tag("button", "Copy", type="button", data_copy="engine-command", hidden=True)
    return section("command", "The engine's command", shown, button)


def plan_facts(plan: Plan) -> Markup:
    """List what the plan fixes and holds."""
    memory, layout = plan.memory, plan.layout
    tokens = f"{memory.kv_cache_tokens:,}"
    low, high = memory.kv_cache_tokens_low, memory.kv_cache_tokens_high
    if low != high:
        tokens += f" tokens; 90 % sure: {between(f'{low:,}', f'{high:,}')}"
    else:
        tokens += " tokens"
    facts: list[tuple[str, Content]] = [
        ("Model", join(plan.variant, f", {plan.parameters:,} parameters")),
        ("Weights", f"{plan.source}, {size(memory.checkpoint_bytes)} of files"),
        ("Engine", f"{plan.engine} {plan.engine_version}"),
        ("Formats", f"{plan.quantization} weights, {plan.kv_cache_dtype} KV cache"),
        ("Layout", f"{layout}, {_placed(plan)}"),
        ("Replicas", f"{plan.replicas}"),
        ("Context", f"{plan.max_model_len:,} tokens a request"),
        ("KV cache", f"{tokens}{_each(plan)}"),
        ("At once", f"{memory.max_concurrency:.2f} requests of full length{_each(plan)}"),
        ("Host memory", f"{size(memory.host_bytes)} a replica"),
    ]
    if memory.concurrency_by_context:
        said = [f"{n:,} of {context:,}" for context, n in memory.concurrency_by_context]
        facts.insert(9, ("By length", f"{', '.join(said)} tokens"))
    if plan.served_name != plan.variant:
        facts.insert(1, ("Served as", plan.served_name))
    if plan.revision is not None:
        facts.insert(2, ("Revision", plan.revision))
    return section("plan", "The plan", facts_list(facts))


def _placed(plan: Plan) -> str:
    gpus = f"{plan.layout.gpus_per_replica} x {plan.placement.accelerator}"
    nodes = plan.layout.nodes_per_replica
    names = [node.name for node in plan.placement.nodes if node.name]
    over = f" over {nodes} nodes" if nodes > 1 else ""
    return f"{gpus}{over}" + (f" ({', '.join(names)})" if names else "")


def _each(plan: Plan) -> str:
    return " on each data-parallel rank" if plan.layout.data > 1 else ""


def question_section(command_line: Sequence[str]) -> Markup:
    """Show the command line that made the page; nothing where a program asked."""
    if not command_line:
        return NOTHING
    shown = tag("pre", tag("code", shlex.join(command_line)))
    return section("question", "This page again", shown)
