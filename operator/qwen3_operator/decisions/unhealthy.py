"""GPUs that a node has and does not offer: named where a plan fails for want of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.eligibility import belongs_to
from qwen3_operator.decisions.replan import Outcome
from qwen3_operator.decisions.shortage import Unhealthy, say_unhealthy
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from qwen3_operator.decisions.eligibility import Selector
    from qwen3_operator.decisions.replan import Chosen
    from qwen3_operator.observed import Node

GPU_VENDORS = ("nvidia.com/", "amd.com/")
"""Beginnings of the resources that stand for GPUs; a node may have others (network cards)."""

WITHOUT_HARDWARE = frozenset({Reason.NO_MATCHING_NODES, Reason.NO_GPU_LABELS})
"""What is said where no node offers a GPU that can be planned on."""


def unhealthy_gpus(nodes: Iterable[Node]) -> tuple[Unhealthy, ...]:
    """Return the GPUs that these nodes have and do not offer."""
    return tuple(
        Unhealthy(node.name, count, count + dict(node.allocatable.gpus).get(resource, 0))
        for node in nodes
        for resource, count in node.unhealthy
        if resource.startswith(GPU_VENDORS)
    )


def naming_unhealthy(chosen: Chosen, selector: Selector, nodes: Collection[Node]) -> Chosen:
    """Add to the reason why there is no plan that some of the hardware is broken.

    Args:
        chosen: the plan, or why there is none.
        selector: of the pods, without a pool.
        nodes: of the cluster.
    """
    possible = [node for node in nodes if belongs_to(selector, node)]
    found = unhealthy_gpus(possible)
    if chosen.outcome is not Outcome.INFEASIBLE or not found:
        return chosen
    told = say_unhealthy(found)
    is_all = not any(
        name.startswith(GPU_VENDORS) for node in possible for name, _ in node.allocatable.gpus
    )
    if is_all and chosen.verdict.reason in WITHOUT_HARDWARE:
        message = f"{told} No other GPU is left for these pods; the device plugin's log says why."
        return replace(chosen, verdict=Verdict(Reason.GPUS_UNHEALTHY, message))
    verdict = Verdict(chosen.verdict.reason, f"{chosen.verdict.message} {told}")
    return replace(chosen, verdict=verdict)
