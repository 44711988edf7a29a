"""Qwen3Deployments in a namespace, as a test applies, watches and counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.resources import resource
from support.wait import until

if TYPE_CHECKING:
    from support.room import Room

SECONDS = 60.0
"""Longer than anything here takes on a busy machine; a passing test never waits for it."""

OWNER = "serving.qwen3.dev/deployment"

SMALL = "maxModelLen: 8192\nquantization: bf16\n"
"""With the 0.6B variant: fits on any GPU."""


class Models:
    """The resources of one namespace and their children."""

    def __init__(self, room: Room) -> None:
        self.room = room

    def apply(self, name: str, spec: str = SMALL, variant: str = "Qwen3-0.6B") -> None:
        """Apply a resource; `spec` is YAML beside the variant."""
        self.room.apply(resource(spec, name=name, variant=variant))

    def delete(self, name: str) -> None:
        """Delete a resource."""
        self.room.kubectl("delete", "q3d", name, "--wait=false")

    def delete_all(self) -> None:
        """Delete every resource and wait until nothing of them is left."""
        names = self.room.names("q3d")
        self.room.kubectl("delete", "q3d", "--all", f"--timeout={SECONDS:.0f}s")
        for name in names:
            self.await_gone(name)

    def get(self, name: str) -> dict[str, Any]:
        """Return the resource."""
        return self.room.get("q3d", name)

    def status(self, name: str) -> dict[str, Any]:
        """Return its status, empty while there is none."""
        status: dict[str, Any] = self.get(name).get("status", {})
        return status

    def condition(self, name: str, kind: str) -> dict[str, str]:
        """Return one of its conditions, empty while there is none."""
        conditions = self.status(name).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def await_condition(
        self, name: str, kind: str, status: str, reason: str | None = None
    ) -> dict[str, str]:
        """Wait until a condition judges the present specification so; return it."""

        def found() -> dict[str, str] | None:
            body = self.get(name)
            if body.get("status", {}).get("observedGeneration") != body["metadata"]["generation"]:
                return None
            condition = self.condition(name, kind)
            fits = condition.get("status") == status and reason in (None, condition["reason"])
            return condition if fits else None

        wanted = f"{kind}={status}" + (f" because {reason}" if reason else "")
        return until(
            found,
            SECONDS,
            lambda: f"{name} should have {wanted}: {self.status(name)}",
            interval=0.2,
        )

    def await_ready(self, name: str) -> None:
        """Wait until it is Ready."""
        self.await_condition(name, "Ready", "True")

    def pods(self, name: str) -> list[dict[str, Any]]:
        """Return its pods that are not being deleted."""
        items = self.room.get("pods", f"--selector={OWNER}={name}")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def nodes(self, name: str) -> list[str]:
        """Return the nodes of its pods, sorted."""
        return sorted(pod["spec"].get("nodeName", "") for pod in self.pods(name))

    def children(self, name: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what runs it and its Services by (kind, name)."""
        kinds = "deployments,statefulsets,services"
        items = self.room.get(kinds, f"--selector={OWNER}={name}")["items"]
        return {(item["kind"], item["metadata"]["name"]): item for item in items}

    def await_gone(self, name: str) -> None:
        """Wait until neither children nor pods of it are left."""
        until(
            lambda: not self.children(name) and not self._all_pods(name),
            SECONDS,
            lambda: f"{name} left {list(self.children(name))} and {self._all_pods(name)}",
            interval=0.2,
        )

    def events(self, name: str) -> list[tuple[str, str]]:
        """Return (type, reason) of the Events about it."""
        items = self.room.get("events.events.k8s.io")["items"]
        return [
            (item["type"], item["reason"])
            for item in items
            if item["regarding"]["kind"] == "Qwen3Deployment" and item["regarding"]["name"] == name
        ]

    def _all_pods(self, name: str) -> list[str]:
        items = self.room.get("pods", f"--selector={OWNER}={name}")["items"]
        return [pod["metadata"]["name"] for pod in items]
