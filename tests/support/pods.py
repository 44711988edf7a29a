"""Specifications with a source, and what became of it in a pod's spec."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.models import SMALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.models import Models

ON_L40S = "accelerators: [L40S-48GB]\n"


def source_spec(source: str, *, where: str = ON_L40S, **model: object) -> str:
    """Write a specification with a source as YAML; `model` adds fields to spec.model."""
    fields = {"variant": "Qwen3-0.6B", "source": source, **model}
    return f"model: {json.dumps(fields)}\n{SMALL}{where}"


def pod_of(models: Models, name: str) -> dict[str, Any]:
    """Return the spec of the one pod of a resource."""
    (pod,) = models.pods(name)
    return dict(pod["spec"])


def environment(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of the first container: values, or where they come from."""
    variables = pod["containers"][0]["env"]
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in variables}


def volume(pod: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a volume by name; empty where there is none."""
    return next((dict(v) for v in pod["volumes"] if v["name"] == name), {})
