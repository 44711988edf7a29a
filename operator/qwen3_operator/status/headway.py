"""Whether a resource that is not ready gets there by itself: ``Reconciling`` or ``Stalled``.

These two are what Helm, Flux and Argo CD ask for: kstatus
(https://github.com/kubernetes-sigs/cli-utils, pkg/kstatus) takes Ready alone for *in progress*,
however hopeless, and both of them only where they are True. So they are left out otherwise.

======================================= =========== ==========================
state                                   condition   kstatus
======================================= =========== ==========================
not looked at yet                       (none)      InProgress, by observedGeneration
ready, suspended, at zero               (none)      Current, by Ready
paused, and what runs is well           (none)      Current, by Ready
paused, and it is not                   (none)      InProgress, by Ready
waits, starts, loads, is tried again    Reconciling InProgress
somebody has to act, its time is over   Stalled     Failed
======================================= =========== ==========================

To call something stalled is final to those who wait for it: Helm and Flux give the release up. So
what another object of the same release may still mend, a Secret, a claim, a queue, is tried until
its time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.readiness import WAITS, Finding
from qwen3_planner.api.reasons import ConditionType, Reason
from qwen3_planner.api.status import ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDS_BY_ITSELF = WAITS | {
    Reason.PENDING,
    Reason.SUSPENDED,
    Reason.SCALED_TO_ZERO,
    Reason.ROLLOUT_IN_PROGRESS,
    Reason.MODEL_LOADING,
    Reason.DOWNLOADING,
    Reason.DOWNLOAD_FAILED,
    Reason.MODEL_SOURCE_UNREACHABLE,
    Reason.CLAIM_NOT_FOUND,
    Reason.CLAIM_NOT_BOUND,
    Reason.QUEUE_UNAVAILABLE,
    Reason.INSUFFICIENT_GPU,
    Reason.INSUFFICIENT_CPU,
    Reason.UNSCHEDULABLE,
    Reason.QUOTA_EXCEEDED,
    Reason.NODE_LOST,
    Reason.POD_EVICTED,
}
"""Others give GPUs or quota back, bring what is missing, or it is tried again for as long as it
takes. Pods without a node had no time yet, so no deadline ends these."""

TRIED_FOR_A_TIME = frozenset(
    {
        Reason.APPLY_FAILED,
        Reason.IMAGE_PULL_ERROR,
        Reason.CONTAINER_CONFIG_ERROR,
        Reason.CONTAINER_CRASH_LOOP_BACK_OFF,
        Reason.CONTAINER_OOM_KILLED,
        Reason.PROBE_TIMEOUT,
        Reason.POD_FAILED,
        Reason.REPLICAS_UNAVAILABLE,
    }
)
"""Kubernetes starts these anew; the rollout's deadline says when that was often enough."""


def headway(findings: Mapping[ConditionType, Finding]) -> dict[ConditionType, Finding]:
    """Say of what is not ready whether it moves; nothing of what is, or is paused.

    Args:
        findings: the other conditions.
    """
    ready, progress = findings[ConditionType.READY], findings.get(ConditionType.PROGRESSING)
    is_paused = progress is not None and progress.verdict.reason is Reason.PAUSED
    if ready.status is ConditionStatus.TRUE or is_paused:
        return {}
    kind = ConditionType.RECONCILING if _moves(ready, progress) else ConditionType.STALLED
    return {kind: Finding(ConditionStatus.TRUE, ready.verdict)}


def _moves(ready: Finding, progress: Finding | None) -> bool:
    reason = ready.verdict.reason
    if reason in ENDS_BY_ITSELF:
        return True
    is_over = progress is not None and (
        progress.verdict.reason is Reason.PROGRESS_DEADLINE_EXCEEDED
    )
    return reason in TRIED_FOR_A_TIME and not is_over
