"""What a real node runs: kubelet, kube-proxy, CoreDNS built once, the rest from Debian's packages.

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
from support.controlplane.programs import BUILD_FLAGS, Program, of_kubernetes
from support.controlplane.toolchain import find_go
from support.controlplane.versions import Skew, required_go
from support.debian import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent

COREDNS = "github.com/coredns/coredns"

MODULES: dict[Path, tuple[Program, ...]] = {
    HERE: (
        of_kubernetes("kubelet", Skew.SAME_MINOR, "--version"),
        of_kubernetes("kube-proxy", Skew.SAME_MINOR, "--version"),
    ),
    HERE / "dns": (Program("coredns", COREDNS, COREDNS, ("-version",), Skew.SAME_MINOR),),
}
"""Folder of a go.mod -> what is built from it."""

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

    kubelet: Path
    kube_proxy: Path
    coredns: Path


def missing_packages() -> list[str]:
    """Return Debian's names of what is not installed here."""
    missing = {package for program, package in PACKAGES.items() if not shutil.which(program)}
    if not (NETWORK_PLUGINS / "bridge").exists():
        missing.add("containernetworking-plugins")
    return sorted(missing)


def find_or_build(say: Callable[[str], None] = say_on_stderr) -> Programs:
    """Return the programs, built now if they never were; two callers never build at once.

    Raises:
        MissingPrerequisiteError: no Go, and none could be fetched.
        BuildError: the compiler refused; carries what it said.
    """
    built = [_built(module, programs, say) for module, programs in MODULES.items()]
    return Programs(*(path for paths in built for path in paths))


def _built(module: Path, programs: tuple[Program, ...], say: Callable[[str], None]) -> list[Path]:
    folder = cache_folder("node") / _key(module)
    paths = [folder / program.name for program in programs]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for number, (program, path) in enumerate(zip(programs, paths, strict=True), start=1):
            if path.exists():
                continue
            go = find_go(required_go((module / "go.mod").read_text()), cache_root(), say)
            label = f"[{number}/{len(programs)}] {program.name}"
            build_program(go, program, path, label, say, module=module)
    return paths


def _key(module: Path) -> str:
    parts = [(module / name).read_text() for name in ("go.mod", "go.sum")]
    parts += [*BUILD_FLAGS, *(one.name for one in MODULES[module])]
    parts += [platform.system(), platform.machine()]
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
