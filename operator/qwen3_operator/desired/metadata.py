"""Metadata that all children share: name, owner, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels
from qwen3_operator.desired.hashing import fingerprint
from qwen3_planner.api.v1alpha1 import API_VERSION, KIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def make_metadata(
    resource: Qwen3Deployment, plan: Plan, name: str, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Make the metadata of a child; the garbage collector deletes it with the resource.

    Args:
        resource: it belongs to.
        plan: of it.
        name: of the child.
        more: labels that the user wants besides; ours win.
    """
    return {
        "name": name,
        "namespace": resource.metadata.namespace,
        "labels": {**(more or {}), **labels.child(resource.metadata.name, plan)},
        "ownerReferences": [make_owner_reference(resource)],
    }


def make_owner_reference(resource: Qwen3Deployment) -> dict[str, Any]:
    """Point to the resource; deleting it in the foreground waits for its children."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": resource.metadata.name,
        "uid": resource.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def marked(manifest: Manifest) -> dict[str, Any]:
    """Return the child with its own fingerprint in an annotation."""
    metadata = manifest["metadata"]
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(labels.APPLIED, None)
    bare = {**manifest, "metadata": {**metadata, "annotations": annotations}}
    annotations = {**annotations, labels.APPLIED: fingerprint(bare)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
