"""What pods come from, as fingerprints: the user's specification, and the plan's identity.

Another release has to work out the same fingerprints from the same resource. So they are made of
what the user gave, never of what follows from it: no command line, no image that a setting names,
no figure of the plan. Fields that are left at their defaults do not count, so a release that knows
more fields finds the same; tests/golden/upgrades holds some of an earlier release to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.replan import identity_of
from qwen3_operator.decisions.rollout import Inputs
from qwen3_operator.desired.hashing import fingerprint

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

BESIDE_THE_PODS = frozenset(
    {
        "inferencePool",
        "ingress",
        "monitoring",
        "networkPolicy",
        "replan",
        "replicas",
        "rollout",
        "route",
        "scaling",
        "service",
        "suspend",
    }
)
"""Fields of the specification that say nothing about a pod or its plan: how many, how they are
reached, when they are replaced."""


def inputs_of(resource: Qwen3Deployment, plan: Plan, pool: Pool) -> Inputs:
    """Return what the pods of a resource come from."""
    return Inputs(spec_print(resource), plan_print(plan, pool))


def spec_print(resource: Qwen3Deployment) -> str:
    """Fingerprint what the user says about pods and plan; of ``rollout``, only ``restart``."""
    given = resource.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    about_pods = {name: value for name, value in given.items() if name not in BESIDE_THE_PODS}
    if resource.spec.rollout.restart is not None:
        about_pods["restart"] = resource.spec.rollout.restart
    return fingerprint(about_pods)


def plan_print(plan: Plan, pool: Pool) -> str:
    """Fingerprint which plan it is and which nodes its pods select."""
    return fingerprint(
        {
            "identity": identity_of(plan),
            "pool": [pool.accelerator, pool.resource, pool.requirements],
        }
    )
