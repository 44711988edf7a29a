"""What to do about a container that used more host memory than it may: the planner's advice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.units import GIB, ceil_div, gib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_operator.observed import Pod

OOM_KILLED = "OOMKilled"

HEADROOM = 1.5
"""By how much a limit is raised that was as high as planned and yet too low: the engine peaks while
it loads, by what nobody measured here; a second attempt should not fail for a few MiB. Assumed."""


def with_advice(pods: Iterable[Pod], planned_bytes: int | None) -> tuple[Pod, ...]:
    """Say at each pod that was killed for its memory what it may use and which limit helps.

    Args:
        pods: as seen.
        planned_bytes: host memory that the planner counts for a pod, shared memory included; None
            without a plan.
    """
    return tuple(
        replace(pod, problem_message=advice(pod.memory_limit_bytes, planned_bytes))
        if pod.problem == OOM_KILLED
        else pod
        for pod in pods
    )


def advice(limit_bytes: int, planned_bytes: int | None) -> str:
    """Say which limit to set.

    >>> advice(4 * GIB, 10 * GIB).partition("killed. ")[2]
    'The planner counts 10.0 GiB for it: leave spec.resources.limits.memory out, or set 10Gi.'
    >>> advice(10 * GIB, 10 * GIB).partition("killed. ")[2][:75]
    'The planner counts 10.0 GiB for it, which is too little here: set spec.reso'
    """
    limit = f"its limit of {gib(limit_bytes):.1f} GiB" if limit_bytes else "its node has"
    happened = f"The engine used more host memory than {limit} and was killed."
    if not planned_bytes:
        return f"{happened} Raise spec.resources.limits.memory."
    counts = f"The planner counts {gib(planned_bytes):.1f} GiB for it"
    field = "spec.resources.limits.memory"
    if 0 < limit_bytes < planned_bytes:
        return f"{happened} {counts}: leave {field} out, or set {_whole_gib(planned_bytes)}."
    enough = _whole_gib(int(max(limit_bytes, planned_bytes) * HEADROOM))
    return f"{happened} {counts}, which is too little here: set {field} to {enough}."


def _whole_gib(n_bytes: int) -> str:
    return f"{ceil_div(n_bytes, GIB)}Gi"
