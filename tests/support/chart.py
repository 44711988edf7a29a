"""The chart as a test renders it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from support.controlplane import Commands

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "qwen3-operator"
GOLDEN = ROOT / "tests" / "golden" / "chart"
INPUTS = sorted(GOLDEN.glob("*.in.yaml"))

RELEASE = "q3"
HOME = "qwen3-system"


def rendered(helm: Commands, *options: str | Path) -> list[dict[str, Any]]:
    """Return the objects that `helm template` writes."""
    text = helm.helm("template", RELEASE, CHART, f"--namespace={HOME}", *options)
    return [document for document in yaml.safe_load_all(text) if document]


def the(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the one object of a kind."""
    found = [document for document in documents if document["kind"] == kind]
    assert len(found) == 1
    return found[0]


def pods_made_by(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the template of the operator's pods."""
    template: dict[str, Any] = the(documents, "Deployment")["spec"]["template"]
    return template
