"""The pods of a replica over several nodes: one template for its leader, one for the other ranks.

Both come from the template of a replica of one node, so that whatever is decided about pods holds
for every rank. The leader answers requests and is probed; the others have no HTTP server, hence
no port and no probe: a replica is ready when its leader is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels
from qwen3_operator.desired.hashing import fingerprint, template_hash
from qwen3_operator.desired.names import CONTAINER
from qwen3_operator.desired.pod_template import make_pod_template
from qwen3_operator.desired.probes import IMAGE_PULL_S, STARTUP_PERIOD_S
from qwen3_operator.observed import GROUP_GATE, PLAN_HASH_LABEL
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.ranks import (
    ray_leader_script,
    ray_worker_script,
    takes_ray,
    worker_words,
)
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

ADDRESS = "LEADER_ADDRESS"
"""Environment variable with the leader's address; plans name it in their commands."""

NUMBER = "GROUP_RANK"
"""Environment variable with a rank's own number; 0 leads."""

RAY_AUTH = "RAY_AUTH_"
"""How Ray's variables about authentication begin: MODE, TOKEN, TOKEN_PATH."""

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

STAY_WHILE_THE_LEADER_LISTENS = """\
import os, socket, time
while True:
    try:
        socket.create_connection((os.environ["LEADER_ADDRESS"], {port}), 2).close()
    except OSError:
        break
    time.sleep(1)
"""
"""What a rank does when it is told to end: the leader still answers what it has begun, and cannot
without this rank. All pods of a replica are told at the same time."""


@dataclass(frozen=True, slots=True)
class Variables:
    """How a rank learns whose it is: entries of a container's environment."""

    leader: tuple[dict[str, Any], ...]
    others: tuple[dict[str, Any], ...]


def variable(name: str, value: str) -> dict[str, Any]:
    """Make a variable with a value."""
    return {"name": name, "value": value}


def of_pod(name: str, field_path: str) -> dict[str, Any]:
    """Make a variable that holds a field of its own pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": field_path}}}


def make_rank_templates(  # noqa: PLR0913 - as for a replica of one node, and two more
    resource: Qwen3Deployment,
    plan: Plan,
    site: Site,
    pool: Pool,
    variables: Variables,
    *,
    gated: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the templates of the leader and of the other ranks, one hash among the labels of both.

    Args:
        resource: what the user applied.
        plan: of it, over several nodes.
        site: what this installation decides.
        pool: the nodes they go to.
        variables: tell each rank its number and its leader.
        gated: whether pods wait behind the operator's gate until all of a replica fit.
    """
    leader = _made_leader(make_pod_template(resource, plan, site, pool), plan, variables.leader)
    other = _made_other(make_pod_template(resource, plan, site, pool), plan, variables.others)
    for template in (leader, other):
        if takes_ray(plan.command):
            _authenticate(_engine_in(template), resource.metadata.uid)
        if gated:
            template["spec"]["schedulingGates"] = [{"name": GROUP_GATE}]
    plan_hash = fingerprint({"leader": template_hash(leader), "others": template_hash(other)})
    for template in (leader, other):
        template["metadata"]["labels"][PLAN_HASH_LABEL] = plan_hash
    return leader, other


def _made_leader(
    template: dict[str, Any], plan: Plan, variables: tuple[dict[str, Any], ...]
) -> dict[str, Any]:
    engine = _engine_in(template)
    _tell(engine, plan, variables)
    startup = engine.get("startupProbe")
    if startup is not None:  # the slowest of the others may only then begin to pull its image
        startup["failureThreshold"] += ceil_div(IMAGE_PULL_S, STARTUP_PERIOD_S)
    if takes_ray(engine["args"]):
        script = _to_the_letter(ray_leader_script(plan.layout.nodes_per_replica))
        engine["args"] = [*engine["command"], *engine["args"]]
        engine["command"] = ["/bin/sh", "-c", script, "leader"]
    return template


def _made_other(
    template: dict[str, Any], plan: Plan, variables: tuple[dict[str, Any], ...]
) -> dict[str, Any]:
    """Turn a replica's template into that of a rank: no server, no port, no probes."""
    template["metadata"]["labels"][labels.ROLE] = labels.RANK
    engine = _engine_in(template)
    _tell(engine, plan, variables)
    for name in (*PROBES, "ports"):
        engine.pop(name, None)
    stay = STAY_WHILE_THE_LEADER_LISTENS.format(port=engine_of(plan.engine).port)
    engine["lifecycle"] = {"preStop": {"exec": {"command": ["python3", "-c", stay]}}}
    if takes_ray(engine["args"]):
        script = _to_the_letter(ray_worker_script(f"${ADDRESS}"))
        engine["command"], engine["args"] = ["/bin/sh", "-c", script], []
    else:
        engine["args"] = worker_words(plan.engine, engine["args"], f"$({NUMBER})")
    return template


def _engine_in(template: dict[str, Any]) -> dict[str, Any]:
    containers: list[dict[str, Any]] = template["spec"]["containers"]
    return next(container for container in containers if container["name"] == CONTAINER)


def _tell(engine: dict[str, Any], plan: Plan, variables: tuple[dict[str, Any], ...]) -> None:
    """Put our variables first, since others may refer to them; what the user set is kept."""
    told = [*variables]
    if plan.engine == "vllm":
        told.append(of_pod("VLLM_HOST_IP", "status.podIP"))  # not that of another interface
    given = {entry["name"] for entry in engine["env"]}
    engine["env"] = [entry for entry in told if entry["name"] not in given] + engine["env"]


def _authenticate(engine: dict[str, Any], uid: str) -> None:
    """Give all ranks one token for Ray, unless the user's variables say how they authenticate.

    From 2.61 on Ray asks for a token everywhere, and pods share no home in which it would look for
    one; before 2.52 it knows none (docs.ray.io, Token Authentication, 2026-11-23). The operator may
    write no Secrets, so the token is made from what only readers of the namespace know. It keeps
    out who merely reaches the ports.
    """
    if any(entry["name"].startswith(RAY_AUTH) for entry in engine["env"]):
        return
    token = hashlib.sha256(f"ray {uid}".encode()).hexdigest()
    engine["env"] += [variable("RAY_AUTH_MODE", "token"), variable("RAY_AUTH_TOKEN", token)]


def _to_the_letter(script: str) -> str:
    """Keep Kubernetes from expanding what the shell shall."""
    return script.replace("$(", "$$(")
