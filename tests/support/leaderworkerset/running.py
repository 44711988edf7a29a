"""Run the controller beside a control plane: definitions and webhooks in, all of it out again."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from support.controlplane import BackgroundProcess
from support.controlplane.health import answers_ok
from support.ports import free_port
from support.wait import until

from .building import find_or_build

if TYPE_CHECKING:
    from types import TracebackType

    from support.controlplane import ControlPlane

    from .building import Built

START_SECONDS = 90.0

DEFINITION = "leaderworkersets.leaderworkerset.x-k8s.io"

OF_SETS = {"matchExpressions": [{"key": "leaderworkerset.sigs.k8s.io/name", "operator": "Exists"}]}
"""Pods of LeaderWorkerSets, as the project's own installation selects them."""


class LeaderWorkerSets:
    """LeaderWorkerSet as if it were installed; a context manager.

    The webhooks serve with the API server's own certificate, which is made out to its address.
    """

    def __init__(self, cluster: ControlPlane, built: Built | None = None) -> None:
        """Prepare; nothing runs yet."""
        self._cluster = cluster
        self._built = built or find_or_build()
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-lws-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._process: BackgroundProcess | None = None

    def __enter__(self) -> Self:
        cluster = self._cluster
        cluster.kubectl("apply", "--server-side", "-f", self._built.definitions)
        cluster.commands().await_established(DEFINITION)
        port, health = free_port(), free_port()
        self._process = BackgroundProcess(
            "lws",
            [
                str(self._built.program),
                f"--config={self._configuration(port, health)}",
                f"--kubeconfig={cluster.kubeconfig}",
            ],
            self._folder / "lws.log",
        )
        until(
            lambda: self._is_ready(f"http://127.0.0.1:{health}/readyz"),
            START_SECONDS,
            lambda: f"LeaderWorkerSet is not ready:\n{self._running.tail()}",
        )
        webhooks = {"apiVersion": "v1", "kind": "List", "items": self._webhooks(port)}
        cluster.kubectl("apply", "-f", "-", input=json.dumps(webhooks))
        until(self._defaults, START_SECONDS, lambda: f"no webhooks:\n{self._running.tail()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration"
        self._cluster.kubectl("delete", kinds, "lws", "--ignore-not-found")
        self._cluster.kubectl(
            "delete", "-f", self._built.definitions, "--ignore-not-found", "--timeout=60s"
        )
        if self._process is not None:
            self._process.stop()

    @property
    def _running(self) -> BackgroundProcess:
        if self._process is None:
            raise RuntimeError("LeaderWorkerSet was not started")
        return self._process

    def _is_ready(self, url: str) -> bool:
        self._running.check()
        return answers_ok(url)

    def _defaults(self) -> bool:
        """Whether the API server asks the webhook: it fills in what the definition leaves open."""
        container = {"name": "engine", "image": "example.invalid/engine"}
        template = {"spec": {"containers": [container]}}
        probe = {
            "apiVersion": "leaderworkerset.x-k8s.io/v1",
            "kind": "LeaderWorkerSet",
            "metadata": {"name": "probe", "namespace": "default"},
            "spec": {"leaderWorkerTemplate": {"workerTemplate": template}},
        }
        made = self._cluster.kubectl_json(
            "create", "--dry-run=server", "-f", "-", input=json.dumps(probe)
        )
        return bool(made["spec"].get("networkConfig"))

    def _configuration(self, port: int, health: int) -> Path:
        layout = self._cluster.layout
        shutil.copyfile(layout.certificate, self._folder / "tls.crt")
        shutil.copyfile(layout.certificate_key, self._folder / "tls.key")
        path = self._folder / "configuration.yaml"
        document = {
            "apiVersion": "config.lws.x-k8s.io/v1alpha1",
            "kind": "Configuration",
            "leaderElection": {"leaderElect": False},
            "internalCertManagement": {"enable": False},
            "webhook": {"host": layout.address, "port": port, "certDir": str(self._folder)},
            "metrics": {"bindAddress": "0"},
            "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def _webhooks(self, port: int) -> list[dict[str, Any]]:
        """Return the configurations of config/webhook in the module, with a loopback URL."""
        authority = base64.b64encode(self._cluster.layout.certificate.read_bytes()).decode()

        def webhook(
            name: str, path: str, *, of_pods: bool, operations: list[str]
        ) -> dict[str, Any]:
            group = "" if of_pods else "leaderworkerset.x-k8s.io"
            resource = "pods" if of_pods else "leaderworkersets"
            return {
                "name": name,
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {
                    "url": f"https://{self._cluster.layout.address}:{port}/{path}",
                    "caBundle": authority,
                },
                **({"objectSelector": OF_SETS} if of_pods else {}),
                "rules": [
                    {
                        "apiGroups": [group],
                        "apiVersions": ["v1"],
                        "operations": operations,
                        "resources": [resource],
                    }
                ],
            }

        own = "leaderworkerset-x-k8s-io-v1-leaderworkerset"
        both = ["CREATE", "UPDATE"]
        kinds = {
            "MutatingWebhookConfiguration": [
                webhook("mlws.kb.io", f"mutate-{own}", of_pods=False, operations=both),
                webhook("mpod.kb.io", "mutate--v1-pod", of_pods=True, operations=["CREATE"]),
            ],
            "ValidatingWebhookConfiguration": [
                webhook("vlws.kb.io", f"validate-{own}", of_pods=False, operations=both),
            ],
        }
        return [
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": "lws"},
                "webhooks": webhooks,
            }
            for kind, webhooks in kinds.items()
        ]
