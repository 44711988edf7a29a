"""Pods for a Prometheus that was built without the discovery of Kubernetes, as Debian's is.

They are told by a file, under the labels that `kubernetes_sd_configs` of role pod would give them
(https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod, read 2026-11-23);
what is made of these is up to the rules that follow, which are those of our documentation.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import weakref
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Self

from support.controlplane import CommandError

if TYPE_CHECKING:
    from types import TracebackType

    from support.controlplane import ControlPlane

INTERVAL_S = 2.0
"""Between two looks at the pods."""


class Discovery:
    """A file of targets that is kept up to date until the end of a `with` block.

    Attributes:
        config: of Prometheus, to take the place of `kubernetes_sd_configs`.
    """

    def __init__(self, cluster: ControlPlane) -> None:
        self._cluster = cluster
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-discovery-"))
        weakref.finalize(self, rmtree, self._folder, ignore_errors=True)
        self._file = self._folder / "pods.json"
        self.config = {"file_sd_configs": [{"files": [str(self._file)], "refresh_interval": "5s"}]}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="discovery")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.is_set():
            try:
                pods = self._cluster.kubectl_json("get", "pods", "--all-namespaces")["items"]
            except CommandError:
                continue  # a busy machine; the next look tells
            else:
                targets = [target for pod in pods for target in _targets(pod)]
                written = self._file.with_suffix(".new")
                written.write_text(json.dumps(targets))
                written.replace(self._file)
            finally:
                self._over.wait(INTERVAL_S)


def _targets(pod: dict[str, Any]) -> list[dict[str, Any]]:
    address = pod.get("status", {}).get("podIP")
    if not address:
        return []
    meta = "__meta_kubernetes_"
    labels = {
        f"{meta}namespace": pod["metadata"]["namespace"],
        f"{meta}pod_name": pod["metadata"]["name"],
    }
    for name, value in pod["metadata"].get("labels", {}).items():
        written = re.sub(r"[^a-zA-Z0-9_]", "_", name)
        labels[f"{meta}pod_label_{written}"] = value
        labels[f"{meta}pod_labelpresent_{written}"] = "true"
    return [
        {
            "targets": [f"{address}:{port['containerPort']}"],
            "labels": {**labels, f"{meta}pod_container_port_name": port.get("name", "")},
        }
        for container in pod["spec"]["containers"]
        for port in container.get("ports", ())
    ]
