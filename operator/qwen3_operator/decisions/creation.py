"""Pods that a controller cannot make: which of its complaints still counts.

Deployments say it in a condition of theirs (ReplicaFailure). StatefulSets, LeaderWorkerSets and
Jobs say it in an Event only, and an Event stays for an hour, whatever happens meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qwen3_operator.observed import CreationFailure, Manifest, Pod

    Dated = tuple[str, Pod]
    """When a pod was created, RFC 3339, and the pod."""

FINISHED = frozenset({"Failed", "Succeeded"})

SECONDS = len("2026-11-23T10:00:00")
"""Of a time in RFC 3339; what follows is fractions, which not every writer gives."""


def creation_failure(
    children: Mapping[tuple[str, str], Manifest],
    pods: Sequence[Dated],
    failures: Iterable[CreationFailure],
) -> str:
    """Return the sentence of the controller that cannot make pods of a child; empty if none.

    It counts while the child has fewer pods than it should and none that is newer.

    Args:
        children: live objects by (kind, name).
        pods: of the resource.
        failures: of the namespace.
    """
    told = list(failures)
    for (kind, name), child in sorted(children.items()):
        about = [failure for failure in told if _is_about(failure, kind, name)]
        if not about:
            continue
        own = [(made, pod) for made, pod in pods if _is_made_for(pod, kind, name)]
        if sum(_stays(pod) for _, pod in own) < _pods_wanted(kind, child):
            sentence = newest(about, (made for made, _ in own))
            if sentence:
                return sentence
    return ""


def newest(failures: Iterable[CreationFailure], made: Iterable[str]) -> str:
    """Return the last complaint, unless a pod was made after it."""
    last = max(failures, key=lambda failure: failure.at, default=None)
    if last is None or last.at[:SECONDS] < max(made, default="")[:SECONDS]:
        return ""
    return last.message


def _is_about(failure: CreationFailure, kind: str, name: str) -> bool:
    """Whether it is about the child, or what the child is made of.

    The groups of a LeaderWorkerSet are StatefulSets: one of its name for the leaders, and one of
    its name with a number for the workers of each.
    """
    if failure.name == name:
        return failure.kind == kind or (kind, failure.kind) == ("LeaderWorkerSet", "StatefulSet")
    prefix, _, number = failure.name.rpartition("-")
    return (
        (kind, failure.kind) == ("LeaderWorkerSet", "StatefulSet")
        and prefix == name
        and number.isdecimal()
    )


def _is_made_for(pod: Pod, kind: str, name: str) -> bool:
    """Whether a pod is a child's, by its name: those of a StatefulSet end in their number alone."""
    prefix, _, number = pod.name.rpartition("-")
    if kind == "StatefulSet":
        return prefix == name and number.isdecimal()
    return pod.name.startswith(f"{name}-")


def _stays(pod: Pod) -> bool:
    return not pod.terminating and pod.phase not in FINISHED


def _pods_wanted(kind: str, child: Manifest) -> int:
    spec = child.get("spec") or {}
    replicas = int(spec.get("replicas", 1))
    if kind == "LeaderWorkerSet":
        return replicas * int((spec.get("leaderWorkerTemplate") or {}).get("size", 1))
    return replicas if kind == "StatefulSet" else 0
