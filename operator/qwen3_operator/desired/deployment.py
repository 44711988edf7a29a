"""The Deployment that runs replicas of one node each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.metadata import make_metadata
from qwen3_operator.desired.pod_template import make_pod_template
from qwen3_operator.desired.probes import progress_deadline_s

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

REVISION_HISTORY = 2
"""Old ReplicaSets to look at; rolling back is done by the resource, not by them."""


def make_deployment(
    resource: Qwen3Deployment, plan: Plan, site: Site, replicas: int, pool: Pool
) -> dict[str, Any]:
    """Make the Deployment.

    It takes one replica down before it starts the next: a surge would wait for GPUs that the
    replicas to be replaced hold.
    """
    name = resource.metadata.name
    metadata = make_metadata(resource, plan, names.deployment(name))
    metadata["annotations"] = {labels.POOL: pool.as_text()}
    metadata["labels"] |= labels.queue(resource.spec.queue_name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels.selector(name)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "progressDeadlineSeconds": progress_deadline_s(resource, plan),
            "revisionHistoryLimit": REVISION_HISTORY,
            "template": make_pod_template(resource, plan, site, pool),
        },
    }
