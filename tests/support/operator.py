"""The operator as a process of its own, with the rights that the chart gives it and no others."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from support.controlplane import BackgroundProcess
from support.ports import free_port
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from support.controlplane import ControlPlane

CHART = Path(__file__).parents[2] / "charts" / "qwen3-operator"
TESTS = Path(__file__).parents[1]
SOURCES = (TESTS, TESTS.parent / "operator", TESTS.parent / "planner")
"""The tree that these tests belong to, wherever another one is installed."""

RELEASE = "qwen3-operator"

START_SECONDS = 60.0
"""Python, imports and a first list on a busy machine with two cores."""


@dataclass(frozen=True)
class Installation:
    """What `helm install` would leave behind, without the operator's own pods.

    Attributes:
        namespace: of the operator.
        watched: namespaces it may serve; empty: all.
        kubeconfig: of its ServiceAccount.
        user: how the audit log names it.
    """

    namespace: str
    watched: tuple[str, ...]
    kubeconfig: Path

    @property
    def user(self) -> str:
        """How the API server calls the operator."""
        return f"system:serviceaccount:{self.namespace}:{RELEASE}"


def install(
    cluster: ControlPlane, folder: Path, namespace: str, watched: Sequence[str] = ()
) -> Installation:
    """Install CRD, ServiceAccount and roles by rendering the chart."""
    values = yaml.safe_dump({"watchNamespaces": list(watched)})
    rendered = cluster.helm(
        "template",
        RELEASE,
        CHART,
        f"--namespace={namespace}",
        "--no-hooks",
        "--values=-",
        input=values,
    )
    parts = [part for part in yaml.safe_load_all(rendered) if part and part["kind"] != "Deployment"]
    cluster.kubectl(
        "apply",
        "-f",
        "-",
        input=f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}",
    )
    cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", input=yaml.safe_dump_all(parts)
    )
    cluster.commands().await_established("qwen3deployments.serving.qwen3.dev")
    kubeconfig = cluster.service_account_kubeconfig(
        namespace, RELEASE, folder / f"{namespace}.kubeconfig"
    )
    return Installation(namespace, tuple(watched), kubeconfig)


@dataclass(eq=False)
class RunningOperator:
    """One operator process; a context manager that waits until it is ready, and stops it."""

    installation: Installation
    identity: str = "operator-0"
    lease_duration_s: int = 15
    arguments: Sequence[str] = ()
    module: str = "qwen3_operator"
    environment: Mapping[str, str] = field(default_factory=dict)
    wait_until: str = "leading"
    """``leading``, ``ready`` (a standby, too) or ``started``."""

    unwanted_words: Sequence[str] = (" ERROR ", "Traceback", "Forbidden")
    """What must not be in the log when a test ends well."""

    def __post_init__(self) -> None:
        """Choose a folder and a port; nothing runs yet."""
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-operator-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.health_port = free_port()
        self.log_file = self._folder / "operator.log"
        self._process: BackgroundProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None:
            return
        if kind is not None:
            self._process.kill()
            sys.stderr.write(f"the operator's log ends with\n{self._process.tail(60)}\n")
            return
        if self.returncode is None:
            self.stop()
        for word in self.unwanted_words:
            assert word not in self.log, self._process.tail(60)

    def start(self) -> None:
        """Start the process and wait as far as asked."""
        installation = self.installation
        argv = [sys.executable, "-m", self.module, "run"]
        argv += [f"--kubeconfig={installation.kubeconfig}", f"--identity={self.identity}"]
        argv += [f"--lease-name={RELEASE}", f"--lease-namespace={installation.namespace}"]
        argv += [f"--lease-duration-s={self.lease_duration_s}", f"--health-port={self.health_port}"]
        argv += ["--health-host=127.0.0.1"]
        argv += [f"--namespace={namespace}" for namespace in installation.watched]
        environment = {
            "PYTHONPATH": os.pathsep.join(map(str, SOURCES)),
            "PATH": os.environ["PATH"],
            # Simulated pods have addresses, and nobody is there; what is, is none of our business.
            "QWEN3_OPERATOR_READ_ENGINES": "false",
            **self.environment,
        }
        self._process = BackgroundProcess(
            "operator", [*argv, *self.arguments], self.log_file, env=environment
        )
        if self.wait_until != "started":
            self._until(self.is_ready, "ready")
        if self.wait_until == "leading":
            self.await_leading()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._running.pid

    @property
    def returncode(self) -> int | None:
        """Exit status; None while it runs."""
        return self._running.returncode

    @property
    def log(self) -> str:
        """Everything it has logged."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        self._running.check()
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.health_port}/readyz", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def is_leading(self) -> bool:
        """Whether it has begun to reconcile."""
        self._running.check()
        return "leading; " in self.log

    def await_leading(self) -> None:
        """Wait until it holds the Lease and works."""
        self._until(self.is_leading, "leading")

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, return the exit status."""
        return self._running.stop()

    def kill(self) -> None:
        """Do as `kill -9` does."""
        self._running.kill()

    @property
    def _running(self) -> BackgroundProcess:
        if self._process is None:
            raise RuntimeError("the operator was not started")
        return self._process

    def _until(self, probe: object, what: str) -> None:
        assert callable(probe)
        until(probe, START_SECONDS, lambda: f"the operator is not {what}; its log:\n{self.log}")
