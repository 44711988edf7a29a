"""What Deployment and pods say: are the pods placed, do replicas answer, does the rollout move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.failures import FAILED, NODE_LOST, explain_pod, explain_refusal
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.decisions.workloads import group_size_of, template_hash_of
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.observed import Manifest, Pod

FINISHED = frozenset({FAILED, "Succeeded"})
RUNNING = "Running"


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition: whether it holds, and why."""

    status: ConditionStatus
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Rollout:
    """The state of what runs.

    Attributes:
        replicas: that exist, or are about to while nothing stands in the way.
        ready: that answer requests.
        updated: whose engine runs with the current template.
        is_loading: whether an engine runs that does not answer yet.
        is_complete: whether all wanted replicas answer and are of the current template.
        scheduled: finding about nodes.
        available: finding about answers.
        progressing: finding about the rollout.
        worst: the most telling failure of a pod or of making one; None while all goes well.
    """

    replicas: int
    ready: int
    updated: int
    is_loading: bool
    is_complete: bool
    scheduled: Finding
    available: Finding
    progressing: Finding
    worst: Verdict | None


TIME_IS_OVER = Verdict(
    Reason.PROGRESS_DEADLINE_EXCEEDED,
    "No replica became ready in the time that pulling the image and loading the weights"
    " should take. The pods' logs and events show how far they came.",
)


def judge(deployment: Manifest | None, pods: Sequence[Pod], wanted: int, refusal: str) -> Rollout:
    """Judge what runs.

    Args:
        deployment: what runs the replicas, as it lives; None while nothing does.
        pods: of the resource.
        wanted: replicas that shall run.
        refusal: the API server's sentence if it refused a child; empty otherwise.
    """
    current = template_hash_of(deployment)
    size = group_size_of(deployment) if deployment is not None else 1
    members = [pod for pod in pods if not pod.terminating and pod.phase not in FINISHED]
    living = [pod for pod in members if pod.rank == 0]  # a replica is what its leader is
    ready = sum(pod.ready for pod in living)
    updated = [pod for pod in living if pod.plan_hash == current]
    is_complete = (
        len(living) == wanted == sum(pod.ready for pod in updated)
        and len(members) == wanted * size
        and all(pod.phase == RUNNING for pod in members)
        and deployment is not None
    )
    worst = None if is_complete and not refusal else _worst(deployment, pods, current, refusal)
    is_loading = any(pod.phase == RUNNING and not pod.ready for pod in living)
    return Rollout(
        replicas=len(living) if worst else wanted,
        ready=ready,
        updated=sum(pod.phase == RUNNING for pod in updated),
        is_loading=is_loading,
        is_complete=is_complete,
        scheduled=_scheduled(worst, wanted),
        available=_available(ready, wanted, worst, is_loading=is_loading),
        progressing=_progressing(deployment, worst, wanted, is_complete=is_complete),
        worst=worst,
    )


def _worst(
    deployment: Manifest | None, pods: Sequence[Pod], current: str, refusal: str
) -> Verdict | None:
    """Find the most telling failure; pods of the current template are asked first."""
    if refusal:
        return explain_refusal(refusal)
    failure = _condition(deployment, "ReplicaFailure")
    if failure.get("status") == "True":
        return explain_refusal(failure.get("message", ""))
    suspects = [pod for pod in pods if not pod.terminating and not pod.ready]
    if any(pod.plan_hash == current for pod in suspects):
        suspects = [pod for pod in suspects if pod.plan_hash == current]
    if any(pod.phase not in FINISHED for pod in suspects):  # what ended has been replaced
        suspects = [pod for pod in suspects if pod.phase not in FINISHED]
    found = [explained for pod in suspects if (explained := explain_pod(pod)) is not None]
    if found:
        worst = min(found, key=lambda ranked: (ranked[0], ranked[1].message))[1]
        return _with_its_cause(worst, pods)
    return _deadline_exceeded(deployment)


def _with_its_cause(worst: Verdict, pods: Sequence[Pod]) -> Verdict:
    """Say of a pod that finds no node whose place it takes, where that node was lost."""
    lost = {pod.node or "" for pod in pods if pod.terminating and pod.problem == NODE_LOST}
    if worst.reason is not Reason.UNSCHEDULABLE or not lost:
        return worst
    where = ", ".join(sorted(lost))
    return Verdict(worst.reason, f"{worst.message} It replaces one that was lost with {where}.")


def _deadline_exceeded(deployment: Manifest | None) -> Verdict | None:
    progress = _condition(deployment, "Progressing")
    if progress.get("reason") != Reason.PROGRESS_DEADLINE_EXCEEDED.value:
        return None
    return TIME_IS_OVER


def _condition(deployment: Manifest | None, kind: str) -> Mapping[str, str]:
    conditions = (deployment.get("status") or {}).get("conditions") if deployment else None
    return next((c for c in conditions or () if c["type"] == kind), {})


WAITS = frozenset({Reason.WAITING_FOR_GROUP, Reason.WAITING_FOR_NODES, Reason.WAITING_FOR_QUEUE})
"""Pods without a node of which nobody is at fault: it comes by itself."""

UNPLACED = frozenset(
    {
        Reason.UNSCHEDULABLE,
        *WAITS,
        Reason.QUOTA_EXCEEDED,
        Reason.LIMIT_RANGE_VIOLATED,
        Reason.POD_SECURITY_DENIED,
        Reason.ADMISSION_DENIED,
        Reason.APPLY_FAILED,
    }
)
"""Failures that keep pods from having a node."""


def _scheduled(worst: Verdict | None, wanted: int) -> Finding:
    if worst is not None and worst.reason in UNPLACED:
        return Finding(ConditionStatus.FALSE, worst)
    noun = "replica has" if wanted == 1 else "replicas have"
    return Finding(
        ConditionStatus.TRUE, Verdict(Reason.SCHEDULED, f"{wanted} {noun} the GPUs of the plan.")
    )


def _available(ready: int, wanted: int, worst: Verdict | None, *, is_loading: bool) -> Finding:
    if ready:
        verb = "answers" if ready == 1 else "answer"
        message = f"{ready} of {wanted} replicas {verb} requests."
        return Finding(ConditionStatus.TRUE, Verdict(Reason.REPLICAS_AVAILABLE, message))
    if worst is not None:
        return Finding(ConditionStatus.FALSE, worst)
    return Finding(ConditionStatus.FALSE, on_its_way(is_loading=is_loading))


def on_its_way(*, is_loading: bool) -> Verdict:
    """Say what replicas that do not answer yet are doing."""
    if is_loading:
        return Verdict(Reason.MODEL_LOADING, "The engine runs and loads the weights.")
    return Verdict(Reason.ROLLOUT_IN_PROGRESS, "Pods are placed and the engine's image is pulled.")


def _progressing(
    deployment: Manifest | None, worst: Verdict | None, wanted: int, *, is_complete: bool
) -> Finding:
    if is_complete:
        noun = "replica runs" if wanted == 1 else "replicas run"
        message = f"{wanted} {noun} the current plan."
        return Finding(ConditionStatus.TRUE, Verdict(Reason.ROLLOUT_COMPLETE, message))
    stuck = _deadline_exceeded(deployment)
    if stuck is not None:
        return Finding(ConditionStatus.FALSE, stuck)
    if worst is not None and worst.reason in UNPLACED - WAITS:
        return Finding(ConditionStatus.FALSE, worst)
    message = "Replicas are being started or replaced."
    return Finding(ConditionStatus.TRUE, Verdict(Reason.ROLLOUT_IN_PROGRESS, message))
