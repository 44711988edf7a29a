"""Resources for tiny models that a CPU serves, and the namespace that has their weights."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .supply import INSPECTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .supply import Supplies

CLAIM = "models"
"""The claim with `dense` and `moe` in it."""


def tiny(supplies: Supplies, name: str = "tiny", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return a resource for the tiny dense model on one GPU that is a word.

    `spec` replaces fields of the specification; mappings are merged into those that are there.
    """
    env = {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_CACHE_ROOT": f"/models/{INSPECTED}",
        "TORCHDYNAMO_DISABLE": "1",  # tensor ranks and logprobs would compile; no compiler is there
    }
    fields = {
        "model": {
            "variant": "Qwen3-0.6B",
            "source": f"pvc://{CLAIM}/dense",
            "servedName": "qwen3",
        },
        "maxModelLen": 4096,
        "engine": {
            "name": "vllm",
            "version": "0.32.0",
            "image": supplies.images.engine.name,
            "enforceEager": True,
            "env": [{"name": key, "value": value} for key, value in env.items()],
        },
        "resources": {
            "requests": {"cpu": "200m", "memory": "1Gi"},
            "limits": {"memory": "4Gi"},
        },
    }
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": name},
        "spec": _merged(fields, spec),
    }


def _merged(fields: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(fields))
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
