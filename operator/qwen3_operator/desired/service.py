"""The Service in front of the replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.metadata import make_metadata

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def make_service(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the Service; only replicas that are ready receive requests."""
    wanted = resource.spec.service
    name = resource.metadata.name
    metadata = make_metadata(resource, plan, names.service(name))
    if wanted.annotations:
        metadata["annotations"] = dict(wanted.annotations)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": wanted.type.value,
            "selector": labels.selector(name),
            "ports": [
                {
                    "name": names.PORT_NAME,
                    "port": wanted.port,
                    "targetPort": names.PORT_NAME,
                    "protocol": "TCP",
                }
            ],
        },
    }
