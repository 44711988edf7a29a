"""The programs of the test control plane: what each is called, built from, and accepted as.

Pure but for reading go.mod, which pins every version. A later floor (kubelet, kube-proxy,
LeaderWorkerSet) adds rows here and `tool` lines there, in an own group so that the cluster tests
need not wait for them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .versions import Skew, Version, required_module

GO_MODULE = Path(__file__).parent
"""The folder of go.mod and go.sum."""

BUILD_FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
"""-trimpath makes the result independent of where the checkout lies."""

BUILD_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
"""No C compiler, no user's flags; GOTOOLCHAIN=local: the version of Go is checked, not fetched."""

_KUBERNETES = "k8s.io/kubernetes"
_KUBERNETES_VERSION = "-X k8s.io/component-base/version.gitVersion={version}"
"""Without it the API server calls itself v0.0.0 and helm's kubeVersion checks fail."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program: how to build it and which found ones are as good."""

    name: str
    module: str
    package: str
    ask_version: tuple[str, ...]
    """Arguments that make it print its version."""
    skew: Skew
    set_version: str = ""
    """Linker flags that write the pinned version into the binary."""

    def pinned(self, go_mod: str) -> Version:
        """Return the version that go.mod pins."""
        return required_module(go_mod, self.module)

    def linker_flags(self, go_mod: str) -> str:
        """Return the value of -ldflags: stripped, with the version written in."""
        return f"-s -w {self.set_version.format(version=self.pinned(go_mod))}".strip()


def of_kubernetes(name: str, skew: Skew, *ask_version: str) -> Program:
    """Return a program of Kubernetes itself."""
    package = f"{_KUBERNETES}/cmd/{name}"
    return Program(name, _KUBERNETES, package, ask_version, skew, _KUBERNETES_VERSION)


PROGRAMS: tuple[Program, ...] = (
    of_kubernetes("kube-apiserver", Skew.SAME_MINOR, "--version"),
    of_kubernetes("kube-controller-manager", Skew.SAME_MINOR, "--version"),
    of_kubernetes("kube-scheduler", Skew.SAME_MINOR, "--version"),
    of_kubernetes("kubectl", Skew.ONE_MINOR, "version", "--client"),
    Program(
        "etcd",
        "go.etcd.io/etcd/server/v3",
        "go.etcd.io/etcd/server/v3",
        ("--version",),
        Skew.ONE_MINOR,
    ),
    Program(
        "kwok",
        "sigs.k8s.io/kwok",
        "sigs.k8s.io/kwok/cmd/kwok",
        ("--version",),
        Skew.SAME_MINOR,
    ),
    Program(
        "helm",
        "helm.sh/helm/v4",
        "helm.sh/helm/v4/cmd/helm",
        ("version", "--short"),
        Skew.SAME_MAJOR,
        "-X helm.sh/helm/v4/internal/version.version={version}",
    ),
)


def cache_key(go_mod: str, go_sum: str, goos: str, goarch: str) -> str:
    """Return a short name for everything that determines the binaries.

    The release of Go is left out on purpose: any Go that go.mod accepts builds the same program,
    and a filled cache must be found on a machine without Go.
    """
    digest = hashlib.sha256()
    parts = [go_mod, go_sum, goos, goarch, *BUILD_FLAGS]
    parts += [f"{key}={value}" for key, value in sorted(BUILD_ENVIRONMENT.items())]
    for program in PROGRAMS:
        parts += [program.name, program.package, program.linker_flags(go_mod)]
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]
