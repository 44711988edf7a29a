"""Where the engine may write, and where weights on a claim are read from.

The root filesystem is read-only. All volumes are of kinds that Pod Security ``restricted`` allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.hub_access import make_ca_mounts, make_ca_volumes
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.sources import CLAIM, IMAGE, image_of_weights, is_on_volume, scheme_of
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_planner.plan import Plan

HOME_PATH = "/home/engine"
"""HOME of a user that no passwd file knows."""

CACHE_PATH = "/var/cache/engine"
"""Downloaded weights and compiled kernels."""

TMP_PATH = "/tmp"  # noqa: S108 - a volume of the pod's own
"""Sockets between the engine's processes."""

SHM_PATH = "/dev/shm"  # noqa: S108 - a volume of the pod's own
"""Shared memory between the engine's processes."""

SHM_BYTES = 1 * GIB
"""Message queues between the API server, the engine core and its workers. Assumed; vLLM's ring
buffers are tens of MiB each."""

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
    """Return the size of shared memory; what is used of it counts as the pod's memory."""
    return SHM_BYTES + gpus * SHM_BYTES_PER_GPU


def make_volumes(plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the pod's volumes."""
    shm = f"{shm_bytes(plan.layout.gpus_per_node) // MIB}Mi"
    volumes: list[dict[str, Any]] = [
        {"name": "home", "emptyDir": {}},
        {"name": "cache", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": shm}},
    ]
    volumes.extend(_weights(plan.source))
    volumes.extend(make_ca_volumes(plan.source, site.hubs))
    return volumes


def _weights(source: str) -> list[dict[str, Any]]:
    """Make the volume of weights that are mounted complete."""
    claim = claim_of(source)
    if claim is not None:
        mounted = {"persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        return [{"name": "weights", **mounted}]
    if scheme_of(source) == IMAGE:
        image = {"reference": image_of_weights(source)[0], "pullPolicy": "IfNotPresent"}
        return [{"name": "weights", "image": image}]
    return []


def make_volume_mounts(plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the mounts of the engine's container."""
    mounts: list[dict[str, Any]] = [
        {"name": "home", "mountPath": HOME_PATH},
        {"name": "cache", "mountPath": CACHE_PATH},
        {"name": "tmp", "mountPath": TMP_PATH},
        {"name": "shm", "mountPath": SHM_PATH},
    ]
    if is_on_volume(plan.source):
        path = engine_of(plan.engine).model_mount_path
        mounts.append({"name": "weights", "mountPath": path, "readOnly": True})
    mounts.extend(make_ca_mounts(plan.source, site.hubs))
    return mounts
