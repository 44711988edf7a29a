"""Whether a rollout had its time and did not get there, for a reason that going back would mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.failures import explain_refusal
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.observed import Manifest, Pod

SCARCE = frozenset({Reason.QUOTA_EXCEEDED})
"""Refusals that say nothing against the template: what worked would wait as well."""


def has_missed_its_time(deployment: Manifest, pods: Sequence[Pod], plan_hash: str) -> bool:
    """Whether the Deployment's own controller says so, about the template it has now.

    Pods that wait for a node had no time yet: GPUs that somebody else took are no failure of the
    plan, and going back would find none either.

    Args:
        deployment: as it lives.
        pods: of the resource.
        plan_hash: of the template it should have.
    """
    status = deployment.get("status") or {}
    if status.get("observedGeneration") != deployment["metadata"].get("generation"):
        return False
    progress = _condition(status, "Progressing")
    if progress.get("reason") != Reason.PROGRESS_DEADLINE_EXCEEDED.value:
        return False
    tried = [pod for pod in pods if pod.plan_hash == plan_hash and not pod.terminating]
    if any(pod.node is not None and not pod.ready for pod in tried):
        return True
    failure = _condition(status, "ReplicaFailure")
    if failure.get("status") != "True":
        return False
    return explain_refusal(failure.get("message", "")).reason not in SCARCE


def _condition(status: Mapping[str, object], kind: str) -> Mapping[str, str]:
    conditions = status.get("conditions")
    listed = conditions if isinstance(conditions, list | tuple) else ()
    return next((c for c in listed if c["type"] == kind), {})
