"""What a real node runs: kubelet and kube-proxy built once, the rest from Debian's packages.

Third-party programs under their own licenses (Apache-2.0, GPL for iptables), made or installed on
the machine that uses them and never committed.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.controlplane.binaries import cache_root, say_on_stderr
from support.controlplane.build import build_program
from support.controlplane.errors import MissingPrerequisiteError
from support.controlplane.programs import BUILD_FLAGS, of_kubernetes
from support.controlplane.toolchain import find_go
from support.controlplane.versions import Skew, required_go
from support.debian import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent

BUILT = (
    of_kubernetes("kubelet", Skew.SAME_MINOR, "--version"),
    of_kubernetes("kube-proxy", Skew.SAME_MINOR, "--version"),
)

NETWORK_PLUGINS = Path("/usr/lib/cni")

PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "debootstrap": "debootstrap",
}
"""Program -> Debian's package; the network's plugins are one more (`missing_packages`)."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the built ones lie."""

    folder: Path

    @property
    def kubelet(self) -> Path:
        """It runs the pods of the node."""
        return self.folder / "kubelet"

    @property
    def kube_proxy(self) -> Path:
        """It makes Services reachable."""
        return self.folder / "kube-proxy"


def missing_packages() -> list[str]:
    """Return Debian's names of what is not installed here."""
    missing = {package for program, package in PACKAGES.items() if not shutil.which(program)}
    if not (NETWORK_PLUGINS / "bridge").exists():
        missing.add("containernetworking-plugins")
    return sorted(missing)


def find() -> Programs | None:
    """Return the built programs when all are there; never builds, never uses the network."""
    folder = cache_folder("node") / _key()
    return Programs(folder) if all((folder / one.name).exists() for one in BUILT) else None


def find_or_build(say: Callable[[str], None] = say_on_stderr) -> Programs:
    """Return the programs, built now if they never were; two callers never build at once.

    Raises:
        MissingPrerequisiteError: no Go, and none could be fetched.
        BuildError: the compiler refused; carries what it said.
    """
    folder = cache_folder("node") / _key()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for number, program in enumerate(BUILT, start=1):
            if (folder / program.name).exists():
                continue
            go = find_go(required_go((HERE / "go.mod").read_text()), cache_root(), say)
            label = f"[{number}/{len(BUILT)}] {program.name}"
            build_program(go, program, folder / program.name, label, say, module=HERE)
    return Programs(folder)


def _key() -> str:
    parts = [(HERE / name).read_text() for name in ("go.mod", "go.sum")]
    parts += [*BUILD_FLAGS, *(one.name for one in BUILT), platform.system(), platform.machine()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def program(name: str) -> str:
    """Return the path of an installed program.

    Raises:
        MissingPrerequisiteError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        fix = f"apt-get install --no-install-recommends {PACKAGES[name]}"
        raise MissingPrerequisiteError(f"There is no {name}", fix)
    return found
