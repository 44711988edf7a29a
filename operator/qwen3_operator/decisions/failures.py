"""What is wrong with a pod, or why it could not even be made: sentences to verdicts with a fix."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.decisions.adapters import brings_no_adapter
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.observed import KUEUE_GATE, WAITING_FOR_GROUP, WAITING_FOR_NODES
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_operator.observed import Node, Pod

FAILED = "Failed"
"""Phase of a pod that ended and will not be restarted."""

NODE_LOST = "NodeLost"
PROBE_TIMEOUT = "ProbeTimeout"
"""Problems that Kubernetes has no waiting reason for: :mod:`qwen3_operator.cluster.reducing` and
:mod:`qwen3_operator.cluster.caches` tell them from times and nodes."""

IMAGE_PROBLEMS = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""Waiting reasons of the kubelet about images (k8s.io/kubernetes@v1.37.2 pkg/kubelet/images/
types.go, read 2026-11-23)."""

CONFIG_PROBLEMS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "PreCreateHookError"}
)
"""Waiting reasons about what the container refers to."""

START_PROBLEMS = frozenset({"CrashLoopBackOff", "Error", "RunContainerError", "StartError"})
"""The engine's process ended, or did not start."""

POD_NAME = re.compile(r'pods? "[^"]*"')
"""Names of pods end in random letters; a sentence that is repeated must stay the same."""

PREAMBLE = re.compile(
    r"^(?:Error creating: |create \w+ \S+ in StatefulSet \S+ failed error: )", re.IGNORECASE
)
"""What controllers put before the API server's sentence (k8s.io/kubernetes@v1.37.2 pkg/controller/
controller_utils.go and pkg/controller/statefulset/stateful_pod_control.go, read 2026-11-23)."""


def has_no_image(pod: Pod) -> Verdict | None:
    """The image cannot be pulled."""
    if pod.problem not in IMAGE_PROBLEMS:
        return None
    return _about(
        pod, Reason.IMAGE_PULL_ERROR, "Check spec.engine.image and spec.imagePullSecrets."
    )


def refers_to_nothing(pod: Pod) -> Verdict | None:
    """A Secret, ConfigMap or key that the pod refers to is missing."""
    if pod.problem not in CONFIG_PROBLEMS:
        return None
    return _about(
        pod, Reason.CONTAINER_CONFIG_ERROR, "Create what is missing; the pod then starts by itself."
    )


def ran_out_of_memory(pod: Pod) -> Verdict | None:
    """The container was killed for its host memory."""
    if pod.problem != "OOMKilled":
        return None
    return Verdict(
        Reason.CONTAINER_OOM_KILLED,
        pod.problem_message
        or "The container used more host memory than its limit and was killed."
        " Raise spec.resources.limits.memory.",
    )


def does_not_answer(pod: Pod) -> Verdict | None:
    """The engine does not answer its probes in time."""
    if pod.problem != PROBE_TIMEOUT:
        return None
    fix = "Its log says how far it came: kubectl logs, with --previous for the last run."
    return Verdict(Reason.PROBE_TIMEOUT, f"{pod.problem_message.rstrip('.')}. {fix}")


def is_on_a_lost_node(pod: Pod) -> Verdict | None:
    """The node does not answer, so nothing else that is known of the pod counts."""
    if pod.problem != NODE_LOST:
        return None
    return Verdict(
        Reason.NODE_LOST,
        f"{pod.problem_message.rstrip('.')}. Kubernetes replaces the replica when that lasts five"
        " minutes, where GPUs are free; it comes back by itself if the node does.",
    )


def was_evicted(pod: Pod) -> Verdict | None:
    """The node put the pod out."""
    if pod.problem != "Evicted":
        return None
    return _about(
        pod, Reason.POD_EVICTED, "spec.resources.requests reserves more of it from the start."
    )


def crashes(pod: Pod) -> Verdict | None:
    """The engine exits again and again."""
    if pod.problem not in START_PROBLEMS:
        return None
    return _about(
        pod,
        Reason.CONTAINER_CRASH_LOOP_BACK_OFF,
        "The engine's log has the rest: kubectl logs, with --previous for the last run.",
    )


def ended(pod: Pod) -> Verdict | None:
    """The pod failed for another reason (the node refused it, was shut down, was lost)."""
    return _about(pod, Reason.POD_FAILED, "") if pod.phase == FAILED else None


def waits_for_a_node(pod: Pod) -> Verdict | None:
    """No node of today takes the pod, but its pool can grow."""
    if pod.problem != WAITING_FOR_NODES:
        return None
    return Verdict(Reason.WAITING_FOR_NODES, f"{pod.problem_message.rstrip('.')}.")


def waits_in_a_queue(pod: Pod) -> Verdict | None:
    """Kueue holds the pod back."""
    if pod.node is not None or KUEUE_GATE not in pod.gates:
        return None
    return Verdict(
        Reason.WAITING_FOR_QUEUE,
        "Kueue holds pods back until their queue has quota for them; kubectl get workloads tells"
        " where they stand.",
    )


def waits_for_its_group(pod: Pod) -> Verdict | None:
    """Another pod of the same replica finds no node, so this one may not look for its own."""
    if pod.problem != WAITING_FOR_GROUP:
        return None
    return Verdict(Reason.WAITING_FOR_GROUP, pod.problem_message)


def finds_no_node(pod: Pod) -> Verdict | None:
    """The scheduler finds no node."""
    if pod.problem not in ("Unschedulable", "SchedulingGated"):
        return None
    return _about(pod, Reason.UNSCHEDULABLE, "")


def is_stuck_otherwise(pod: Pod) -> Verdict | None:
    """The pod names a problem that is none of the above."""
    return _about(pod, Reason.POD_FAILED, "") if pod.problem else None


POD_FAILURES: tuple[Callable[[Pod], Verdict | None], ...] = (
    is_on_a_lost_node,  # what the node said before it fell silent is old
    has_no_image,  # somebody has to act: the name, or the right to pull
    refers_to_nothing,  # somebody has to act: a Secret is missing
    ran_out_of_memory,  # somebody has to act: the limit
    brings_no_adapter,  # somebody has to act: the adapter, or its rank
    does_not_answer,  # somebody has to look: the log
    crashes,  # somebody has to look: the log
    waits_in_a_queue,  # its quotas decide
    waits_for_its_group,  # starts by itself
    waits_for_a_node,  # nodes are provisioned
    finds_no_node,  # the cluster changed under us
    was_evicted,  # replaced by itself, may come again
    ended,  # replaced by itself
    is_stuck_otherwise,  # never stay silent
)
"""What may be wrong with a pod, the most telling first."""


def on_its_node(pod: Pod, node: Node | None) -> Pod:
    """Return a pod as it is told of: one whose node is NotReady or gone is lost with it.

    Args:
        pod: as its kubelet said last.
        node: that it is bound to; None where there is none of that name any more.
    """
    if pod.node is None or (node is not None and node.ready):
        return pod
    what = "is gone" if node is None else "is NotReady: its kubelet does not answer"
    message = f"The node {pod.node} {what}"
    return replace(pod, ready=False, problem=NODE_LOST, problem_message=message)


def explain_pod(pod: Pod) -> tuple[int, Verdict] | None:
    """Return what is wrong with a pod and how telling that is (less is more); None if nothing."""
    for rank, rule in enumerate(POD_FAILURES):
        verdict = rule(pod)
        if verdict is not None:
            return rank, verdict
    return None


def _about(pod: Pod, reason: Reason, fix: str) -> Verdict:
    what = f"{pod.problem}: {pod.problem_message}" if pod.problem_message else pod.problem
    sentence = f"{(what or pod.phase).rstrip('.')}."
    return Verdict(reason, f"{sentence} {fix}".rstrip())


REFUSALS: tuple[tuple[str, Reason, str], ...] = (
    (
        "must specify a volume type",
        Reason.IMAGE_VOLUME_UNSUPPORTED,
        "The API server does not know image volumes; take the weights from a claim or a hub.",
    ),
    ("exceeded quota", Reason.QUOTA_EXCEEDED, "Raise the quota or free some of it."),
    ("violates podsecurity", Reason.POD_SECURITY_DENIED, "Use a namespace that allows it."),
    ("usage per container is", Reason.LIMIT_RANGE_VIOLATED, "spec.resources can be set to fit."),
    ("usage per pod is", Reason.LIMIT_RANGE_VIOLATED, "spec.resources can be set to fit."),
    ("limit to request ratio", Reason.LIMIT_RANGE_VIOLATED, "spec.resources can be set to fit."),
    ("admission webhook", Reason.ADMISSION_DENIED, ""),
    ("validatingadmissionpolicy", Reason.ADMISSION_DENIED, ""),
    ("is forbidden", Reason.ADMISSION_DENIED, ""),
)
"""Words of the API server's sentences (plugin/pkg/admission/{resourcequota,limitranger,security/
podsecurity}, apiserver pkg/admission, k8s.io/*@v0.37.2), in lower case, with reason and fix."""


def explain_refusal(sentence: str) -> Verdict:
    """Turn the API server's refusal of a child or pod into a verdict; its sentence is repeated.

    >>> explain_refusal('pods "a-x7f" is forbidden: exceeded quota: gpus').reason.value
    'QuotaExceeded'
    """
    told = POD_NAME.sub("its pod", PREAMBLE.sub("", sentence.strip()))
    lower = told.lower()
    for words, reason, fix in REFUSALS:
        if words in lower:
            return Verdict(reason, f"{told.rstrip('.')}. {fix}".rstrip())
    return Verdict(Reason.APPLY_FAILED, told)
