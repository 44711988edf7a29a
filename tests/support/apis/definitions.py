"""CustomResourceDefinitions of other projects, from the Go modules that carry them.

They are fetched on the machine that uses them, checked against go.sum, kept in Go's module cache
and never copied into this repository.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from support.controlplane.binaries import cache_root, say_on_stderr
from support.controlplane.toolchain import find_go, go_environment
from support.controlplane.versions import required_go

if TYPE_CHECKING:
    from support.controlplane import ControlPlane

GO_MODULE = Path(__file__).parent


@dataclass(frozen=True)
class Definition:
    """One CustomResourceDefinition: its name, and the module and file that it is in."""

    name: str
    module: str
    file: str

    @property
    def path(self) -> Path:
        """Of the file on this machine."""
        return module_folder(self.module) / self.file


_GATEWAY_API = "sigs.k8s.io/gateway-api"

GATEWAYS = Definition(
    "gateways.gateway.networking.k8s.io",
    _GATEWAY_API,
    "config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
)
HTTP_ROUTES = Definition(
    "httproutes.gateway.networking.k8s.io",
    _GATEWAY_API,
    "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
)
INFERENCE_POOLS = Definition(
    "inferencepools.inference.networking.k8s.io",
    "sigs.k8s.io/gateway-api-inference-extension",
    "config/crd/bases/inference.networking.k8s.io_inferencepools.yaml",
)
LEADER_WORKER_SETS = Definition(
    "leaderworkersets.leaderworkerset.x-k8s.io",
    "sigs.k8s.io/lws",
    "config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml",
)
POD_MONITORS = Definition(
    "podmonitors.monitoring.coreos.com",
    "github.com/prometheus-operator/prometheus-operator",
    "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
)

SERVICE_MONITORS = Definition(
    "servicemonitors.monitoring.coreos.com",
    "github.com/prometheus-operator/prometheus-operator",
    "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
)

LOCAL_QUEUES = Definition(
    "localqueues.kueue.x-k8s.io",
    "sigs.k8s.io/kueue",
    "config/components/crd/bases/kueue.x-k8s.io_localqueues.yaml",
)
NODE_POOLS = Definition(
    "nodepools.karpenter.sh", "sigs.k8s.io/karpenter", "pkg/apis/crds/karpenter.sh_nodepools.yaml"
)


def install(cluster: ControlPlane, *definitions: Definition) -> None:
    """Install definitions and wait until they are served."""
    files = [f"--filename={definition.path}" for definition in definitions]
    cluster.kubectl("apply", "--server-side", "--force-conflicts", *files)
    for definition in definitions:
        cluster.commands().await_established(definition.name)


def uninstall(cluster: ControlPlane, *definitions: Definition) -> None:
    """Take definitions away, and every object of theirs with them."""
    names = [f"crd/{definition.name}" for definition in definitions]
    cluster.kubectl("delete", *names, "--ignore-not-found", "--timeout=60s")


@cache
def module_folder(module: str) -> Path:
    """Return the folder of a module, at the version that go.mod names.

    Raises:
        RuntimeError: it cannot be fetched, or is not what go.sum says.
    """
    go = find_go(required_go(_read("go.mod")), cache_root(), say_on_stderr)
    version = _pinned(module)
    asked = subprocess.run(
        [go, "mod", "download", "-json", f"{module}@{version}"],
        cwd=GO_MODULE,
        env=go_environment(go),
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(asked.stdout or "{}")
    if "Dir" not in told:
        raise RuntimeError(f"{module}@{version}: {told.get('Error') or asked.stderr.strip()}")
    if f"{module} {version} {told['Sum']}" not in _read("go.sum").splitlines():
        raise RuntimeError(f"{module}@{version} has the hash {told['Sum']}, go.sum another one")
    return Path(told["Dir"])


def _pinned(module: str) -> str:
    words = (line.split() for line in _read("go.mod").splitlines())
    return next(line[1] for line in words if line[:1] == [module])


def _read(name: str) -> str:
    return (GO_MODULE / name).read_text(encoding="utf-8")
