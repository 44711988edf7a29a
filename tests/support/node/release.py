"""The chart's release on a control plane with real nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.operator import CHART, RELEASE

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane

    from .images import Image

NAMESPACE = "qwen3-system"

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"

UNCOUNTED = ("events", "ipaddresses")

CRD = "qwen3deployments.serving.qwen3.dev"


def make_namespace(cluster: ControlPlane, name: str) -> None:
    """Make a namespace of Pod Security level restricted, with what controllers put into each."""
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, RESTRICTED)
    made = ("serviceaccount/default", "configmap/kube-root-ca.crt")
    cluster.kubectl("wait", f"--namespace={name}", "--for=create", "--timeout=60s", *made)


def install(
    cluster: ControlPlane,
    operator_image: Image,
    *,
    chart: Path = CHART,
    **values: Any,  # noqa: ANN401 - YAML
) -> None:
    """Install or upgrade the release and wait until its pod is ready.

    Args:
        cluster: on which.
        operator_image: which operator.
        chart: a folder or a package.
        values: of the chart; nothing is kept of those that the release had.
    """
    repository, _, tag = operator_image.name.rpartition(":")
    every = {**values, "image": {"repository": repository, "tag": tag}}
    cluster.helm(
        *("upgrade", "--install", RELEASE, chart, f"--namespace={NAMESPACE}"),
        *("--wait", "--timeout=360s", "--reset-values", "--values=-"),
        input=json.dumps(every),
    )


def uninstall(cluster: ControlPlane) -> None:
    """Uninstall the release and wait until its objects are gone."""
    cluster.helm("uninstall", RELEASE, f"--namespace={NAMESPACE}", "--wait", "--timeout=360s")


def operator_pods(cluster: ControlPlane) -> list[dict[str, Any]]:
    """Return the operator's pods, those that end, too."""
    pods: list[dict[str, Any]] = cluster.kubectl_json(
        *("get", "pods", f"--namespace={NAMESPACE}"),
        f"--selector=app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component=operator",
    )["items"]
    return pods


def operator_log(cluster: ControlPlane, pod: str, lines: int = -1) -> str:
    """Return what an operator's pod has said; the last lines of it, or all."""
    return cluster.kubectl("logs", f"--namespace={NAMESPACE}", pod, f"--tail={lines}")


def leader(cluster: ControlPlane) -> str:
    """Return the name of the pod that holds the operator's Lease; empty while nobody does."""
    return cluster.kubectl(
        *("get", "lease", RELEASE, f"--namespace={NAMESPACE}", "--ignore-not-found"),
        "--output=jsonpath={.spec.holderIdentity}",
    )


def everything(cluster: ControlPlane) -> set[str]:
    """Return all objects of all kinds, as ``apps/v1 Deployment team/qwen3``.

    But no Events, which go by themselves, and no IPAddresses, which are those of Services.
    """
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--cached=false", "--output=name")
    wanted = [kind for kind in kinds.split() if kind.partition(".")[0] not in UNCOUNTED]
    line = '{.apiVersion} {.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}'
    listed = cluster.kubectl(
        *("get", ",".join(wanted), "--all-namespaces", "--ignore-not-found"),
        f"--output=jsonpath={{range .items[*]}}{line}{{end}}",
    )
    return set(listed.splitlines())
