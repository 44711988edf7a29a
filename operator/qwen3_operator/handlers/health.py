"""``/healthz``: the process answers. ``/readyz``: its caches are warm, be it leader or standby.

``/metrics``: for Prometheus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_operator.handlers.metrics import Metrics


class HealthServer:
    """Answers probes and scrapes; runs in the one event loop, so a blocked loop is seen."""

    def __init__(
        self, host: str, port: int, why_not_ready: Callable[[], str], metrics: Metrics
    ) -> None:
        """Prepare; `why_not_ready` returns an empty text once the operator is ready."""
        self._host = host
        self._port = port
        self._why_not_ready = why_not_ready
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; port 0 means that no endpoint is wanted."""
        if self._port == 0:
            return
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._scrape)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        why_not = self._why_not_ready()
        return web.Response(text=(why_not or "ok") + "\n", status=503 if why_not else 200)

    async def _scrape(self, request: web.Request) -> web.Response:
        body, content_type = self._metrics.text(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})
