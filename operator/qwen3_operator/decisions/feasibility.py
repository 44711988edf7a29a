"""Why no plan exists, as a verdict: the rule that binds, how far off, and what would fit."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from qwen3_operator.decisions.eligibility import belongs_to
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.fields import FIELDS
from qwen3_planner.api.reasons import Reason
from qwen3_planner.plan import CHANGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.observed import Node
    from qwen3_planner.plan import Change, NoPlan, Plan

SPEC_FIELDS: dict[str, str] = {
    name: FIELDS[option] for name, option in CHANGE_NAMES.items() if option in FIELDS
}
"""Where a change of :data:`qwen3_planner.plan.CHANGE_NAMES` is made in the resource."""

NODES = "maxNodesPerReplica"
"""A change that this version cannot make: replicas over several nodes."""

HARDWARE = "hardware"
"""A change of the cluster and not of the resource."""

MAX_FIXES = 3
"""Named in a message; status.plan has more."""


def explain_no_plan(result: NoPlan) -> Verdict:
    """Turn the planner's refusals into one verdict; the first refusal is the one that binds."""
    if not result.refusals:
        return Verdict(Reason.NO_FEASIBLE_PLAN, f"No layout of {result.variant} can be formed.")
    binding = result.refusals[0]
    sentences = [binding.message]
    changes = [result.nearest.change] if result.nearest else []
    changes += [fix for fix in binding.fixes if fix not in changes]
    fixes = [say_change(change) for change in changes if NODES not in dict(change.assignments)]
    if fixes:
        sentences.append(f"What would fit: {'; or '.join(fixes[:MAX_FIXES])}.")
    if result.nearest is not None and fixes and fixes[0] == say_change(result.nearest.change):
        sentences.append(f"With the first: {say_plan(result.nearest.plan)}.")
    return Verdict(reason_of(binding.rule), " ".join(sentences))


def reason_of(rule: str) -> Reason:
    """Return the reason of a planner's rule: the reason of the same name.

    >>> reason_of("InsufficientGPUMemory").value, reason_of("FromAnotherVersion").value
    ('InsufficientGPUMemory', 'NoFeasiblePlan')
    """
    try:
        return Reason(rule)
    except ValueError:
        return Reason.NO_FEASIBLE_PLAN


def say_change(change: Change) -> str:
    """Say a change as fields of the resource.

    >>> from qwen3_planner.plan import Change
    >>> say_change(Change((("quantization", "fp8"), ("tensor", 4))))
    'spec.quantization: fp8 and spec.parallelism.tensor: 4'
    >>> say_change(Change((("hardware", "8xA100-SXM-80GB"),)))
    'nodes with 8xA100-SXM-80GB'
    """
    parts = []
    for name, value in change.assignments:
        if name == HARDWARE:
            parts.append(f"nodes with {value}")
        else:
            field = SPEC_FIELDS.get(name, f"spec.{name}")
            parts.append(f"{field}: {_as_written(name, value)}")
    return " and ".join(parts)


def _as_written(name: str, value: str | float) -> str:
    """Write a value as the resource takes it; latencies are whole there, so a looser one."""
    match name:
        case "accelerators":
            return f"[{value}]"
        case "ttftMs" | "tpotMs":
            return str(ceil(float(value)))
        case "outputTokensPerSecond":
            return str(int(value))
        case "requestsPerSecond":
            return f'"{value:g}"'
        case _:
            return str(value)


def say_plan(plan: Plan) -> str:
    """Say a plan in a few words: ``fp8 as tp4 on 4 x A100-SXM-80GB, context 40960 tokens``."""
    return (
        f"{plan.quantization} as {plan.layout} on {plan.layout.gpus_per_replica} x"
        f" {plan.placement.accelerator}, context {plan.max_model_len} tokens"
    )


def explain_no_hardware(selector: Selector, nodes: Iterable[Node]) -> Verdict:
    """Say why the pods of a resource find no GPU that the planner can use.

    Args:
        selector: of the pods, without a pool.
        nodes: of the cluster.
    """
    nodes = tuple(nodes)
    with_gpus = [node for node in nodes if node.allocatable.gpus]
    possible = [node for node in with_gpus if belongs_to(selector, node)]
    unnamed = [node for node in possible if node.group is None and not node.slices]
    if unnamed:
        why = next((node.note for node in unnamed if node.note), "no label says which they are")
        names = _listed([node.name for node in unnamed])
        return Verdict(
            Reason.NO_GPU_LABELS,
            f"{names}: the planner cannot use the GPUs there: {why}. GPU Feature Discovery"
            " (or AMD's node labeller) writes the labels it needs.",
        )
    count = len(with_gpus)
    seen = (
        "No node of the cluster offers GPUs."
        if not count
        else (
            f"{'1 node offers' if count == 1 else f'{count} nodes offer'} GPUs, but none satisfies"
            f" spec.nodeSelector, spec.affinity and spec.tolerations together."
        )
    )
    return Verdict(Reason.NO_MATCHING_NODES, seen + _on_cpus(selector, nodes))


def _on_cpus(selector: Selector, nodes: Iterable[Node]) -> str:
    """Say what the CPUs of such nodes could do; nothing where there are none."""
    count = sum(node.cpu is not None and belongs_to(selector, node) for node in nodes)
    if not count:
        return ""
    those = "1 node without GPUs does" if count == 1 else f"{count} nodes without GPUs do"
    return f" {those}: llama.cpp computes there, with spec.engine.name: llamacpp."


def _listed(names: list[str]) -> str:
    shown = sorted(names)[:MAX_FIXES]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
