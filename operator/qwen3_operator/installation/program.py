"""What ``qwen3-operator check`` does: look at everything, say what was seen, judge."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from qwen3_operator.cluster.connection import Connection, own_namespace
from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError
from qwen3_operator.installation import findings, looking
from qwen3_operator.installation.rights import needed

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from qwen3_operator.installation.findings import Finding
    from qwen3_operator.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Task:
    """What is looked at, and how long for what may still become right."""

    api: Api
    settings: Settings
    home: str
    timeout_s: float


async def check(settings: Settings, timeout_s: float) -> list[Finding]:
    """Look at an installation from inside, with the operator's own account and settings.

    Raises:
        ClusterError: no cluster is configured.
    """
    connection = await Connection.open(settings.kubeconfig, settings.context)
    try:
        api = Api(connection, timeout_s=settings.request_timeout_s, limit=settings.request_limit)
        home = settings.lease_namespace or own_namespace() or "default"
        task = _Task(api, settings, home, timeout_s)
        looks = (_definition(task), _rights(task), _pods(task), _lease(task))
        return list(await asyncio.gather(*looks))
    finally:
        await connection.close()


async def _definition(task: _Task) -> Finding:
    seen, problem = await _tried(looking.definition(task.api))
    served, fields = seen or (frozenset[str](), frozenset[str]())
    return findings.of_definition(served, fields, looking.known_fields(), problem)


async def _rights(task: _Task) -> Finding:
    groups, problem = await _tried(looking.served_groups(task.api))
    lease = (task.home, task.settings.lease_name)
    rights = needed(task.settings.namespaces, lease, groups or frozenset())
    if problem:
        return findings.of_rights(0, (), problem)
    denied, problem = await _tried(looking.denied(task.api, rights))
    return findings.of_rights(len(rights), denied or (), problem)


async def _pods(task: _Task) -> Finding:
    labels, port = task.settings.pod_labels, task.settings.health_port
    if not labels:
        return findings.of_pods({}, "which are they? Give the setting pod_labels")
    look = looking.pods(task.api, task.home, labels, port, task.timeout_s)
    answers, problem = await _tried(look)
    return findings.of_pods(answers or {}, problem)


async def _lease(task: _Task) -> Finding:
    name = (task.home, task.settings.lease_name)
    return findings.of_lease(await looking.lease(task.api, name, task.timeout_s))


async def _tried(look: Awaitable[T]) -> tuple[T | None, str]:
    """Return what was seen, or why it was not."""
    try:
        return await look, ""
    except ClusterError as error:
        return None, error.message
