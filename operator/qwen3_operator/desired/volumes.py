"""Where the engine may write, and where weights on a claim are read from.

The root filesystem is read-only. All volumes are of kinds that Pod Security ``restricted`` allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.adapters import (
    make_adapter_mounts,
    make_adapter_volumes,
    placed_adapters,
)
from qwen3_operator.desired.cache import shared_cache_of
from qwen3_operator.desired.hub_access import make_ca_mounts, make_ca_volumes
from qwen3_operator.desired.leaving import make_code_mounts, make_code_volumes
from qwen3_operator.desired.runtime_adapters import (
    loads_at_run_time,
    make_runtime_mounts,
    make_runtime_volumes,
)
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.sources import CLAIM, HUGGING_FACE, IMAGE, image_of_weights, scheme_of
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

HOME_PATH = "/home/engine"
"""HOME of a user that no passwd file knows."""

WEIGHTS = "weights"
"""Name of the volume with weights."""

CACHE_PATH = "/var/cache/engine"
"""Downloaded weights and compiled kernels."""

TMP_PATH = "/tmp"  # noqa: S108 - a volume of the pod's own
"""Sockets between the engine's processes."""

SHM_PATH = "/dev/shm"  # noqa: S108 - a volume of the pod's own
"""Shared memory between the engine's processes."""

SHM_BYTES = 1 * GIB
"""Message queues between the API server, the engine core and its workers. Assumed; vLLM's ring
buffers are tens of MiB each."""

SHM_BYTES_OF_ONE_PROCESS = 64 * MIB
"""What every container has by default."""

SHM_BYTES_PER_GPU = 512 * MIB
"""NCCL's shared-memory transport where GPUs of one replica have no peer access. Assumed: it allots
a few MiB per channel and pair."""


def claim_of(source: str) -> str | None:
    """Return the claim of ``pvc://claim/path``; None for other sources.

    >>> claim_of("pvc://models/qwen3/32b"), claim_of("hf://Qwen/Qwen3-32B")
    ('models', None)
    """
    if scheme_of(source) != CLAIM:
        return None
    return source.removeprefix(f"{CLAIM}://").partition("/")[0]


def shm_bytes(gpus: int) -> int:
    """Return the size of shared memory; what is used of it counts as the pod's memory.

    Args:
        gpus: of the pod; 0: it computes on CPUs, in one process.
    """
    return SHM_BYTES + gpus * SHM_BYTES_PER_GPU if gpus else SHM_BYTES_OF_ONE_PROCESS


def make_volumes(
    resource: Qwen3Deployment, plan: Plan, site: Site, pool: Pool
) -> list[dict[str, Any]]:
    """Make the pod's volumes."""
    shm = f"{shm_bytes(plan.layout.gpus_per_node if pool.resource else 0) // MIB}Mi"
    return [
        {"name": "home", "emptyDir": {}},
        {"name": "cache", "emptyDir": _limit_of_cache(resource)},
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": shm}},
        *make_weights_volumes(resource, plan),
        *make_adapter_volumes(resource, plan),
        *make_runtime_volumes(resource),
        *make_code_volumes(resource, plan, site),
        *_authorities(resource, plan, site),
    ]


def _authorities(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the volume with certificate authorities where anything comes from a hub."""
    fetched = [one.spec.source for one in placed_adapters(resource, plan) if one.is_fetched]
    if loads_at_run_time(resource):
        fetched.append(f"{HUGGING_FACE}://")
    for source in (plan.source, *fetched):
        if volumes := make_ca_volumes(source, site.hubs):
            return volumes
    return []


def _limit_of_cache(resource: Qwen3Deployment) -> dict[str, Any]:
    empty_dir = resource.spec.cache.empty_dir if resource.spec.cache else None
    if empty_dir is None or empty_dir.size_limit is None:
        return {}
    return {"sizeLimit": empty_dir.size_limit}


def make_weights_volumes(resource: Qwen3Deployment, plan: Plan) -> list[dict[str, Any]]:
    """Make the volume with weights; none where each pod keeps them to itself."""
    claim = claim_of(plan.source)
    if claim is not None:
        return [_from_claim(claim)]
    if scheme_of(plan.source) == IMAGE:
        return [_from_image(image_of_weights(plan.source)[0])]
    cache = resource.spec.cache
    shared = shared_cache_of(resource, plan)
    if shared is not None:
        return [_from_claim(shared.claim)]
    if cache is not None and cache.image is not None:
        return [_from_image(cache.image.reference)]
    if cache is not None and cache.host_path is not None:
        folder = {"path": cache.host_path.path, "type": "Directory"}
        return [{"name": WEIGHTS, "hostPath": folder}]
    return []


def _from_claim(claim: str) -> dict[str, Any]:
    return {"name": WEIGHTS, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}


def _from_image(reference: str) -> dict[str, Any]:
    return {"name": WEIGHTS, "image": {"reference": reference, "pullPolicy": "IfNotPresent"}}


def make_volume_mounts(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the mounts of the engine's container."""
    mounts: list[dict[str, Any]] = [
        {"name": "home", "mountPath": HOME_PATH},
        {"name": "cache", "mountPath": CACHE_PATH},
        {"name": "tmp", "mountPath": TMP_PATH},
        {"name": "shm", "mountPath": SHM_PATH},
    ]
    for volume in make_weights_volumes(resource, plan):
        path = engine_of(plan.engine).model_mount_path
        mount = {"name": WEIGHTS, "mountPath": path}
        mounts.append(mount if "hostPath" in volume else {**mount, "readOnly": True})
    mounts += [*make_adapter_mounts(resource, plan), *make_runtime_mounts(resource)]
    mounts += make_code_mounts(plan, site)
    return [*mounts, *make_ca_mounts(plan.source, site.hubs)]


def is_brought(resource: Qwen3Deployment, plan: Plan) -> bool:
    """Whether the weights are complete on a volume before the engine starts."""
    return any("hostPath" not in volume for volume in make_weights_volumes(resource, plan))
