"""A running control plane: start, use, stop, leave nothing behind."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.wait import until

from . import components
from .audit import AuditLog
from .binaries import find_or_build
from .commands import Commands
from .credentials import (
    ADMIN,
    USERS,
    Access,
    new_tokens,
    signing_key,
    token_file,
    write_kubeconfig,
    write_secret,
)
from .layout import LOOPBACK, Layout, ReservedPorts
from .nodes import READY_ANNOTATION, NodeSpec, is_usable, make_node
from .parts import CLIENTS, START_SECONDS, Parts
from .sweeper import SweptFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from .binaries import Binaries


class ControlPlane:
    """etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK, on loopback.

    Use it as a context manager. Several may run at once. Nothing of it outlives this Python
    process, however that ends.

        with ControlPlane(nodes=DEMO_NODES) as cluster:
            cluster.kubectl("get", "nodes")
    """

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        binaries: Binaries | None = None,
        *,
        nodes: Sequence[NodeSpec] = (),
        audit: bool = False,
        kubeconfig: Path | None = None,
        logs_to: Path | None = None,
        address: str = LOOPBACK,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            binaries: the programs; found or built at the start when not given.
            nodes: nodes to add at the start.
            audit: write an audit log (metadata), see `audit_log`.
            kubeconfig: where to put a copy of the administrator's kubeconfig; removed at the end.
            logs_to: a folder into which the logs of the parts are copied at the end.
            address: of the API server; another one than loopback where real pods must reach it.
        """
        self._binaries = binaries
        self._nodes = tuple(nodes)
        self._audit = audit
        self._kubeconfig_copy = kubeconfig
        self._logs_to = logs_to
        self._address = address
        self._folder: SweptFolder | None = None
        self._ports: ReservedPorts | None = None
        self._layout: Layout | None = None
        self._parts: Parts | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every part and wait until it is ready; on failure nothing is left running.

        Raises:
            MissingPrerequisiteError, BuildError: see `binaries.find_or_build`.
            ProcessDiedError: a part ended at start; carries the end of its log.
            WaitTimeoutError: a part runs but does not become ready.
        """
        if self._layout is not None:
            raise RuntimeError("the control plane runs already")
        binaries = self.binaries
        try:
            tokens = self._prepare_files()
            parts = Parts(self.layout, binaries, audit=self._audit, token=tokens[ADMIN])
            self._parts = parts
            parts.start("etcd")
            parts.start("kube-apiserver")
            self._write_kubeconfigs(tokens)
            parts.start(*CLIENTS)
            self._await_default_account()
            self.add_nodes(*self._nodes)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what runs and remove every file; does nothing the second time."""
        if self._parts is not None:
            self._parts.stop_all()
        if self._kubeconfig_copy is not None and self._layout is not None:
            self._kubeconfig_copy.unlink(missing_ok=True)
        if self._folder is not None:
            if self._logs_to is not None:
                shutil.copytree(self._folder.path / "logs", self._logs_to, dirs_exist_ok=True)
            self._folder.remove()
        if self._ports is not None:
            self._ports.release()
        self._parts = self._layout = self._folder = self._ports = None

    def start_part(self, name: str) -> None:
        """Start one part that was stopped (`kube-scheduler`, `kwok`, …), wait until it is ready."""
        self._running_parts.start(name)

    def stop_part(self, name: str) -> None:
        """Stop one part; the others keep running. No error when it does not run."""
        self._running_parts.stop(name)

    def check(self) -> None:
        """Raise ProcessDiedError when a part has ended on its own."""
        self._running_parts.check()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the running parts."""
        return self._running_parts.pids

    @property
    def layout(self) -> Layout:
        """Files and ports of the running control plane."""
        if self._layout is None:
            raise RuntimeError("the control plane is not running")
        return self._layout

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self.layout.server

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator (group system:masters); needs no other file."""
        return self.layout.kubeconfig(ADMIN)

    @property
    def binaries(self) -> Binaries:
        """The programs it runs, found or built when first asked for."""
        if self._binaries is None:
            self._binaries = find_or_build()
        return self._binaries

    @property
    def audit_log(self) -> AuditLog:
        """The audit log; there only with `audit=True`."""
        if not self._audit:
            raise RuntimeError("start the control plane with audit=True")
        return AuditLog(self.layout.audit_log)

    def commands(self, kubeconfig: Path | None = None) -> Commands:
        """Return kubectl and helm as the user of a kubeconfig, by default the administrator."""
        return Commands(self.binaries, kubeconfig or self.kubeconfig, self.layout.home)

    def kubectl(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002 - as in subprocess
        """Run kubectl as the administrator; return its stdout, raise CommandError on failure."""
        return self.commands().kubectl(*args, input=input)

    def kubectl_json(self, *args: str | Path, input: str | None = None) -> Any:  # noqa: A002, ANN401 - JSON
        """Run kubectl with `-o json` as the administrator and return the document."""
        return self.commands().kubectl_json(*args, input=input)

    def helm(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002 - as in subprocess
        """Run helm as the administrator; return its stdout, raise CommandError on failure."""
        return self.commands().helm(*args, input=input)

    def service_account_kubeconfig(
        self, namespace: str, name: str, path: Path, *, duration: str = "24h"
    ) -> Path:
        """Write a kubeconfig with a fresh token of an existing ServiceAccount; return its path."""
        token = self.kubectl(
            "create", "token", name, f"--namespace={namespace}", f"--duration={duration}"
        )
        user = f"system:serviceaccount:{namespace}:{name}"
        return write_kubeconfig(path, self._access, user, token.strip(), namespace)

    def add_nodes(self, *specs: NodeSpec) -> None:
        """Add nodes and wait until each is as its spec says: usable, or NotReady."""
        if not specs:
            return
        nodes = {"apiVersion": "v1", "kind": "List", "items": [make_node(s) for s in specs]}
        self.kubectl("create", "-f", "-", input=json.dumps(nodes))
        wanted = {spec.name: spec.ready for spec in specs}
        until(
            lambda: wanted.items() <= self._usable_nodes().items(),
            START_SECONDS,
            lambda: f"usable nodes wanted {wanted}, seen {self._usable_nodes()}",
            interval=0.2,
        )

    def remove_nodes(self, *names: str) -> None:
        """Remove nodes, as when machines are taken away.

        Their pods go too, but later: the pod collector gives a lost node 40 seconds.
        """
        self.kubectl("delete", "node", *names)

    def set_node_ready(self, name: str, *, ready: bool) -> None:
        """Make a node NotReady, or Ready again, and wait until it is."""
        annotation = f"{READY_ANNOTATION}={str(ready).lower()}"
        self.kubectl("annotate", "--overwrite", "node", name, annotation)
        until(
            lambda: self._usable_nodes().get(name) is ready,
            START_SECONDS,
            f"node {name} should have Ready={ready}",
        )

    @property
    def _running_parts(self) -> Parts:
        if self._parts is None:
            raise RuntimeError("the control plane is not running")
        return self._parts

    @property
    def _access(self) -> Access:
        return Access(self.server, self.layout.certificate)

    def _prepare_files(self) -> dict[str, str]:
        """Make the folder and what is in it before anything runs; return the users' tokens."""
        folder = Path(tempfile.mkdtemp(prefix="qwen3-controlplane-"))
        self._folder = SweptFolder(folder)
        self._ports = ReservedPorts()
        self._layout = layout = Layout(folder, self._ports.ports, self._address)
        layout.make_folders()
        tokens = new_tokens()
        write_secret(layout.tokens, token_file(tokens))
        write_secret(layout.service_account_key, signing_key())
        layout.audit_policy.write_text(json.dumps(components.AUDIT_POLICY))
        layout.scheduler_configuration.write_text(components.scheduler_configuration(layout))
        return tokens

    def _write_kubeconfigs(self, tokens: dict[str, str]) -> None:
        """Write one for each user; possible only once the API server has made its certificate."""
        for short, (user, _) in USERS.items():
            write_kubeconfig(self.layout.kubeconfig(short), self._access, user, tokens[short])
        if self._kubeconfig_copy is not None:
            write_secret(self._kubeconfig_copy, self.kubeconfig.read_text())

    def _await_default_account(self) -> None:
        """Wait for what every pod needs: the default ServiceAccount."""
        until(
            lambda: self.kubectl("get", "serviceaccount", "default", "--ignore-not-found"),
            START_SECONDS,
            "the controllers made no default ServiceAccount",
        )

    def _usable_nodes(self) -> dict[str, bool]:
        nodes = self.kubectl_json("get", "nodes")["items"]
        return {node["metadata"]["name"]: is_usable(node) for node in nodes}
