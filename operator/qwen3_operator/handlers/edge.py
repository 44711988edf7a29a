"""kopf: tells of the resource's events. It handles nothing else, and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kopf

from qwen3_operator.cluster.resources import PLURAL
from qwen3_planner.api.v1alpha1 import GROUP, VERSION

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Sequence

    from qwen3_operator.cluster.connection import Connection

    Told = Callable[[str | None, dict[str, Any]], None]
    """Takes an event's type (None while listing) and the object."""

WORKERS_IDLE_S = 0.5
"""kopf keeps a task per object for so long after its last event; ours end at once."""

ERROR_PAUSES_S = (1, 1, 2, 3, 5, 8, 13, 21, 30, 30, 30, 30)
"""Between attempts at a request that failed; together longer than an API server's restart."""


class _Forgetful(kopf.DiffBaseStorage):
    """Remembers no earlier state of an object: nobody asks what changed, and copies cost time."""

    def build(self, *, body: kopf.Body, **_: object) -> kopf.BodyEssence:  # noqa: ARG002 - as kopf calls it
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002 - as kopf calls it
        return None

    def store(self, **_: object) -> None:
        """Do nothing."""


_UNUSED: Any = "qwen3-operator"
"""kopf's name for its peering, which is off. Else it asks for the name of the user, and the numbers
that containers run as have none."""


async def spawn(
    connection: Connection, namespaces: Sequence[str], told: Told, stop: asyncio.Event
) -> Collection[asyncio.Task[Any]]:
    """Start kopf's tasks in the running loop; ``kopf.run_tasks`` waits for them until `stop`."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def _login(**_: object) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=connection.session(0))

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def _event(event: kopf.RawEvent, **_: object) -> None:
        told(event["type"], dict(event["object"]))

    return await kopf.spawn_tasks(
        registry=registry,
        identity=_UNUSED,
        settings=_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )


def overlook_farewell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Be the loop's exception handler, which says nothing of one thing that is known.

    kopf 1.45 leaves its watch stream open, and closing it when the loop ends fails ("generator
    didn't stop after athrow()"). Everything else is passed on.
    """
    stream = context.get("asyncgen")
    if getattr(stream, "__name__", "") != "infinite_watch":
        loop.default_exception_handler(context)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = _Forgetful()
    settings.queueing.idle_timeout = WORKERS_IDLE_S
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = ERROR_PAUSES_S
    settings.networking.enforce_retry_after = True
    settings.watching.reconnect_backoff = 0.5
    settings.process.ultimate_exiting_timeout = 60
    return settings
