"""A user's namespace on real nodes: what it applies, and what its models answer."""

from __future__ import annotations

import json
import secrets
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from support.room import Room
from support.wait import until

from .claims import claim_of_folder
from .client import Client
from .release import make_namespace
from .tiny import CLAIM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane

    from .supply import Supplies

READY_SECONDS = 900.0
"""Longer than two engines need to start on two busy cores; a passing test never waits for it."""

ROUTE_SECONDS = 30.0


class Team(Room):
    """One namespace, as its user sees it."""

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a Qwen3Deployment, empty while there is none."""
        return dict(self.get("q3d", name).get("status") or {})

    def condition_of(self, name: str, kind: str) -> dict[str, str]:
        """Return a condition of a Qwen3Deployment that judges its present specification."""
        body = self.get("q3d", name)
        status = body.get("status") or {}
        if status.get("observedGeneration") != body["metadata"]["generation"]:
            return {}
        return next((one for one in status["conditions"] if one["type"] == kind), {})

    def await_ready(self, name: str, seconds: float = READY_SECONDS) -> dict[str, Any]:
        """Wait until a Qwen3Deployment is Ready; return its status.

        Raises:
            WaitTimeoutError: with its status, its pods, and what its engines said.
        """
        until(
            lambda: self.condition_of(name, "Ready").get("status") == "True",
            seconds,
            lambda: self.told(name),
            interval=1,
        )
        # kube-proxy learns of a ready pod on its own, a moment before the operator does or after
        until(lambda: self._connects(name), ROUTE_SECONDS, lambda: self.told(name), interval=0.2)
        return self.status(name)

    def _connects(self, name: str) -> bool:
        host, _, port = self.address(name).rpartition(":")
        try:
            socket.create_connection((host, int(port)), ROUTE_SECONDS).close()
        except OSError:
            return False
        return True

    def told(self, name: str) -> str:
        """Return all there is to know about a Qwen3Deployment that is not as it should be."""
        selector = f"serving.qwen3.dev/deployment={name}"
        pods = self.kubectl("get", "pods", "--output=wide", f"--selector={selector}")
        events = self.kubectl("get", "events", "--sort-by=.lastTimestamp")
        logs = self.kubectl(
            *("logs", f"--selector={selector}", "--all-containers", "--tail=80", "--prefix")
        )
        conditions = json.dumps(self.status(name).get("conditions"), indent=1)
        return f"{conditions}\n{pods}\n{events[-3000:]}\n{logs}"

    def pods(self, name: str) -> list[dict[str, Any]]:
        """Return the pods of a Qwen3Deployment that are not being deleted."""
        items = self.get("pods", f"--selector=serving.qwen3.dev/deployment={name}")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def address(self, name: str) -> str:
        """Return host:port of a Service."""
        return self.kubectl(
            *("get", "service", name),
            "--output=jsonpath={.spec.clusterIP}:{.spec.ports[0].port}",
        )

    def end_models(self) -> None:
        """Remove all models, and wait for their pods to end."""
        # pods first: what time they have is settled when their end begins, and nobody waits for
        # answers any more
        self.kubectl("delete", "pods", "--all", "--grace-period=5", "--wait=false")
        self.kubectl("delete", "q3d", "--all", "--timeout=120s")
        self.kubectl("delete", "pods", "--all", "--grace-period=5", "--timeout=120s")

    def message(self, name: str, **more: object) -> dict[str, Any]:
        """Ask a question over the Service; return the answer's message."""
        message: dict[str, Any] = Client(self.address(name)).choice(**more)["message"]
        return message

    def stream(self, name: str, **more: object) -> Iterator[dict[str, Any]]:
        """Ask a question over the Service; yield the pieces as they come."""
        return Client(self.address(name)).stream(**more)


@contextmanager
def new_team(cluster: ControlPlane, supplies: Supplies) -> Iterator[Team]:
    """Make a user's namespace, restricted, with the models in a claim; in the end it goes."""
    name = f"team-{secrets.token_hex(4)}"
    make_namespace(cluster, name)
    team = Team(cluster, name)
    team.apply(*claim_of_folder(CLAIM, name, supplies.models))
    try:
        yield team
    finally:
        team.end_models()
        cluster.kubectl("delete", "namespace", name, "--wait=false")
