"""The programs that make up one control plane: start each, know when it is ready, stop it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.wait import until

from . import components
from .health import answers_ok
from .layout import LOOPBACK
from .processes import BackgroundProcess

if TYPE_CHECKING:
    from .binaries import Binaries
    from .layout import Layout

START_SECONDS = 90.0
"""How long one part may take to become ready; three seconds are usual, CI machines are not."""

CLIENTS = ("kube-controller-manager", "kube-scheduler", "kwok")
"""Parts that live on the API server: started after it, stopped before it."""

_STAGES = Path(__file__).with_name("stages.yaml")


class Parts:
    """The running programs of one control plane, by name."""

    def __init__(self, layout: Layout, binaries: Binaries, *, audit: bool, token: str) -> None:
        """Prepare; `token` is an administrator's, for asking the API server whether it is ready."""
        self._layout = layout
        self._binaries = binaries
        self._token = token
        self._running: dict[str, BackgroundProcess] = {}
        ports = layout.ports
        self._arguments = {
            "etcd": components.etcd(layout),
            "kube-apiserver": components.apiserver(layout, audit=audit),
            "kube-controller-manager": components.controller_manager(layout),
            "kube-scheduler": components.scheduler(layout),
            "kwok": components.kwok(layout, _STAGES),
        }
        self._health = {
            "etcd": f"{layout.etcd}/health",
            "kube-apiserver": f"{layout.server}/readyz",
            "kube-controller-manager": f"https://{layout.address}:{ports.controller_manager}/healthz",
            "kube-scheduler": f"https://{layout.address}:{ports.scheduler}/readyz",
            "kwok": f"http://{LOOPBACK}:{ports.kwok}/healthz",
        }

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of what runs."""
        return {name: process.pid for name, process in self._running.items()}

    def start(self, *names: str) -> None:
        """Start parts that do not run, at the same time, and wait until all are ready.

        Raises:
            ProcessDiedError: one ended at start; carries the end of its log.
            WaitTimeoutError: one runs but does not become ready.
        """
        for name in names:
            if name in self._running:
                raise RuntimeError(f"{name} runs already")
            argv = [str(self._binaries[name]), *self._arguments[name]]
            log = self._layout.log(name)
            self._running[name] = BackgroundProcess(name, argv, log, cwd=self._layout.folder)
        for name in names:
            self._await_ready(name)

    def stop(self, *names: str) -> None:
        """Stop parts, all at once, and wait until they are gone; skip those that do not run."""
        stopping = [self._running.pop(name) for name in names if name in self._running]
        for process in stopping:
            process.terminate()
        for process in stopping:
            process.stop()

    def stop_all(self) -> None:
        """Stop everything, clients of the API server first."""
        for group in (CLIENTS, ("kube-apiserver",), ("etcd",)):
            self.stop(*group)

    def check(self) -> None:
        """Raise ProcessDiedError when a part has ended on its own."""
        for process in self._running.values():
            process.check()

    def _await_ready(self, name: str) -> None:
        process, url = self._running[name], self._health[name]
        trust = self._layout.certificate if url.startswith("https:") else None
        token = self._token if name == "kube-apiserver" else None

        def ready() -> bool:
            process.check()
            return answers_ok(url, certificate=trust, token=token)

        until(ready, START_SECONDS, lambda: f"{name} is not ready; its log:\n{process.tail()}")
