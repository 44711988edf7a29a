"""The PodDisruptionBudget: a drain takes one replica at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.kinds import DISRUPTION_BUDGET
from qwen3_operator.desired.metadata import make_metadata

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def make_disruption_budget(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the budget; pods that do not answer anyway never hold up a drain."""
    name = resource.metadata.name
    selector = labels.selector(name)
    if plan.layout.nodes_per_replica > 1:  # a replica is gone with any of its pods
        del selector[labels.ROLE]
    return {
        "apiVersion": DISRUPTION_BUDGET.api_version,
        "kind": DISRUPTION_BUDGET.kind,
        "metadata": make_metadata(resource, plan, names.disruption_budget(name)),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
