"""Environment of the engine's container. Secrets come by reference and never as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.hub_access import make_hub_env, make_token_env
from qwen3_operator.desired.leaving import code_paths
from qwen3_operator.desired.runtime_adapters import guard_paths, make_runtime_env
from qwen3_operator.desired.volumes import CACHE_PATH, HOME_PATH, is_brought
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.request import MODEL_MOUNT_PATH

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.references import EnvVar
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

USER_NAME = "engine"
"""getpass.getuser() takes it; without it Python asks a passwd file that does not know the uid."""

SURROUNDINGS = (
    ("HOME", HOME_PATH),
    ("USER", USER_NAME),
    ("LOGNAME", USER_NAME),
    ("XDG_CACHE_HOME", CACHE_PATH),
    ("HF_HOME", f"{CACHE_PATH}/huggingface"),
)
"""What any engine needs under a read-only root as a user without a name."""

NO_CALLS_HOME = (("HF_HUB_DISABLE_TELEMETRY", "1"),)


def make_env(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the variables; of two alike the later wins: ours, the plan's, the site's, the user's."""
    engine = engine_of(plan.engine)
    caches = ((name, f"{CACHE_PATH}/{path}".rstrip("/")) for name, path in engine.cache_variables)
    surroundings = (*SURROUNDINGS, *caches, *NO_CALLS_HOME, *engine.switches)
    entries = [{"name": name, "value": value} for name, value in surroundings]
    if is_brought(resource, plan):
        entries.append({"name": "HF_HUB_OFFLINE", "value": "1"})
    entries.extend({"name": name, "value": value} for name, value in plan.env)
    entries.extend({"name": name, "value": value} for name, value in _kept_on_node(resource))
    if not is_brought(resource, plan):
        entries.extend(make_hub_env(plan.source, site.hubs))
        entries.extend(make_token_env(plan.source, resource.spec.model.token_secret_ref))
    entries.extend(_user_variable(variable) for variable in resource.spec.engine.env)
    entries.extend(make_runtime_env(resource))
    entries.extend(_python_path(resource, plan, site))  # after the user's: our code must be found
    api_key = resource.spec.api_key_secret_ref
    if api_key is not None:  # after the user's: access control has one source
        entries.append(_secret(engine.api_key_variable, api_key.name, api_key.key))
    by_name: dict[str, dict[str, Any]] = {}
    for entry in entries:
        by_name.pop(entry["name"], None)
        by_name[entry["name"]] = entry
    return list(by_name.values())


def _python_path(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, str]]:
    """Name the folders of our own code before the user's."""
    ours = (*guard_paths(resource), *code_paths(plan, site))
    if not ours:
        return []
    theirs = (one.value for one in resource.spec.engine.env if one.name == "PYTHONPATH")
    return [{"name": "PYTHONPATH", "value": ":".join([*ours, *filter(None, theirs)])}]


def _kept_on_node(resource: Qwen3Deployment) -> tuple[tuple[str, str], ...]:
    """Have each hub's client keep what it fetches in the node's folder."""
    cache = resource.spec.cache
    if cache is None or cache.host_path is None:
        return ()
    return (
        ("HF_HUB_CACHE", f"{MODEL_MOUNT_PATH}/huggingface"),
        ("MODELSCOPE_CACHE", f"{MODEL_MOUNT_PATH}/modelscope"),
        ("LLAMA_CACHE", f"{MODEL_MOUNT_PATH}/llama.cpp"),
    )


def _secret(variable: str, name: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def _user_variable(variable: EnvVar) -> dict[str, Any]:
    entry = variable.to_kubernetes()
    if variable.value_from is None:
        entry.setdefault("value", "")
    return entry
