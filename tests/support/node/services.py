"""What makes Services reachable for pods: kube-proxy, and CoreDNS for their names."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.controlplane import BackgroundProcess
from support.controlplane.health import answers_ok
from support.ports import free_port
from support.wait import until

from .containerd import POD_NETWORK
from .node import DOMAIN
from .programs import find_or_build
from .sandbox import NODE_ADDRESS, inside

if TYPE_CHECKING:
    from types import TracebackType

    from support.controlplane import ControlPlane

START_SECONDS = 60.0


class Services:
    """kube-proxy and CoreDNS of a sandbox, one for all its nodes; a context manager."""

    def __init__(self, cluster: ControlPlane) -> None:
        """Prepare; nothing runs yet."""
        if not inside():
            raise RuntimeError("Services are for a sandbox: python -m support.node run …")
        self._cluster = cluster
        self._programs = find_or_build()
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-services-"))
        self._running: list[BackgroundProcess] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the processes and forget the files; rules end with the sandbox."""
        for process in reversed(self._running):
            process.stop()
        self._running.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        kubeconfig = str(self._cluster.kubeconfig)
        proxy = self._folder / "kube-proxy.json"
        proxy.write_text(json.dumps(_kube_proxy(kubeconfig)))
        self._run("kube-proxy", self._programs.kube_proxy, f"--config={proxy}")
        port = free_port()
        names = self._folder / "Corefile"
        names.write_text(_corefile(kubeconfig, port))
        self._run("coredns", self._programs.coredns, "-conf", names)
        until(
            lambda: self._answers(port),
            START_SECONDS,
            lambda: "\n".join(process.tail(20) for process in self._running),
        )

    def _answers(self, port: int) -> bool:
        for process in self._running:
            process.check()
        return answers_ok(f"http://127.0.0.1:{port}/ready")

    def _run(self, name: str, *words: str | Path) -> None:
        self._running.append(BackgroundProcess(name, words, self._folder / f"{name}.log"))


def _corefile(kubeconfig: str, ready_port: int) -> str:
    return f""".:53 {{
  bind {NODE_ADDRESS}
  errors
  ready 127.0.0.1:{ready_port}
  kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
    kubeconfig {kubeconfig}
    ttl 1
  }}
}}
"""


def _kube_proxy(kubeconfig: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "mode": "iptables",
        # of no node: rules of Services are the same on all of them
        "hostnameOverride": "sandbox",
        "clusterCIDR": POD_NETWORK,
        "bindAddress": NODE_ADDRESS,
        "healthzBindAddress": f"127.0.0.1:{free_port()}",
        "metricsBindAddress": f"127.0.0.1:{free_port()}",
        "conntrack": {"maxPerCore": 0, "min": 0},
    }
