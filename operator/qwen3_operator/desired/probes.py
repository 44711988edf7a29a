"""Probes of the engine's container, and how long loading may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.names import PORT_NAME
from qwen3_operator.desired.volumes import is_brought, make_weights_volumes
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.units import MIB, ceil_div

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

START_S = 600
"""Everything but the weights: Python and CUDA start, the profile run, compilation and graphs. A
minute or two when nothing is wrong; compilation of a mixture of experts on a slow disk takes
several."""

DOWNLOAD_BYTES_PER_S = 50 * MIB
"""A slow line of 400 Mbit/s. The probe is for engines that hang: one that exits is restarted
without it, so patience costs little and impatience would start a long download all over."""

READ_BYTES_PER_S = 200 * MIB
"""A slow volume: a network filesystem under load."""

STARTUP_PERIOD_S = 10
READINESS_PERIOD_S = 5
READINESS_FAILURES = 3
"""Fifteen seconds without an answer: take the replica out of the Service."""

LIVENESS_PERIOD_S = 10
LIVENESS_FAILURES = 6
"""A minute without an answer: restart, which costs loading again. /health answers from the API
server's event loop, which long prompts keep busy for seconds."""

TIMEOUT_S = 5

IMAGE_PULL_S = 900
"""An image of 10 GB over the slow line, unpacked, and the scheduler; before the startup probe."""


def startup_budget_s(resource: Qwen3Deployment, plan: Plan) -> int:
    """Return how long a replica may take from container start to its first answer."""
    n_bytes = plan.memory.checkpoint_bytes
    loading = ceil_div(n_bytes, READ_BYTES_PER_S)
    if not is_brought(resource, plan):
        loading += ceil_div(n_bytes, DOWNLOAD_BYTES_PER_S)
    return START_S + loading


def progress_deadline_s(resource: Qwen3Deployment, plan: Plan, leaving_s: int = 0) -> int:
    """Return how long a rollout may go without a replica becoming ready.

    Args:
        resource: with the user's own word on it, which counts.
        plan: says what is to load.
        leaving_s: how long the replica whose GPUs are waited for may take to go.
    """
    given = resource.spec.rollout.progress_deadline_seconds
    if given is not None:
        return given
    pulling = IMAGE_PULL_S
    if any("image" in volume for volume in make_weights_volumes(resource, plan)):
        pulling += ceil_div(plan.memory.checkpoint_bytes, DOWNLOAD_BYTES_PER_S)
    return startup_budget_s(resource, plan) + pulling + leaving_s


def make_probes(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the three probes, under their names in a container."""
    path = engine_of(plan.engine).health_path
    patience = ceil_div(startup_budget_s(resource, plan), STARTUP_PERIOD_S)
    return {
        "startupProbe": _http_get(path, STARTUP_PERIOD_S, patience),
        "readinessProbe": _http_get(path, READINESS_PERIOD_S, READINESS_FAILURES),
        "livenessProbe": _http_get(path, LIVENESS_PERIOD_S, LIVENESS_FAILURES),
    }


def _http_get(path: str, period_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": PORT_NAME},
        "periodSeconds": period_s,
        "timeoutSeconds": TIMEOUT_S,
        "failureThreshold": failures,
    }
