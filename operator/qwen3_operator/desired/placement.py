"""Which nodes the pods may go to: the user's wishes and the pool's labels together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def make_placement(resource: Qwen3Deployment, pool: Pool | None) -> dict[str, Any]:
    """Make the fields of the pod's spec that choose nodes.

    Args:
        resource: with the user's selector, affinity and tolerations.
        pool: narrows them to one accelerator; None leaves the accelerator open, for asking what
            hardware there is.
    """
    spec = resource.spec
    fields: dict[str, Any] = {"tolerations": make_tolerations(resource, pool)}
    if spec.node_selector:
        fields["nodeSelector"] = dict(spec.node_selector)
    affinity = spec.affinity.to_kubernetes() if spec.affinity else {}
    ways = pool.as_terms() if pool else []
    if ways:
        node_affinity = affinity.setdefault("nodeAffinity", {})
        node_affinity[REQUIRED] = _with_one_of(node_affinity.get(REQUIRED), ways)
    if affinity:
        fields["affinity"] = affinity
    return fields


def _with_one_of(
    required: dict[str, Any] | None, ways: list[list[dict[str, Any]]]
) -> dict[str, Any]:
    """Add each way's comparisons to every term, since one term that matches is enough.

    A term without comparisons matches no node and must stay so; where all are like that, what the
    user asked for is left as it is.
    """
    if required is None:
        return {"nodeSelectorTerms": [{"matchExpressions": way} for way in ways]}
    terms = [
        {**term, "matchExpressions": [*(term.get("matchExpressions") or ()), *way]}
        for term in required["nodeSelectorTerms"]
        if term.get("matchExpressions") or term.get("matchFields")
        for way in ways
    ]
    return {"nodeSelectorTerms": terms} if terms else required


GPU_TAINTS = ("nvidia.com/gpu", "amd.com/gpu")
"""Taints that keep other pods off GPU nodes; the device plugins' own charts tolerate them."""


def _gpu_taint(resource: str) -> tuple[str, ...]:
    """Return the taint of nodes that offer a resource: of slices it is that of whole GPUs.

    >>> _gpu_taint("nvidia.com/mig-1g.10gb"), _gpu_taint("gpu.nvidia.com/L4-24GB"), _gpu_taint("")
    (('nvidia.com/gpu',), ('nvidia.com/gpu',), ())
    """
    vendor = resource.partition("/")[0].removeprefix("gpu.")
    return tuple(key for key in GPU_TAINTS if vendor and key.startswith(f"{vendor}/"))


def make_tolerations(resource: Qwen3Deployment, pool: Pool | None) -> list[dict[str, Any]]:
    """Make the tolerations: that of GPU nodes, then the user's."""
    keys = GPU_TAINTS if pool is None else _gpu_taint(pool.resource)
    tolerations = [{"key": key, "operator": "Exists"} for key in keys]
    for toleration in resource.spec.tolerations:
        entry = toleration.to_kubernetes()
        if entry not in tolerations:
            tolerations.append(entry)
    return tolerations
