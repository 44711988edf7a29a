"""Claims on GPUs, where the cluster hands them out by dynamic resource allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.hashing import fingerprint
from qwen3_operator.desired.metadata import make_metadata
from qwen3_operator.observed import DEVICE_CLASS, DEVICES_ANNOTATION, is_claimed

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

NAME_IN_POD = "gpus"
"""Of the claim, inside a pod (:func:`.resources.make_resources` refers to it)."""

HASH_DIGITS = 8


def make_claim_template(resource: Qwen3Deployment, plan: Plan, pool: Pool) -> dict[str, Any] | None:
    """Make the template of the pods' claims; None where pods ask for GPUs by themselves.

    Its specification never changes, so its name tells it: another plan has another template.
    """
    if not is_claimed(pool.resource):
        return None
    metadata = make_metadata(resource, plan, _name(resource, plan, pool))
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": metadata,
        "spec": {
            "metadata": {"labels": dict(metadata["labels"])},
            "spec": _claim(plan, pool),
        },
    }


def _claim(plan: Plan, pool: Pool) -> dict[str, Any]:
    """Ask for the GPUs of one node of a replica, of the pool's products."""
    products = ", ".join(f"'{product}'" for product in pool.products)
    expression = f"device.attributes['{DEVICE_CLASS}'].productName in [{products}]"
    exactly = {
        "deviceClassName": DEVICE_CLASS,
        "allocationMode": "ExactCount",
        "count": plan.layout.gpus_per_node,
        "selectors": [{"cel": {"expression": expression}}],
    }
    return {"devices": {"requests": [{"name": NAME_IN_POD, "exactly": exactly}]}}


def _name(resource: Qwen3Deployment, plan: Plan, pool: Pool) -> str:
    return f"{resource.metadata.name}-{fingerprint(_claim(plan, pool))[:HASH_DIGITS]}"


def make_pod_claims(resource: Qwen3Deployment, plan: Plan, pool: Pool) -> dict[str, Any]:
    """Make the fields of a pod's spec that name its claims; none where it has none."""
    if not is_claimed(pool.resource):
        return {}
    named = {"name": NAME_IN_POD, "resourceClaimTemplateName": _name(resource, plan, pool)}
    return {"resourceClaims": [named]}


def make_pod_annotations(plan: Plan, pool: Pool) -> dict[str, str]:
    """Say in an annotation what a pod's claims ask for; nothing where it has none."""
    if not is_claimed(pool.resource):
        return {}
    return {DEVICES_ANNOTATION: f"{pool.resource}={plan.layout.gpus_per_node}"}
