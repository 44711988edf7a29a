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
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

REVISION_HISTORY = 2
"""Old ReplicaSets to look at; rolling back is done by the resource, not by them."""


def make_deployment(
    resource: Qwen3Deployment, plan: Plan, site: Site, replicas: int, pool: Pool
) -> dict[str, Any]:
    """Make the Deployment.

    It takes one replica down before it starts the next, unless :func:`with_strategy` says
    otherwise: a surge would wait for GPUs that the replicas to be replaced hold.
    """
    name = resource.metadata.name
    template = make_pod_template(resource, plan, site, pool)
    leaving_s = template["spec"]["terminationGracePeriodSeconds"]
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
            "strategy": make_strategy(new_first=False),
            "progressDeadlineSeconds": progress_deadline_s(resource, plan, leaving_s),
            "revisionHistoryLimit": REVISION_HISTORY,
            "template": template,
        },
    }


def make_strategy(*, new_first: bool) -> dict[str, Any]:
    """Say whether a new replica comes before an old one goes."""
    surge = {"maxSurge": 1, "maxUnavailable": 0}
    return {
        "type": "RollingUpdate",
        "rollingUpdate": surge if new_first else {"maxSurge": 0, "maxUnavailable": 1},
    }


def with_strategy(children: tuple[Manifest, ...], *, new_first: bool) -> tuple[Manifest, ...]:
    """Return the children with Deployments that replace replicas so; it moves no pod by itself."""
    strategy = make_strategy(new_first=new_first)
    return tuple(
        {**child, "spec": {**child["spec"], "strategy": strategy}}
        if child["kind"] == "Deployment"
        else child
        for child in children
    )
