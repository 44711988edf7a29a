"""One namespace of a control plane, as a test uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.controlplane import GPU_RESOURCE
from support.wait import until

if TYPE_CHECKING:
    from support.controlplane import ControlPlane

SECONDS = 30.0
"""Longer than anything here takes on a busy machine; a passing test never waits for it."""


def make_pod(name: str, *, gpus: int = 0, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a Pod of one container; `spec` adds fields such as nodeSelector and tolerations."""
    container: dict[str, Any] = {"name": "engine", "image": "example.invalid/engine"}
    if gpus:
        container["resources"] = {"limits": {GPU_RESOURCE: str(gpus)}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }


def make_deployment(name: str, replicas: int = 1, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a Deployment of pods without GPUs, labelled `app: <name>`."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": make_pod(name)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


class Room:
    """One namespace of a control plane, seen by the administrator."""

    def __init__(self, cluster: ControlPlane, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def kubectl(self, *args: str, text: str | None = None) -> str:
        """Run kubectl in the namespace."""
        return self.cluster.kubectl(f"--namespace={self.namespace}", *args, input=text)

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects as `kubectl apply` does."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", text=json.dumps(items))

    def get(self, *args: str) -> dict[str, Any]:
        """Return one object, or the list of a kind."""
        namespace = f"--namespace={self.namespace}"
        document: dict[str, Any] = self.cluster.kubectl_json(namespace, "get", *args)
        return document

    def names(self, kind: str) -> list[str]:
        """Return the names of all objects of a kind."""
        return [item["metadata"]["name"] for item in self.get(kind)["items"]]

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """Return a condition of a pod, empty when it has none of that kind."""
        conditions = self.get("pod", name)["status"].get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def await_unscheduled(self, name: str, because: str) -> None:
        """Wait until the scheduler says why it cannot bind a pod."""
        until(
            lambda: because in self.condition(name, "PodScheduled").get("message", ""),
            SECONDS,
            lambda: f"{name} should wait for {because!r}: {self.condition(name, 'PodScheduled')}",
        )

    def await_ready(self, name: str) -> dict[str, Any]:
        """Wait until a pod is Ready and return it."""
        until(
            lambda: self.condition(name, "Ready").get("status") == "True",
            SECONDS,
            lambda: f"pod {name} should be Ready: {self.get('pod', name)['status']}",
        )
        return self.get("pod", name)

    def await_rollout(self, deployment: str) -> None:
        """Wait until every pod of a Deployment is Ready."""
        self.kubectl("rollout", "status", f"deployment/{deployment}", f"--timeout={SECONDS:.0f}s")

    def ready_addresses(self) -> list[str]:
        """Return the addresses of all ready endpoints of the namespace's Services."""
        return [
            address
            for piece in self.get("endpointslices")["items"]
            for endpoint in piece["endpoints"] or []
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        ]
