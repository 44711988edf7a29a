"""A shared cache: may these pods mount it, is it filled, and if not, why and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from qwen3_operator.decisions.failures import explain_pod, explain_refusal
from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.supply import holds
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_operator.observed import Fetcher, Prefetch, Volume

MANY = frozenset({"ReadWriteMany", "ReadOnlyMany"})
"""Access modes for several nodes."""

ONE_POD = "ReadWriteOncePod"

RETRY_FIRST = timedelta(seconds=10)
"""Between a Job that failed and the next, doubled with each: a hub that was down, a Secret that was
mended, a volume that grew are noticed without anybody pressing anything."""

RETRY_MOST = timedelta(minutes=10)
"""The longest pause: what nobody mends costs a pod of a few seconds each time."""

MANY_ATTEMPTS = 16
"""Where doubling ends; the longest pause is reached long before."""

UNBOUND = "unbound immediate persistentvolumeclaims"
"""The scheduler's words for a claim without a volume (k8s.io/kubernetes@v1.37.2 pkg/scheduler/
framework/plugins/volumebinding, read 2026-11-23)."""


@dataclass(frozen=True, slots=True)
class Cache:
    """What is known of the shared cache of one resource.

    Attributes:
        source: of the weights.
        checkpoint_bytes: of them.
        claim: name of the claim.
        job: name of the Job.
        is_made: whether the claim is the operator's to make.
        access_modes: of the claim, or those it will be made with; empty where it does not exist.
        volume: the claim; None where there is none.
        prefetch: the Job; None where there is none.
        fetchers: its pods.
        refusal: the API server's sentence if it refused one of the two; empty otherwise.
        creation_failure: the Job controller's if it cannot make its pods; empty otherwise.
        asked_in: part of the specification that names the source.
    """

    source: str
    checkpoint_bytes: int
    claim: str
    job: str
    is_made: bool
    access_modes: tuple[str, ...]
    volume: Volume | None = None
    prefetch: Prefetch | None = None
    fetchers: Sequence[Fetcher] = ()
    refusal: str = ""
    creation_failure: str = ""
    asked_in: str = "spec.model"


def object_to(cache: Cache, replicas: int, nodes: int) -> Finding | None:
    """Say what speaks against using the claim at all; None if nothing does.

    Args:
        cache: what is known.
        replicas: that shall run.
        nodes: to which their pods may go.
    """
    if cache.volume is None and not cache.is_made:
        message = f"The PersistentVolumeClaim {cache.claim} does not exist in this namespace."
        return _missing(Reason.CLAIM_NOT_FOUND, f"{message} Create it, or leave claimName out.")
    modes = ", ".join(cache.access_modes)
    if ONE_POD in cache.access_modes and replicas > 1:
        message = f"The claim {cache.claim} is {modes}: one pod alone may mount it, and {replicas}"
        return _missing(Reason.ACCESS_MODE_TOO_NARROW, f"{message} replicas are wanted. {_WIDER}")
    others = len(cache.volume.users) - 1 if cache.volume is not None else 0
    if (replicas > 1 or others > 0) and nodes > 1 and not MANY.intersection(cache.access_modes):
        who = f"{replicas} replicas" if replicas > 1 else f"{others + 1} resources"
        return _missing(
            Reason.ACCESS_MODE_TOO_NARROW,
            f"The claim {cache.claim} is {modes}: one node at a time may mount it, and the pods of"
            f" {who} may be on {nodes}. {_WIDER}",
        )
    return None


_WIDER = (
    "Take cache.persistentVolumeClaim.accessModes: [ReadWriteMany] and a storage class that has it,"
    " or narrow the nodes down by spec.nodeSelector."
)


def judge_cache(cache: Cache) -> Finding:
    """Say whether the weights are in the cache."""
    if cache.refusal:
        return Finding(ConditionStatus.FALSE, explain_refusal(cache.refusal))
    job = cache.prefetch
    if job is not None and job.is_complete:
        return holds(
            Reason.WEIGHTS_CACHED, f"The claim {cache.claim} holds {cache.source}, complete."
        )
    if job is not None and job.failure:
        return Finding(ConditionStatus.FALSE, _why_it_failed(cache, job))
    trouble = _trouble(cache)
    if trouble is not None:
        return Finding(ConditionStatus.FALSE, trouble)
    size = f" ({gib(cache.checkpoint_bytes):.1f} GiB)" if cache.checkpoint_bytes else ""
    progress = f"{job.parts_done} of {job.parts} parts" if job is not None else "Nothing yet"
    return _missing(
        Reason.DOWNLOADING,
        f"{progress} of {cache.source}{size} in the claim {cache.claim}; pods start when all is"
        f" there. The Job is {cache.job}.",
    )


def _trouble(cache: Cache) -> Verdict | None:
    """Find what keeps the pod of the Job from running, or from being made."""
    living = [one.pod for one in cache.fetchers if one.exit_code is None]
    if cache.creation_failure and not living:
        verdict = explain_refusal(cache.creation_failure)
        return Verdict(verdict.reason, f"The Job {cache.job}: {verdict.message}")
    for pod in living:
        if UNBOUND in pod.problem_message.lower():
            modes = ", ".join(cache.access_modes)
            return Verdict(
                Reason.CLAIM_NOT_BOUND,
                f"The claim {cache.claim} ({modes}) has no volume yet: no storage class gives it"
                " one. Name one that does in cache.persistentVolumeClaim.storageClassName, or make"
                " a volume.",
            )
        explained = explain_pod(pod)
        if explained is not None:
            verdict = explained[1]
            return Verdict(verdict.reason, f"The Job {cache.job}: {verdict.message}")
    return None


EXITS: dict[int, tuple[Reason, str]] = {
    41: (
        Reason.MODEL_SOURCE_UNAUTHORIZED,
        "Check that {asked_in}.tokenSecretRef names a token with access to {source}.",
    ),
    42: (
        Reason.MODEL_SOURCE_NOT_FOUND,
        "Check {asked_in}.source and {asked_in}.revision: a hub says the same of what is private.",
    ),
    43: (
        Reason.MODEL_TRANSFER_OUT_OF_SPACE,
        "Make room on the claim {claim} or take a larger one: cache.persistentVolumeClaim.size.",
    ),
    44: (
        Reason.MODEL_SOURCE_UNREACHABLE,
        "Check mirror, proxy and network policies of the namespace.",
    ),
}
"""Exit codes of the fetching program (:mod:`qwen3_operator.fetching.problems`)."""

AGAIN = (
    "It is tried again by itself, ever less often, at most ten minutes later; at once when the Job"
    " {job} is deleted."
)


def _why_it_failed(cache: Cache, job: Prefetch) -> Verdict:
    """Name the reason by the last pod's exit code, in its own words."""
    ended = [one for one in cache.fetchers if one.exit_code]
    last = max(ended, key=lambda one: one.created, default=None)
    words = last.last_words.strip() if last else ""
    exit_code = (last.exit_code if last else 0) or 0
    reason, fix = EXITS.get(exit_code, (Reason.DOWNLOAD_FAILED, ""))
    told = f"{fix} {AGAIN}".strip()
    told = told.format(
        source=cache.source, claim=cache.claim, job=cache.job, asked_in=cache.asked_in
    )
    return Verdict(reason, f"{(words or job.failure).rstrip('.')}. {told}")


def retry_in_s(cache: Cache, made_of: str, attempts: int, now: datetime) -> float | None:
    """Say when the failed Job is to be deleted, so that another is made; None: there is none.

    One that would be made otherwise now (another token, another mirror) is tried at once.

    Args:
        cache: what is known.
        made_of: fingerprint of the Job that would be made now.
        attempts: that failed before this one.
        now: the present.
    """
    job = cache.prefetch
    if job is None or not job.failure or job.is_going:
        return None
    if job.made_of != made_of:
        return 0.0
    failed_at = datetime.strptime(job.failed_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    pause = min(RETRY_MOST, RETRY_FIRST * (1 << min(attempts, MANY_ATTEMPTS)))
    return max(0.0, (failed_at + pause - now).total_seconds())


def _missing(reason: Reason, message: str) -> Finding:
    return Finding(ConditionStatus.FALSE, Verdict(reason, message))
