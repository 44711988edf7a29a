"""A real node: containerd, kubelet and kube-proxy, beside a control plane and in one sandbox."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.controlplane import BackgroundProcess
from support.controlplane.binaries import say_on_stderr
from support.debian import cache_folder
from support.ports import free_port
from support.wait import until

from .containerd import POD_NETWORK, Containerd
from .programs import find_or_build
from .sandbox import NODE_ADDRESS, inside
from .supply import supply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from support.controlplane import ControlPlane

    from .supply import Images

NODE_NAME = "real-node"
START_SECONDS = 90.0


class Node:
    """A node of a control plane on which pods really run; a context manager.

    It must be started in the sandbox (`support.node.sandbox`), on a control plane with the address
    `NODE_ADDRESS`. Containers, mounts and rules end with the sandbox at the latest.
    """

    def __init__(
        self,
        cluster: ControlPlane,
        *,
        labels: Mapping[str, str],
        extended_resources: Mapping[str, int],
        images: Images,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            cluster: whose node it is.
            labels: of the node, as feature discovery would set them.
            extended_resources: advertised as a device plugin would: ``{"nvidia.com/gpu": 2}``.
            images: that its pods may use.
        """
        if not inside():
            raise RuntimeError("start a node in the sandbox: python -m support.node run …")
        self._cluster = cluster
        self._labels = labels
        self._resources = extended_resources
        self._programs = find_or_build()
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-node-"))
        self._images = images
        self.containerd = Containerd(
            self._folder / "containerd", cache_folder("containerd"), images.pause.name
        )
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
        """End the processes, then forget the files; containers end with the sandbox."""
        for process in reversed(self._running):
            process.stop()
        self._running.clear()
        self.containerd.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def check(self) -> None:
        """Raise ProcessDiedError when a part has ended on its own."""
        self.containerd.check()
        for process in self._running:
            process.check()

    def log(self, name: str) -> str:
        """Return what a part has said: ``kubelet``, ``kube-proxy``."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _start(self) -> None:
        supply(self.containerd, self._images, say_on_stderr)
        kubeconfig = str(self._cluster.kubeconfig)
        configuration = self._folder / "kubelet.json"
        configuration.write_text(json.dumps(_kubelet(self.containerd.socket)))
        labels = ",".join(f"{key}={value}" for key, value in sorted(self._labels.items()))
        self._run(
            "kubelet",
            self._programs.kubelet,
            f"--config={configuration}",
            f"--kubeconfig={kubeconfig}",
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={NODE_ADDRESS}",
            f"--root-dir={self._folder / 'kubelet'}",
            f"--cert-dir={self._folder / 'kubelet-certificates'}",
            *([f"--node-labels={labels}"] if labels else []),
        )
        proxy = self._folder / "kube-proxy.json"
        proxy.write_text(json.dumps(_kube_proxy(kubeconfig)))
        self._run("kube-proxy", self._programs.kube_proxy, f"--config={proxy}")
        until(self._is_ready, START_SECONDS, lambda: f"kubelet:\n{self._running[0].tail(40)}")
        self._advertise()

    def _run(self, name: str, *words: str | Path) -> None:
        self._running.append(BackgroundProcess(name, words, self._folder / f"{name}.log"))

    def _is_ready(self) -> bool:
        self.check()
        found = self._cluster.kubectl(
            *("get", "node", NODE_NAME, "--ignore-not-found"),
            "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}",
        )
        return found == "True"

    def _advertise(self) -> None:
        """Announce extended resources as the documentation has it: in the node's status."""
        amounts = {name: str(count) for name, count in self._resources.items()}
        status: dict[str, Any] = {"status": {"capacity": amounts, "allocatable": amounts}}
        self._cluster.kubectl(
            *("patch", "node", NODE_NAME, "--subresource=status", f"--patch={json.dumps(status)}")
        )


def _kubelet(socket: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{socket}",
        "address": NODE_ADDRESS,
        "healthzPort": 0,
        "readOnlyPort": 0,
        # nobody but this sandbox reaches the port
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
        "resolvConf": "",
    }


def _kube_proxy(kubeconfig: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig},
        "mode": "iptables",
        "hostnameOverride": NODE_NAME,
        "clusterCIDR": POD_NETWORK,
        "bindAddress": NODE_ADDRESS,
        "healthzBindAddress": f"127.0.0.1:{free_port()}",
        "metricsBindAddress": f"127.0.0.1:{free_port()}",
        "conntrack": {"maxPerCore": 0, "min": 0},
    }
