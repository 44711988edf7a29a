"""Requests to the API server: plain JSON over one pool of connections, errors translated once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from qwen3_operator.cluster.connection import Connection

APPLY = "application/apply-patch+yaml"
"""Server-side apply; JSON is YAML."""

JSON_PATCH = "application/json-patch+json"
JSON = "application/json"

FIELD_MANAGER = "qwen3-operator"
"""Owner of every field that this operator writes."""

NAMESPACE_GOES = "NamespaceTerminating"
"""Cause that the API server gives when nothing can be made any more in a namespace."""

ERROR_STATUS = 400
"""The first HTTP status that is an error."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``timeout_s`` None is the setting's."""

    method: str
    path: str
    body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    timeout_s: float | None = None


class Api:
    """What the operator asks of the API server. Every method raises ClusterError alone.

    Paths begin with ``/api/v1`` or ``/apis/<group>/<version>``.
    """

    def __init__(self, connection: Connection, *, timeout_s: float, limit: int) -> None:
        self.server = connection.server
        self._session = connection.session(limit)
        self._streams = connection.session(0)
        self._timeout_s = timeout_s

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one object or one page of a list."""
        return await self.send(Request("GET", path, params=params or {}))

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST an object into a collection."""
        return await self.send(Request("POST", path, body))

    async def replace(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """PUT an object; its resourceVersion guards against an overwrite."""
        return await self.send(Request("PUT", path, body, timeout_s=timeout_s))

    async def apply(self, path: str, manifest: Mapping[str, Any], *, force: bool) -> dict[str, Any]:
        """Server-side apply; returns the live object. Forced, fields we name become ours."""
        params = {"fieldManager": FIELD_MANAGER, "force": str(force).lower()}
        return await self.send(Request("PATCH", path, manifest, params, APPLY))

    async def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """JSON patch. Returns the live object."""
        params = {"fieldManager": FIELD_MANAGER}
        return await self.send(Request("PATCH", path, operations, params, JSON_PATCH))

    async def delete(self, path: str, uid: str) -> None:
        """Delete the object with exactly this uid, its dependents in the background."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        await self.send(Request("DELETE", path, body))

    async def text(self, path: str) -> str:
        """Read what is no JSON, such as what a pod answers through the API server."""
        return (await self._exchange(Request("GET", path), "text/plain, */*")).decode(
            errors="replace"
        )

    async def send(self, request: Request) -> dict[str, Any]:
        """Send one request and return the answer's JSON."""
        text = await self._exchange(request, JSON)
        try:
            answer: dict[str, Any] = json.loads(text) if text else {}
        except ValueError as error:
            raise _unreachable(request.method, request.path, error) from error
        return answer

    async def _exchange(self, request: Request, accepted: str) -> bytes:
        body = request.body
        try:
            async with self._session.request(
                request.method,
                self.server + request.path,
                params=request.params,
                data=None if body is None else json.dumps(body, separators=(",", ":")).encode(),
                headers={"Content-Type": request.content_type, "Accept": accepted},
                timeout=aiohttp.ClientTimeout(total=request.timeout_s or self._timeout_s),
            ) as response:
                text = await response.read()
                if response.status >= ERROR_STATUS:
                    raise _refusal(response, text)
                return text
        except TimeoutError as error:
            where = f"{request.method} {request.path}"
            raise ClusterError(0, "Timeout", f"{where}: no answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unreachable(request.method, request.path, error) from error

    async def stream(
        self, path: str, params: Mapping[str, str], *, idle_s: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the events of a watch until the server or silence of `idle_s` ends it."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=idle_s)
        try:
            async with self._streams.get(
                self.server + path, params=params, timeout=timeout, headers={"Accept": JSON}
            ) as response:
                if response.status >= ERROR_STATUS:
                    raise _refusal(response, await response.read())
                async for line in _lines(response.content):
                    yield json.loads(line)
        except TimeoutError:
            return
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unreachable("WATCH", path, error) from error


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    """Split a stream into lines of any length (aiohttp's own iteration bounds them)."""
    rest = b""
    async for chunk in content.iter_any():
        first, newline, tail = chunk.partition(b"\n")
        if not newline:
            rest += chunk
            continue
        yield rest + first
        *whole, rest = tail.split(b"\n")
        for line in whole:
            yield line


def _refusal(response: aiohttp.ClientResponse, text: bytes) -> ClusterError:
    """Make an error of the API server's Status object, or of whatever stood in front of it."""
    reason, hint = str(response.reason or ""), None
    try:
        status = json.loads(text)
        message = str(status.get("message") or "")
        reason = str(status.get("reason") or reason)
        details = status.get("details") or {}
        hint = details.get("retryAfterSeconds")
        if any(cause.get("reason") == NAMESPACE_GOES for cause in details.get("causes") or ()):
            reason = NAMESPACE_GOES
    except (ValueError, AttributeError):
        message = text[:512].decode("utf-8", "replace")
    header = response.headers.get("Retry-After", "")
    wait = float(header) if header.isdecimal() else hint
    return ClusterError(response.status, reason, message or reason, wait)


def _unreachable(method: str, path: str, error: Exception) -> ClusterError:
    return ClusterError(0, "Unreachable", f"{method} {path}: {error or type(error).__name__}")
