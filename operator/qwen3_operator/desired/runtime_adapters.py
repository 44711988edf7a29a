"""Adapters that come and go while the engine runs: a list, a sidecar that keeps to it, a guard.

The list is a ConfigMap, so that a change of it changes no pod template. The sidecar holds the API
key by reference and reaches the engine over localhost; the guard inside the engine answers nobody
else who wants to load an adapter, whatever key they hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import names
from qwen3_operator.desired.adapters import FETCHED, make_tool_container
from qwen3_operator.desired.hub_access import make_ca_mounts, make_hub_env, make_token_env
from qwen3_operator.desired.metadata import make_metadata
from qwen3_operator.desired.prefetch import own_hub_variables
from qwen3_planner.engines.adapters import ADAPTERS_PATH, FETCHED_PATH
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.sources import HUBS, HUGGING_FACE

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

GUARD = "adapter-guard"
"""Name of the volume with the guard, and of the container that puts it there."""

GUARD_PATH = f"{ADAPTERS_PATH}/guard"

MIDDLEWARE = "adapter_guard.LocalOnly"
""":class:`qwen3_operator.fetching.adapter_guard.LocalOnly`, as the engine imports it."""

LIST = "adapter-list"
"""Name of the volume with the list."""

LIST_PATH = "/etc/qwen3/adapters"

LIST_KEY = "adapters.json"

LOADER = "adapters"
"""Name of the sidecar."""

READY_FILE = f"{FETCHED_PATH}.ready"

KEY_VARIABLE = "QWEN3_API_KEY"
"""Of the sidecar (:data:`qwen3_operator.fetching.loading.API_KEY`)."""

READINESS_PERIOD_S = 5


def loads_at_run_time(resource: Qwen3Deployment) -> bool:
    """Whether adapters come and go while the engine runs."""
    return resource.spec.lora is not None and resource.spec.lora.runtime_loading


def make_adapter_list(resource: Qwen3Deployment, plan: Plan) -> dict[str, Any]:
    """Make the ConfigMap that the sidecar keeps to."""
    lora = resource.spec.lora
    listed = [
        {"name": one.name, "source": one.source, "revision": one.revision or ""}
        for one in (lora.adapters if lora else ())
    ]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": make_metadata(resource, plan, names.adapter_list(resource.metadata.name)),
        "data": {LIST_KEY: json.dumps(listed, indent=1)},
    }


def make_runtime_volumes(resource: Qwen3Deployment) -> list[dict[str, Any]]:
    """Make the volumes of list, guard and adapters."""
    if not loads_at_run_time(resource):
        return []
    config_map = {"name": names.adapter_list(resource.metadata.name)}
    return [
        {"name": FETCHED, "emptyDir": {}},
        {"name": GUARD, "emptyDir": {}},
        {"name": LIST, "configMap": config_map},
    ]


def make_runtime_mounts(resource: Qwen3Deployment) -> list[dict[str, Any]]:
    """Make the engine's mounts of guard and adapters."""
    if not loads_at_run_time(resource):
        return []
    return [
        {"name": FETCHED, "mountPath": FETCHED_PATH.rstrip("/"), "readOnly": True},
        {"name": GUARD, "mountPath": GUARD_PATH, "readOnly": True},
    ]


def make_runtime_arguments(resource: Qwen3Deployment) -> list[str]:
    """Make the engine's argument that has the guard in front of every request."""
    return ["--middleware", MIDDLEWARE] if loads_at_run_time(resource) else []


def make_runtime_env(resource: Qwen3Deployment) -> list[dict[str, Any]]:
    """Make the engine's variable by which adapters may be loaded at all."""
    if not loads_at_run_time(resource):
        return []
    return [{"name": "VLLM_ALLOW_RUNTIME_LORA_UPDATING", "value": "1"}]


def guard_paths(resource: Qwen3Deployment) -> tuple[str, ...]:
    """Return where the engine's Python looks for the guard."""
    return (GUARD_PATH,) if loads_at_run_time(resource) else ()


def make_guard_container(resource: Qwen3Deployment, site: Site) -> list[dict[str, Any]]:
    """Make the init container that puts the guard where the engine imports it."""
    if not loads_at_run_time(resource):
        return []
    arguments = ["write-adapter-guard", "--to", GUARD_PATH]
    container = make_tool_container(GUARD, site, arguments)
    container["volumeMounts"] = [{"name": GUARD, "mountPath": GUARD_PATH}]
    return [container]


def make_loader(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the sidecar: ready while the engine serves all of the list."""
    key = resource.spec.api_key_secret_ref
    if not loads_at_run_time(resource) or key is None or plan.lora is None:
        return []
    arguments = ["load-adapters", "--engine", f"http://127.0.0.1:{engine_of(plan.engine).port}"]
    arguments += ["--list", f"{LIST_PATH}/{LIST_KEY}", "--to", FETCHED_PATH.rstrip("/")]
    arguments += ["--max-rank", str(plan.lora.rank), "--ready-file", READY_FILE]
    container = make_tool_container(LOADER, site, arguments)
    reference = {"secretKeyRef": {"name": key.name, "key": key.key}}
    model = resource.spec.model
    environment = [
        {"name": KEY_VARIABLE, "valueFrom": reference},
        *(entry for hub in HUBS for entry in make_hub_env(f"{hub}://", site.hubs)),
        *make_token_env(model.source or f"{HUGGING_FACE}://", model.token_secret_ref),
        *own_hub_variables(resource),
    ]
    container["env"] = list({entry["name"]: entry for entry in environment}.values())
    container["volumeMounts"] = [
        {"name": FETCHED, "mountPath": FETCHED_PATH.rstrip("/")},
        {"name": LIST, "mountPath": LIST_PATH, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
        *make_ca_mounts(f"{HUGGING_FACE}://", site.hubs),
    ]
    container["readinessProbe"] = {
        "exec": {"command": ["test", "-f", READY_FILE]},
        "periodSeconds": READINESS_PERIOD_S,
        "failureThreshold": 1,
    }
    return [container]
