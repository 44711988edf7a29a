"""CPU, memory and GPUs of one pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator import quantities
from qwen3_operator.desired.claims import NAME_IN_POD
from qwen3_operator.desired.volumes import shm_bytes
from qwen3_operator.observed import is_claimed
from qwen3_planner.units import MIB, ceil_div

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.desired.pool import Pool
    from qwen3_planner.api.references import HostResourceAmounts
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

CPU_PER_GPU = 1
"""A worker process per GPU spins while it waits for the next step. Assumed."""

CPU_PER_SERVER = 2
"""The API server (HTTP, tokenizing) and the engine core (scheduling). Assumed. No limit is set:
throttling one of these processes stalls all GPUs of the replica."""


THREAD_FLAGS = ("--threads", "-t")
"""Of llama.cpp. Source: ggml-org/llama.cpp @00dc8057 tools/server/README.md."""


def make_resources(resource: Qwen3Deployment, plan: Plan, pool: Pool) -> dict[str, Any]:
    """Make requests and limits; what the user gives replaces what the plan computes.

    Shared memory counts as memory of the pod, so it is in request and limit.
    """
    gpus = plan.layout.gpus_per_node if pool.resource else 0
    memory = plan.memory.host_bytes // plan.layout.nodes_per_replica + shm_bytes(gpus)
    amount = f"{ceil_div(memory, MIB)}Mi"
    cores = pool.cores or CPU_PER_SERVER + CPU_PER_GPU * gpus
    own = resource.spec.resources
    own_requests = _given(own.requests if own else None)
    own_limits = _given(own.limits if own else None)
    requests = {"cpu": str(cores), "memory": amount}
    requests |= own_limits | own_requests  # a limit alone is the request too, as in Kubernetes
    limits = {"memory": requests["memory"]} | own_limits
    if is_claimed(pool.resource):
        return {"requests": requests, "limits": limits, "claims": [{"name": NAME_IN_POD}]}
    if pool.resource:
        requests[pool.resource] = limits[pool.resource] = str(gpus)
    return {"requests": requests, "limits": limits}


def make_thread_arguments(
    pool: Pool, requests: Mapping[str, str], given: Sequence[str]
) -> list[str]:
    """Say how many threads compute on CPUs: as many as the pod asks for cores.

    llama.cpp counts the cores of the whole node; threads that others hold up are waited for.
    """
    is_given = any(word.partition("=")[0] in THREAD_FLAGS for word in given)
    if not pool.cores or is_given:
        return []
    return [THREAD_FLAGS[0], str(max(1, int(quantities.parse(requests["cpu"]))))]


def _given(amounts: HostResourceAmounts | None) -> dict[str, Any]:
    return {} if amounts is None else amounts.to_kubernetes()
