"""A real node: containerd and kubelet, beside a control plane and in one sandbox."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.controlplane import BackgroundProcess
from support.controlplane.binaries import say_on_stderr
from support.wait import until

from .containerd import Containerd
from .owned import OwnedFolder
from .programs import find_or_build
from .sandbox import ADDRESSES, NODE_ADDRESS, inside
from .store import Copy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from support.controlplane import ControlPlane

    from .supply import Images

NODE_NAMES = ("real-node", "second-node")
"""By number."""

DOMAIN = "cluster.local"

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
        number: int = 0,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            cluster: whose node it is.
            labels: of the node, as feature discovery would set them.
            extended_resources: advertised as a device plugin would: ``{"nvidia.com/gpu": 2}``.
            images: that its pods may use.
            number: 0 for the first of a sandbox, 1 for the second.
        """
        if not inside():
            raise RuntimeError("start a node in the sandbox: python -m support.node run …")
        self.name = NODE_NAMES[number]
        self._cluster = cluster
        self._number = number
        self._labels = labels
        self._resources = extended_resources
        self._images = images
        self._owned = OwnedFolder(Path(tempfile.gettempdir()), "qwen3-node-", say_on_stderr)
        self._folder = self._owned.path
        self._store: Copy | None = None
        self._containerd: Containerd | None = None
        self._kubelet: BackgroundProcess | None = None

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
        if self._kubelet is not None:
            self._kubelet.stop()
        if self._containerd is not None:
            self._containerd.stop()
        self._owned.remove()
        if self._store is not None:
            self._store.remove()

    def check(self) -> None:
        """Raise ProcessDiedError when a part has ended on its own."""
        for process in (self._containerd, self._kubelet):
            if process is not None:
                process.check()

    def log(self) -> str:
        """Return what the kubelet has said."""
        return (self._folder / "kubelet.log").read_text(errors="replace")

    def _start(self) -> None:
        self._store = Copy(self._images, say_on_stderr)
        containerd = Containerd(
            self._folder / "containerd", self._store.path, self._images.pause.name, self._number
        )
        self._containerd = containerd
        configuration = self._folder / "kubelet.json"
        address = ADDRESSES[self._number]
        configuration.write_text(
            json.dumps(_kubelet(containerd.socket, address, self._folder / "pods"))
        )
        labels = ",".join(f"{key}={value}" for key, value in sorted(self._labels.items()))
        self._kubelet = BackgroundProcess(
            "kubelet",
            [
                find_or_build().kubelet,
                f"--config={configuration}",
                f"--kubeconfig={self._cluster.kubeconfig}",
                f"--hostname-override={self.name}",
                f"--node-ip={address}",
                f"--root-dir={self._folder / 'kubelet'}",
                f"--cert-dir={self._folder / 'kubelet-certificates'}",
                *([f"--node-labels={labels}"] if labels else []),
            ],
            self._folder / "kubelet.log",
        )
        until(self._is_ready, START_SECONDS, lambda: f"kubelet:\n{self.log()[-4000:]}")
        self._advertise()

    def _is_ready(self) -> bool:
        self.check()
        found = self._cluster.kubectl(
            *("get", "node", self.name, "--ignore-not-found"),
            "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}",
        )
        return found == "True"

    def _advertise(self) -> None:
        """Announce extended resources as the documentation has it: in the node's status."""
        amounts = {name: str(count) for name, count in self._resources.items()}
        status: dict[str, Any] = {"status": {"capacity": amounts, "allocatable": amounts}}
        self._cluster.kubectl(
            *("patch", "node", self.name, "--subresource=status", f"--patch={json.dumps(status)}")
        )


def _kubelet(socket: Path, address: str, logs: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{socket}",
        "address": address,
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": DOMAIN,
        "podLogsDir": str(logs),
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
        "syncFrequency": "10s",  # a changed ConfigMap reaches pods at the next one
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
        "resolvConf": "",
    }
