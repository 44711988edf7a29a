"""Ending a replica without losing requests: three times that have to be in step.

A pod that is deleted is taken out of the Service while its preStop hook lasts, so that no new
connection arrives. Where our code is in the engine's server, the hook also has clients leave the
connections they keep, and lasts until all are answered. Elsewhere it sleeps. Then the engine
drains what it has begun for at most its own shutdown timeout; the kubelet kills what is left when
the grace period is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.desired.leaving import lets_clients_go, make_leaving_hook
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from qwen3_operator.desired.site import Site
    from qwen3_planner.plan import Plan

FLAG = "--shutdown-timeout"

DRAIN_S = 60
"""A long answer at a slow rate: 2000 tokens at 30 ms each."""

LEAVE_SERVICE_S = 5
"""Time for endpoints to reach every kube-proxy and load balancer."""

EXIT_S = 25
"""Freeing GPUs and ending the worker processes once everything is answered."""


def drain_s(plan: Plan, arguments: Sequence[str]) -> int:
    """Return how long the engine drains, by what its arguments say; 0 if it cannot.

    >>> from types import SimpleNamespace
    >>> plan = SimpleNamespace(engine="vllm", engine_version="0.32.0")
    >>> drain_s(plan, ["--shutdown-timeout=90"])
    90
    """
    if not can_drain(plan):
        return 0
    given = DRAIN_S
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        name, equals, value = argument.partition("=")
        value = value if equals else following
        if name.replace("_", "-") == FLAG and value.isdecimal():
            given = int(value)
    return given


def can_drain(plan: Plan) -> bool:
    """Whether this engine version has the flag."""
    return bool(_own_arguments(plan))


def make_drain_arguments(plan: Plan, arguments: Sequence[str]) -> list[str]:
    """Make the flag where the engine has it and nobody gave it."""
    given = any(a.partition("=")[0].replace("_", "-") == FLAG for a in arguments)
    return [] if given else [*_own_arguments(plan)]


def make_pre_stop(plan: Plan, site: Site, arguments: Sequence[str]) -> dict[str, Any]:
    """Make the preStop hook; what is left when it ends has the rest of the grace period.

    Args:
        plan: names engine and version.
        site: has the code that lets clients go.
        arguments: of the engine; the time that they give it is the time that clients have.
    """
    if not lets_clients_go(plan, site):
        return {"sleep": {"seconds": pre_stop_s(plan)}}
    given = drain_s(plan, arguments) if can_drain(plan) else DRAIN_S
    return make_leaving_hook(LEAVE_SERVICE_S, LEAVE_SERVICE_S + given)


def pre_stop_s(plan: Plan) -> int:
    """Return how long preStop sleeps; an engine that cannot drain serves on meanwhile."""
    return LEAVE_SERVICE_S if can_drain(plan) else LEAVE_SERVICE_S + DRAIN_S


def grace_period_s(plan: Plan, arguments: Sequence[str]) -> int:
    """Return terminationGracePeriodSeconds."""
    return pre_stop_s(plan) + drain_s(plan, arguments) + EXIT_S


def _own_arguments(plan: Plan) -> tuple[str, ...]:
    return engine_of(plan.engine).shutdown_arguments(plan.engine_version, DRAIN_S)
