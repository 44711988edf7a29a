"""What pods are made from, kept as a ControllerRevision: Kubernetes' own kind for such history.

Its data never changes; what is learned about it later stands in annotations. So a newer operator,
which would write the same pods in another way, finds what it has to leave alone, and a rollout that
fails finds what to return to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.kinds import REVISION
from qwen3_operator.desired.metadata import make_owner_reference, marked
from qwen3_operator.observed import PLAN_HASH_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down of one state of the pods.

    Attributes:
        plan_hash: of their templates.
        inputs: what they come from, as text.
        renders_as: the hash that the release which looked last would give the same inputs.
        workloads: the children that make them, but for what moves no pod.
        plan: the plan as ``status.plan`` shows it.
        generation: of the specification that asked for them first.
        began: when it was written down, RFC 3339; empty before it is.
    """

    plan_hash: str
    inputs: str
    renders_as: str
    workloads: tuple[Manifest, ...]
    plan: Mapping[str, Any]
    generation: int
    began: str = ""


def make_revision(resource: Qwen3Deployment, record: Record) -> dict[str, Any]:
    """Make the ControllerRevision of a record."""
    name = resource.metadata.name
    metadata = {
        "name": names.revision(name, record.plan_hash),
        "namespace": resource.metadata.namespace,
        "labels": {
            **labels.selector(name),
            "app.kubernetes.io/component": "model-server",
            "app.kubernetes.io/part-of": "qwen3-operator",
            "app.kubernetes.io/managed-by": names.FIELD_MANAGER,
            labels.ROLE: REVISION.role,
            PLAN_HASH_LABEL: record.plan_hash,
        },
        "annotations": {labels.INPUTS: record.inputs, labels.RENDERS_AS: record.renders_as},
        "ownerReferences": [make_owner_reference(resource)],
    }
    return marked(
        {
            "apiVersion": REVISION.api_version,
            "kind": REVISION.kind,
            "metadata": metadata,
            "revision": record.generation,
            "data": {"workloads": list(record.workloads), "plan": record.plan},
        }
    )


def read_revision(manifest: Manifest) -> Record | None:
    """Read a live ControllerRevision; None where it is not one of these, or not readable."""
    metadata = manifest["metadata"]
    its_labels = metadata.get("labels") or {}
    if manifest["kind"] != REVISION.kind or its_labels.get(labels.ROLE) != REVISION.role:
        return None
    annotations = metadata.get("annotations") or {}
    data = manifest.get("data") or {}
    try:
        plan_hash = its_labels[PLAN_HASH_LABEL]
        return Record(
            plan_hash=plan_hash,
            inputs=annotations.get(labels.INPUTS, ""),
            renders_as=annotations.get(labels.RENDERS_AS, plan_hash),
            workloads=tuple(data["workloads"]),
            plan=data["plan"],
            generation=int(manifest["revision"]),
            began=metadata.get("creationTimestamp", ""),
        )
    except (KeyError, TypeError, ValueError):
        return None
