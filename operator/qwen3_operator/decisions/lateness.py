"""Whether a rollout had its time and did not get there, for a reason that going back would mend.

Pods that wait for a node had no time yet: GPUs that somebody else took are no failure of the plan,
and going back would find none either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from qwen3_operator.decisions.failures import explain_refusal
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.observed import Manifest, Pod

SCARCE = frozenset({Reason.QUOTA_EXCEEDED})
"""Refusals that say nothing against the template: what worked would wait as well."""

SOON_S = 1.0
"""After its time is over, so that a clock that is a little off asks only once more."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait still.

    Attributes:
        is_over: whether the rollout had its time.
        again_s: after how many seconds to ask again; None: when something happens.
    """

    is_over: bool = False
    again_s: float | None = None


def patience_with(deployment: Manifest, pods: Sequence[Pod], plan_hash: str) -> Patience:
    """Ask the Deployment's own controller, about the template that the Deployment has now.

    Args:
        deployment: as it lives.
        pods: of the resource.
        plan_hash: of the template it should have.
    """
    status = deployment.get("status") or {}
    if status.get("observedGeneration") != deployment["metadata"].get("generation"):
        return Patience()
    progress = _condition(status, "Progressing")
    if progress.get("reason") != Reason.PROGRESS_DEADLINE_EXCEEDED.value:
        return Patience()
    if _trying(pods, plan_hash):
        return Patience(is_over=True)
    failure = _condition(status, "ReplicaFailure")
    if failure.get("status") != "True":
        return Patience()
    return Patience(explain_refusal(failure.get("message", "")).reason not in SCARCE)


def patience_with_groups(
    pods: Sequence[Pod], plan_hash: str, began: str, allowed_s: int, now: datetime
) -> Patience:
    """Keep the time of replicas of several pods, whose controllers keep none.

    A replica that loads has its time from the moment it got its nodes. One that fails is started
    anew again and again, so it has its time, and that of those before it, from the beginning of the
    rollout.

    Args:
        pods: of the resource.
        plan_hash: of the template that is rolled out.
        began: when it was made first, RFC 3339.
        allowed_s: what one replica may take.
        now: the present.
    """
    leaders = [pod for pod in pods if pod.rank == 0 and pod.plan_hash == plan_hash]
    left = []
    for pod in _trying(leaders, plan_hash):
        since, allowed = pod.bound_at, allowed_s
        if pod.problem:
            since, allowed = began, allowed_s * len(leaders)
        if since:
            left.append(allowed - (now - datetime.fromisoformat(since)).total_seconds())
    if not left:
        return Patience()
    shortest = min(left)
    return Patience(is_over=True) if shortest < 0 else Patience(again_s=shortest + SOON_S)


def _trying(pods: Sequence[Pod], plan_hash: str) -> list[Pod]:
    """Return the pods that have a node, and do not answer."""
    return [
        pod
        for pod in pods
        if pod.plan_hash == plan_hash and pod.node and not pod.ready and not pod.terminating
    ]


def _condition(status: Mapping[str, object], kind: str) -> Mapping[str, str]:
    conditions = status.get("conditions")
    listed = conditions if isinstance(conditions, list | tuple) else ()
    return next((c for c in listed if c["type"] == kind), {})
