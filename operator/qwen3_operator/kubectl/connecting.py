"""The cluster of the current kubeconfig, or one sentence that says why it does not answer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from qwen3_operator.cluster.connection import Connection, context_namespace
from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError
from qwen3_planner.errors import SpecError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

TIMEOUT_S = 15.0
"""For one answer: somebody waits for it."""

LIMIT = 16
"""Requests in flight at once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Which cluster is meant, as kubectl's own options say it; None: as kubectl would choose."""

    kubeconfig: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection, its API, and the namespace that the context names (``default`` if none)."""

    connection: Connection
    api: Api
    namespace: str


def ask(place: Place, question: Callable[[Cluster], Coroutine[None, None, T]]) -> T:
    """Ask the cluster something.

    Raises:
        SpecError: the kubeconfig that is named is not there.
        UnreachableError: no cluster is configured, it does not answer, or it refuses.
    """
    if place.kubeconfig is not None and not Path(place.kubeconfig).is_file():
        raise SpecError("--kubeconfig", place.kubeconfig, "there is no such file")

    async def run() -> T:
        async with _connected(place) as cluster:
            try:
                return await question(cluster)
            except ClusterError as error:
                raise UnreachableError(_said(error, cluster.api.server)) from error

    with _quiet():
        return asyncio.run(run())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep stderr for the user."""
    talkative = [logging.getLogger(name) for name in ("qwen3_operator", "kubernetes")]
    levels = [logger.level for logger in talkative]
    for logger in talkative:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(talkative, levels, strict=True):
            logger.setLevel(level)


@asynccontextmanager
async def _connected(place: Place) -> AsyncIterator[Cluster]:
    try:
        connection = await Connection.open(place.kubeconfig, place.context)
    except ClusterError as error:
        raise UnreachableError(
            f"no cluster is configured: {error.message.splitlines()[0]}\n"
            "  Give --kubeconfig FILE and --context NAME, or set KUBECONFIG."
        ) from error
    try:
        api = Api(connection, timeout_s=TIMEOUT_S, limit=LIMIT)
        namespace = context_namespace(place.kubeconfig, place.context) or "default"
        yield Cluster(connection, api, namespace)
    finally:
        await connection.close()


def _said(error: ClusterError, server: str) -> str:
    """Say what the cluster answered, and what would help."""
    match error.status:
        case 0:
            return f"the cluster at {server} does not answer: {error.message}"
        case 401:
            return f"the cluster at {server} does not know you: {error.message}"
        case 403:
            return (
                f"the cluster at {server} does not let you see that: {error.message}\n"
                "  Whoever runs the cluster can allow it; nodes and pods are needed from all"
                " namespaces."
            )
        case 404:
            return (
                f"the cluster at {server} has no Qwen3Deployments of that kind or name:"
                f" {error.message}\n  Is the chart installed? kubectl get crd"
                " qwen3deployments.serving.qwen3.dev"
            )
        case _:
            return f"the cluster at {server} refuses: {error.message}"
