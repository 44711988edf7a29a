"""Address and credentials of one cluster, and HTTP sessions that carry them.

The client library finds and reads the credentials (service account, kubeconfig, exec plugins); the
sessions are plain aiohttp, because typed models for every object cost more than the reconcile does.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod reads its own namespace."""

RELOAD_PAUSE_S = 5.0
"""Credentials that were just refused are not read again sooner: an exec plugin may be slow."""

USER_AGENT = "qwen3-operator"
"""How audit logs name us."""

UNAUTHORIZED = 401


def own_namespace() -> str | None:
    """Return the namespace of the pod we run in; None outside of a cluster."""
    try:
        return SERVICE_ACCOUNT_NAMESPACE.read_text().strip() or None
    except OSError:
        return None


def context_namespace(kubeconfig: str | None, context: str | None) -> str | None:
    """Return the namespace that a context of the kubeconfig names; None where it names none."""
    try:
        contexts, active = config.list_kube_config_contexts(config_file=kubeconfig)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError):
        return own_namespace()
    chosen = next((c for c in contexts if c["name"] == context), active)
    named = (chosen.get("context") or {}).get("namespace")
    return str(named) if named else None


def _proxy_by_environment(server: str) -> str | None:
    """Look up HTTPS_PROXY and NO_PROXY once; aiohttp's own look-up costs a thread per request."""
    url = urlsplit(server)
    if url.hostname is None or proxy_bypass(url.hostname):
        return None
    return getproxies().get(url.scheme)


class Connection:
    """One API server; its credentials are read again when it refuses them."""

    def __init__(self, load: Callable[[], Awaitable[Configuration]]) -> None:
        self._load = load
        self._configuration = Configuration()
        self._tls: ssl.SSLContext | None = None
        self._loaded_at = 0.0
        self._reloading = asyncio.Lock()
        self._sessions: list[aiohttp.ClientSession] = []

    @classmethod
    async def open(cls, kubeconfig: str | None, context: str | None) -> Connection:
        """Find the cluster: this kubeconfig, else the pod's service account, else kubectl's rules.

        Raises:
            ClusterError: no usable configuration was found.
        """

        async def load() -> Configuration:
            configuration = Configuration()
            if kubeconfig is None and context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
            else:
                await config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=kubeconfig,
                    context=context,
                    client_configuration=configuration,
                    persist_config=False,
                )
            return configuration

        connection = cls(load)
        await connection._reload()
        return connection

    @property
    def server(self) -> str:
        """Base address, without a final slash."""
        return str(self._configuration.host).rstrip("/")

    def session(self, limit: int) -> aiohttp.ClientSession:
        """Open a session with at most `limit` connections (0: no limit); :meth:`close` ends it."""
        pool = aiohttp.TCPConnector(limit=limit, ssl=self._tls or True, keepalive_timeout=60)
        session = aiohttp.ClientSession(
            connector=pool,
            middlewares=(self._authorized,),
            headers={"User-Agent": USER_AGENT},
            proxy=self._configuration.proxy or _proxy_by_environment(self.server),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._sessions.append(session)
        return session

    async def close(self) -> None:
        """End every session."""
        for session in self._sessions:
            await session.close()

    async def _authorized(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Sign a request; when the signature is refused read the credentials again, once."""
        if self._configuration.tls_server_name:
            request.server_hostname = self._configuration.tls_server_name
        await self._sign(request)
        response = await handler(request)
        if response.status != UNAUTHORIZED or not await self._reload_after_refusal():
            return response
        response.release()
        await self._sign(request)
        return await handler(request)

    async def _sign(self, request: aiohttp.ClientRequest) -> None:
        bearer = (await self._configuration.auth_settings()).get("BearerToken")
        if bearer is not None and bearer["value"]:
            request.headers["Authorization"] = bearer["value"]

    async def _reload_after_refusal(self) -> bool:
        asked_at = asyncio.get_running_loop().time()
        async with self._reloading:
            if self._loaded_at >= asked_at:
                return True  # another request did it while this one waited
            if asked_at - self._loaded_at < RELOAD_PAUSE_S:
                return False
            log.info("the API server refused the credentials; reading them again")
            try:
                await self._reload()
            except ClusterError as error:
                log.warning("credentials cannot be read: %s", error.message)
                return False
        return True

    async def _reload(self) -> None:
        try:
            configuration = await self._load()
            tls = RESTClientObject(configuration).ssl_context
        except (config.ConfigException, OSError, ValueError) as error:
            raise ClusterError(0, "Unconfigured", str(error)) from error
        self._configuration = configuration
        if self._tls is None:
            self._tls = tls
        elif configuration.cert_file:
            # Sessions share the context, so new connections present the new certificate.
            self._tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
        self._loaded_at = asyncio.get_running_loop().time()
