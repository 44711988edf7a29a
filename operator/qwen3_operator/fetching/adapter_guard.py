"""Lets nobody but the pod itself load adapters: an ASGI middleware inside the engine's server.

vLLM opens its endpoints to whoever holds the API key, which clients do. This file is copied beside
the engine and named by ``--middleware``; it stands alone and needs nothing but Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})

CLOSED = ("/load_lora_adapter", "/unload_lora_adapter", "/adapters")
"""Parts of paths by which adapters are loaded and unloaded: vLLM's own, and those that it has where
SageMaker's conventions are on (PyPI vllm 0.32.0 vllm/entrypoints/serve/lora/api_router.py)."""

ANSWER = b'{"error": {"message": "Adapters are named in spec.lora.adapters.", "code": 403}}'


class LocalOnly:
    """Answers 403 to everybody else who wants to load or unload an adapter."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it is about adapters and comes from elsewhere."""
        if scope["type"] != "http" or not self._is_closed(scope):
            await self._app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": ANSWER})

    @staticmethod
    def _is_closed(scope: Scope) -> bool:
        client = scope.get("client") or ("", 0)
        asked = f"{scope.get('path', '')}/"
        return client[0] not in LOOPBACK and any(f"{part}/" in asked for part in CLOSED)
