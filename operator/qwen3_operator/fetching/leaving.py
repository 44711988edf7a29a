"""Lets clients go before an engine ends: an ASGI middleware inside the engine's server.

vLLM stops its engine first and its HTTP server last: what arrives in between over a connection that
a client has kept is answered with status 500 (PyPI vllm 0.32.0 vllm/entrypoints/launchers/
launcher.py, and seen on 2026-11-23: 72 of 75 requests in 25 seconds). So before SIGTERM the kubelet
calls :data:`PATH` as the pod's preStop hook. From then on every answer says ``Connection: close``,
and the call is answered when no connection is left, or the time is over. Nothing is refused
meanwhile.

This file is mounted beside the engine and named by ``--middleware``; it stands alone and needs
nothing but Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATH = "/qwen3/leave"
"""Anybody may call it: it makes clients connect anew for a while and does nothing else."""

STEP_S = 0.1

LONGEST_S = 3600.0
"""No call lasts longer, whoever makes it."""

LASTS_S = 60.0
"""How long connections are closed after a call's time: longer than the process then lives."""


class Leaving:
    """Closes connections after their answers, from the call of :data:`PATH` on."""

    def __init__(self, app: App, flag: Path | None = None) -> None:
        """Stand before an app.

        Args:
            app: what answers.
            flag: a file that tells the other processes of this server that one was called: its
                time says until when connections are closed.
        """
        self._app = app
        self._flag = flag or Path(tempfile.gettempdir()) / "qwen3-leaving"
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and close its connection if this replica leaves."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope.get("path") == PATH:
            await self._leave(scope, send)
            return

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._leaves():
                message = {**message, "headers": _closed(message.get("headers") or ())}
            await send(message)

        self._in_flight += 1
        try:
            await self._app(scope, receive, closing)
        finally:
            self._in_flight -= 1

    def _leaves(self) -> bool:
        try:
            return time.clock_gettime(time.CLOCK_REALTIME) < self._flag.stat().st_mtime
        except OSError:
            return False

    async def _leave(self, scope: Scope, send: Send) -> None:
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        at_least, at_most = (_seconds(asked, name) for name in ("at-least", "at-most"))
        until = time.clock_gettime(time.CLOCK_REALTIME) + at_most + LASTS_S
        with contextlib.suppress(OSError):
            self._flag.touch()
            os.utime(self._flag, (until, until))
        connections = _connections(scope)
        _close_after_answers(connections, scope)
        began = time.monotonic()
        while (passed := time.monotonic() - began) < at_most:
            if passed >= at_least and not self._in_flight and len(connections) <= 1:
                break
            await asyncio.sleep(STEP_S)
        headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"nobody is left\n"})


def _seconds(asked: dict[str, list[str]], name: str) -> float:
    try:
        return min(float(asked.get(name, ["0"])[0]), LONGEST_S)
    except ValueError:
        return 0.0


def _closed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    others = [(name, value) for name, value in headers if name.lower() != b"connection"]
    return [*others, (b"connection", b"close")]


def _connections(scope: Scope) -> set[Any]:
    """Return uvicorn's connections, as it keeps them; empty where the server is another one.

    vLLM has its server in the state of its app since 0.9; connections are sets of protocols with
    the request that they are at (PyPI uvicorn 0.54.0 uvicorn/protocols/http/httptools_impl.py).
    """
    server = getattr(getattr(scope.get("app"), "state", None), "server", None)
    found = getattr(getattr(server, "server_state", None), "connections", None)
    return found if isinstance(found, set) else set()


def _close_after_answers(connections: set[Any], own: Scope) -> None:
    """Close connections after answers that have begun already, whose headers are sent."""
    for connection in list(connections):
        cycle = getattr(connection, "cycle", None)
        if cycle is not None and getattr(cycle, "scope", None) is not own:
            cycle.keep_alive = False
