"""The engine's container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.environment import make_env
from qwen3_operator.desired.leaving import make_code_arguments
from qwen3_operator.desired.names import CONTAINER, PORT_NAME
from qwen3_operator.desired.probes import make_probes
from qwen3_operator.desired.resources import make_resources, make_thread_arguments
from qwen3_operator.desired.runtime_adapters import make_runtime_arguments
from qwen3_operator.desired.security import make_container_security_context
from qwen3_operator.desired.shutdown import make_drain_arguments, make_pre_stop
from qwen3_operator.desired.volumes import make_volume_mounts
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.sources import LEADER_ADDRESS

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def make_container(resource: Qwen3Deployment, plan: Plan, site: Site, pool: Pool) -> dict[str, Any]:
    """Make the container that runs the planned command."""
    engine = engine_of(plan.engine)
    resources = make_resources(resource, plan, pool)
    arguments = make_arguments(resource, plan, site)
    arguments += make_thread_arguments(pool, resources["requests"], arguments)
    return {
        "name": CONTAINER,
        "image": resource.spec.engine.image or site.image(plan, pool.architecture),
        "imagePullPolicy": "IfNotPresent",
        "command": list(engine.entry_point),
        "args": arguments,
        "env": make_env(resource, plan, site),
        "ports": [{"name": PORT_NAME, "containerPort": engine.port, "protocol": "TCP"}],
        "resources": resources,
        "volumeMounts": make_volume_mounts(resource, plan, site),
        "securityContext": make_container_security_context(),
        "lifecycle": {"preStop": make_pre_stop(plan, site, arguments)},
        "terminationMessagePolicy": "FallbackToLogsOnError",  # the status repeats its last error
        **make_probes(resource, plan),
    }


def make_arguments(resource: Qwen3Deployment, plan: Plan, site: Site) -> list[str]:
    """Make the engine's arguments: the planned ones, then the user's, which may say more.

    Kubernetes expands ``$(NAME)``: the planned ones are meant to the letter, an API key comes from
    its variable.
    """
    engine = engine_of(plan.engine)
    planned = [_escaped(word) for word in plan.command[len(engine.program) :]]
    if resource.spec.api_key_secret_ref is not None:
        planned.extend(engine.api_key_arguments)
    planned += [*make_runtime_arguments(resource), *make_code_arguments(plan, site)]
    arguments = [*planned, *resource.spec.engine.extra_args]
    return [*planned, *make_drain_arguments(plan, arguments), *resource.spec.engine.extra_args]


def _escaped(word: str) -> str:
    """Have Kubernetes leave a word as it is, but for the address of a replica's leader."""
    return word.replace("$(", "$$(").replace(f"${LEADER_ADDRESS}", LEADER_ADDRESS)
