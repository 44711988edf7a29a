"""How clients leave a replica that ends: the part of it that runs inside the engine's server.

The code comes with a ConfigMap, so that engines need no image but their own. It is for replicas of
one pod: the ranks of a larger one that do not lead have no server that could be called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import names
from qwen3_operator.desired.metadata import make_metadata
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

VOLUME = "engine-code"

CODE_PATH = "/etc/qwen3/engine"
"""Where the engine imports it from."""

MODULE = "qwen3_leaving"

MIDDLEWARE = f"{MODULE}.Leaving"
""":class:`qwen3_operator.fetching.leaving.Leaving`, as the engine imports it."""

PATH = "/qwen3/leave"
""":data:`qwen3_operator.fetching.leaving.PATH`."""


def lets_clients_go(plan: Plan, site: Site) -> bool:
    """Whether the engine's server has our code in it, which the preStop hook calls."""
    is_one_pod = plan.layout.nodes_per_replica == 1
    return bool(site.leaving and is_one_pod and engine_of(plan.engine).middleware_flag)


def make_engine_code(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the ConfigMap with the code; none where the engine takes none."""
    if not lets_clients_go(plan, site):
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": make_metadata(resource, plan, names.engine_code(resource.metadata.name)),
            "data": {f"{MODULE}.py": site.leaving},
        }
    ]


def make_code_volumes(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the volume of the code."""
    if not lets_clients_go(plan, site):
        return []
    return [
        {"name": VOLUME, "configMap": {"name": names.engine_code(resource.metadata.name)}},
    ]


def make_code_mounts(plan: Plan, site: Site) -> list[dict[str, Any]]:
    """Make the engine's mount of it."""
    if not lets_clients_go(plan, site):
        return []
    return [{"name": VOLUME, "mountPath": CODE_PATH, "readOnly": True}]


def make_code_arguments(plan: Plan, site: Site) -> list[str]:
    """Make the engine's argument that has the code in front of every request."""
    if not lets_clients_go(plan, site):
        return []
    return [engine_of(plan.engine).middleware_flag, MIDDLEWARE]


def code_paths(plan: Plan, site: Site) -> tuple[str, ...]:
    """Return where the engine's Python looks for it."""
    return (CODE_PATH,) if lets_clients_go(plan, site) else ()


def make_leaving_hook(at_least_s: int, at_most_s: int) -> dict[str, Any]:
    """Make the handler that returns when all clients are gone, or the time is over."""
    path = f"{PATH}?at-least={at_least_s}&at-most={at_most_s}"
    return {"httpGet": {"path": path, "port": names.PORT_NAME}}
