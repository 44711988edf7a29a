"""What docs/how-to/deploy-by-gitops.md tells to type, is typed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "deploy-by-gitops.md"
SCRIPT = ROOT / "charts" / "qwen3-operator" / "argocd" / "health.lua"
KEY = "resource.customizations.health.serving.qwen3.dev_Qwen3Deployment"


def test_the_command_puts_the_health_script_into_argo_cds_settings(
    control_plane: ControlPlane,
) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (command,) = [block for block in blocks if "patch configmap argocd-cm" in block]
    control_plane.kubectl("create", "namespace", "argocd")
    home = "--namespace=argocd"
    control_plane.kubectl("create", "configmap", "argocd-cm", home, "--from-literal=url=kept")

    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=control_plane.commands().environment(),
        check=True,
        timeout=60,
    )

    config = control_plane.kubectl_json("get", "configmap", "argocd-cm", home)
    assert config["data"] == {"url": "kept", KEY: SCRIPT.read_text("utf-8")}
