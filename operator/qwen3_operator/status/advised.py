"""Pods as they are told of: with the planner's advice where one ran out of host memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.capacity import is_cpu
from qwen3_operator.decisions.host_memory import with_advice
from qwen3_operator.desired.volumes import shm_bytes
from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_operator.decisions.replan import Chosen
    from qwen3_operator.observed import Pod


def advised(pods: Iterable[Pod], chosen: Chosen | None) -> tuple[Pod, ...]:
    """Return the pods, each that was killed for its memory with the limit that would help.

    Args:
        pods: as seen.
        chosen: the plan of today; None where the specification could not be planned.
    """
    plan = chosen.result if chosen is not None else None
    if not isinstance(plan, Plan):
        return with_advice(pods, None)
    host_bytes = plan.memory.host_bytes // plan.layout.nodes_per_replica
    gpus = 0 if is_cpu(plan.placement.accelerator) else plan.layout.gpus_per_node
    return with_advice(pods, host_bytes + shm_bytes(gpus))
