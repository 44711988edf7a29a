"""Run kubectl and helm against one control plane, leaving nothing in the user's home."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from support.wait import until

from .errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from .binaries import Binaries

COMMAND_SECONDS = 400.0
"""Longer than any `kubectl wait` or `helm install --wait` a test should need."""

ESTABLISHED_SECONDS = 30.0


class Commands:
    """kubectl and helm as one user."""

    def __init__(self, binaries: Binaries, kubeconfig: Path, home: Path) -> None:
        """Act as the user of `kubeconfig`; caches go into `home`."""
        self._binaries = binaries
        self._kubeconfig = kubeconfig
        self._home = home

    def environment(self) -> dict[str, str]:
        """Return an environment in which plain `kubectl` and `helm` speak to this control plane."""
        return {
            **os.environ,
            "PATH": self._binaries.search_path(os.environ.get("PATH", os.defpath)),
            "KUBECONFIG": str(self._kubeconfig),
            "KUBECACHEDIR": str(self._home / "kube"),
            "HELM_CACHE_HOME": str(self._home / "helm" / "cache"),
            "HELM_CONFIG_HOME": str(self._home / "helm" / "config"),
            "HELM_DATA_HOME": str(self._home / "helm" / "data"),
        }

    def kubectl(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002 - as in subprocess
        """Run kubectl and return what it wrote to stdout; raise CommandError when it failed."""
        return self._run("kubectl", args, input)

    def kubectl_json(self, *args: str | Path, input: str | None = None) -> Any:  # noqa: A002, ANN401 - JSON
        """Run kubectl with `-o json` and return the document."""
        return json.loads(self.kubectl(*args, "-o", "json", input=input))

    def helm(self, *args: str | Path, input: str | None = None) -> str:  # noqa: A002 - as in subprocess
        """Run helm and return what it wrote to stdout; raise CommandError when it failed."""
        return self._run("helm", args, input)

    def await_established(self, name: str) -> None:
        """Wait until a CustomResourceDefinition is served.

        `kubectl wait` and a JSON path fail on one that is so new that its conditions are null.
        """

        def established() -> bool:
            definition = json.loads(self.kubectl("get", "crd", name, "--output=json"))
            conditions = definition.get("status", {}).get("conditions") or ()
            return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

        until(established, ESTABLISHED_SECONDS, f"{name} should be established")

    def _run(self, program: str, args: tuple[str | Path, ...], text: str | None) -> str:
        argv = [str(self._binaries[program]), *map(str, args)]
        done = subprocess.run(
            argv,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        if done.returncode != 0:
            shown = [program, *map(str, args)]
            raise CommandError(shown, done.returncode, done.stdout, done.stderr)
        return done.stdout
