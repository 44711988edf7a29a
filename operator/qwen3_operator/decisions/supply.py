"""Whether the weights can reach the pods, and why not: the condition ModelCached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus
from qwen3_planner.engines.sources import is_on_volume

if TYPE_CHECKING:
    from collections.abc import Collection

    from qwen3_operator.observed import Node

KUBELET_SINCE = (1, 33)
"""First kubelet whose image volumes may be switched on without alpha features; on by default from
1.35. https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/ (read 2026-11-23)."""

RUNTIMES_SINCE = {"containerd": (2, 1), "cri-o": (1, 31)}
"""First versions that mount an image as a volume. Source: the same page and its feature blog."""

_VERSION = re.compile(r"v?([0-9]+)[.]([0-9]+)")


@dataclass(frozen=True, slots=True)
class Way:
    """How weights are to reach pods that share no cache.

    Attributes:
        source: of the plan.
        image: that is mounted with the weights; empty: none.
        missing_claim: claim that is to be mounted and does not exist; empty: none.
        host_path: folder of the node that the operator's settings do not allow; empty: none.
        host_path_folders: in which they would allow one; empty: nowhere.
        nodes: to which the pods may go.
        is_offline: whether nothing may be fetched from hubs.
    """

    source: str
    image: str = ""
    missing_claim: str = ""
    host_path: str = ""
    host_path_folders: tuple[str, ...] = ()
    nodes: Collection[Node] = ()
    is_offline: bool = False


def judge_source(way: Way) -> Finding:
    """Judge how weights are to reach the pods."""
    if way.missing_claim:
        return _refused(
            Reason.CLAIM_NOT_FOUND,
            f"The PersistentVolumeClaim {way.missing_claim} does not exist in this namespace."
            " Create it; the model then starts by itself.",
        )
    why = image_volumes_refused(way.nodes) if way.image else ""
    if why:
        return _refused(
            Reason.IMAGE_VOLUME_UNSUPPORTED,
            f"{way.image} is mounted as an image volume, which no node of the pool can do: {why}."
            " Upgrade them, or take the weights from a claim (pvc://) or a hub.",
        )
    if way.image or is_on_volume(way.source):
        told = f"{way.image or way.source} is mounted complete; nothing is fetched."
        return holds(Reason.WEIGHTS_MOUNTED, told)
    if way.host_path:
        return _refused(Reason.HOST_PATH_NOT_ALLOWED, _why_no_folder(way))
    if way.is_offline:
        return _refused(
            Reason.HUB_OFFLINE,
            f"{way.source} is on a hub, and the operator's setting offline forbids fetching from"
            " hubs. Take the weights from a claim (pvc://) or an image (oci://).",
        )
    return holds(Reason.FETCHED_BY_PODS, f"Each pod fetches {way.source} when it starts.")


def _why_no_folder(way: Way) -> str:
    if way.host_path_folders:
        return (
            f"spec.cache.hostPath ({way.host_path}) lies in none of the folders that the operator's"
            f" setting hostPathFolders names: {', '.join(way.host_path_folders)}."
        )
    return (
        f"spec.cache.hostPath ({way.host_path}) is switched off by the operator's setting"
        " allowHostPath. Take spec.cache.persistentVolumeClaim, or have it switched on."
    )


def holds(reason: Reason, message: str) -> Finding:
    """Say that the weights reach the pods."""
    return Finding(ConditionStatus.TRUE, Verdict(reason, message))


def _refused(reason: Reason, message: str) -> Finding:
    return Finding(ConditionStatus.FALSE, Verdict(reason, message))


def image_volumes_refused(nodes: Collection[Node]) -> str:
    """Say why no node can mount an image; empty where one can, or does not say what it runs."""
    reasons = sorted({_why_not(node) for node in nodes})
    return "" if not reasons or "" in reasons else "; ".join(reasons)


def _why_not(node: Node) -> str:
    kubelet = _version(node.kubelet)
    if kubelet is not None and kubelet < KUBELET_SINCE:
        return f"kubelet {node.kubelet} is older than {_dotted(KUBELET_SINCE)}"
    name, _, version = node.runtime.partition("://")
    since, has = RUNTIMES_SINCE.get(name), _version(version)
    if since is not None and has is not None and has < since:
        return f"{name} {version} is older than {_dotted(since)}"
    return ""


def _version(text: str) -> tuple[int, int] | None:
    """Read the first two numbers of a version.

    >>> _version("v1.37.2"), _version("2.1.4-k3s1"), _version("")
    ((1, 37), (2, 1), None)
    """
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2])) if match else None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
