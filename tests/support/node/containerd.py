"""containerd of a node: its own folders, socket and addresses of pods."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from support.controlplane import BackgroundProcess
from support.wait import until

from .programs import NETWORK_PLUGINS, program

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

NAMESPACE = "k8s.io"
"""Where the kubelet's images and containers are."""

POD_NETWORK = "10.245.0.0/16"
"""Not KWOK's, whose pods have addresses where nobody is."""

START_SECONDS = 60.0
IMPORT_SECONDS = 900


class Containerd:
    """A running containerd.

    Attributes:
        socket: of its CRI and of `ctr`.
    """

    def __init__(self, folder: Path, images: Path, pause_image: str, number: int = 0) -> None:
        """Start it.

        Args:
            folder: what runs in it lies there; does not exist yet.
            images: its root, see `store`.
            pause_image: of sandboxes.
            number: which of the nodes on this network it is, from 0.
        """
        self._folder = folder
        self.socket = folder / "containerd.sock"
        network = folder / "network"
        network.mkdir(parents=True)
        (network / "10-pods.conflist").write_text(_network(folder, number))
        configuration = folder / "containerd.toml"
        configuration.write_text(_configuration(folder, images, network, pause_image))
        self._process = BackgroundProcess(
            "containerd",
            [program("containerd"), "--config", configuration],
            folder / "containerd.log",
        )
        until(self._answers, START_SECONDS, lambda: f"containerd:\n{self._process.tail()}")

    def import_archive(self, archive: Path) -> None:
        """Take in an archive of one image."""
        self._ctr("images", "import", str(archive), seconds=IMPORT_SECONDS)

    def keep(self, names: Collection[str]) -> set[str]:
        """Forget the images that have none of these names, and remove what only they needed.

        Returns:
            the names whose images are there.
        """
        listed = self._ctr("images", "list").splitlines()[1:]
        digest_by_name = {name: digest for name, _, digest, *_ in map(str.split, listed)}
        # the kubelet's interface gives each image a second name, which alone would keep it
        kept = {digest_by_name.get(name) for name in names}
        unwanted = [name for name, digest in digest_by_name.items() if digest not in kept]
        if unwanted:
            self._ctr("images", "remove", "--sync", *unwanted)
        return digest_by_name.keys() & set(names)

    def stop(self) -> None:
        """End the process; its containers are the kubelet's business."""
        self._process.stop()

    def check(self) -> None:
        """Raise ProcessDiedError when it has ended on its own."""
        self._process.check()

    def _answers(self) -> bool:
        self._process.check()
        asked = subprocess.run(self._words("version"), capture_output=True, check=False)
        return asked.returncode == 0

    def _ctr(self, *arguments: str, seconds: float = 60) -> str:
        done = subprocess.run(
            self._words(*arguments), capture_output=True, check=False, text=True, timeout=seconds
        )
        if done.returncode != 0:
            raise RuntimeError(f"ctr {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _words(self, *arguments: str) -> list[str]:
        return [program("ctr"), "--address", str(self.socket), "--namespace", NAMESPACE, *arguments]


def _configuration(folder: Path, images: Path, network: Path, pause_image: str) -> str:
    return f"""
version = 2
root = "{images}"
state = "{folder}/state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause_image}"
  # without CAP_SYS_RESOURCE a sandbox may not be made less likely to be killed
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{NETWORK_PLUGINS}"
    conf_dir = "{network}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def _network(folder: Path, number: int) -> str:
    """One bridge for the pods of all nodes; each node gives out addresses of its own."""
    pods = {
        "subnet": POD_NETWORK,
        "rangeStart": f"10.245.{number + 1}.1",
        "rangeEnd": f"10.245.{number + 1}.254",
        "gateway": "10.245.0.1",
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[pods]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": f"{folder}/addresses",
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]})
