"""`kubectl qwen3`, as its user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.operator import SOURCES

if TYPE_CHECKING:
    from support.controlplane import ControlPlane


def as_kubectl(cluster: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the plugin as kubectl finds it, on the cluster of the current kubeconfig."""
    environment = cluster.commands().environment()
    scripts = Path(sys.executable).parent
    sources = os.pathsep.join(map(str, SOURCES))
    environment |= {"PATH": f"{scripts}{os.pathsep}{environment['PATH']}", "PYTHONPATH": sources}
    return subprocess.run(
        ["kubectl", "qwen3", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
