"""Requests and their errors, against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from qwen3_operator.cluster.connection import Connection
from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUS = {
    "kind": "Status",
    "status": "Failure",
    "message": 'pods "x" is forbidden: exceeded quota',
    "reason": "Forbidden",
    "code": 403,
}


@asynccontextmanager
async def serving(handler: Handler, folder: Path) -> AsyncIterator[Api]:
    """Serve every path by one handler; yield an Api that talks to it through a kubeconfig."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(config(f"http://127.0.0.1:{port}", "secret")))
    connection = await Connection.open(str(kubeconfig), None)
    try:
        yield Api(connection, timeout_s=2.0, limit=4)
    finally:
        await connection.close()
        await runner.cleanup()


def config(server: str, token: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
    }


def error_of(answer: web.Response, folder: Path) -> ClusterError:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return answer

    async def scenario() -> ClusterError:
        async with serving(handler, folder) as api:
            with pytest.raises(ClusterError) as caught:
                await api.get("/api/v1/pods")
            return caught.value

    return asyncio.run(scenario())


def test_a_refusal_carries_the_servers_own_words(tmp_path: Path) -> None:
    error = error_of(web.json_response(STATUS, status=403), tmp_path)
    assert (error.status, error.reason) == (403, "Forbidden")
    assert error.message == 'pods "x" is forbidden: exceeded quota'
    assert error.is_refusal
    assert error.retry_after_s is None


@pytest.mark.parametrize(
    ("headers", "details"),
    [
        pytest.param({"Retry-After": "7"}, {}, id="in the header"),
        pytest.param({}, {"retryAfterSeconds": 7}, id="in the status"),
    ],
)
def test_the_pause_that_the_server_asks_for_is_passed_on(
    headers: dict[str, str], details: dict[str, int], tmp_path: Path
) -> None:
    body = {**STATUS, "reason": "TooManyRequests", "details": details}
    error = error_of(web.json_response(body, status=429, headers=headers), tmp_path)
    assert error.retry_after_s == 7
    assert not error.is_refusal


def test_an_answer_of_something_in_between_is_an_error_like_any_other(tmp_path: Path) -> None:
    error = error_of(web.Response(status=502, text="<html>Bad Gateway</html>"), tmp_path)
    assert error.status == 502
    assert "Bad Gateway" in error.message


def test_a_namespace_that_is_going_is_told_apart_from_other_refusals(tmp_path: Path) -> None:
    causes = {"causes": [{"reason": "NamespaceTerminating", "message": "…"}]}
    error = error_of(web.json_response({**STATUS, "details": causes}, status=403), tmp_path)
    assert error.reason == "NamespaceTerminating"


def test_a_server_that_is_not_there_is_a_cluster_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps(config("http://127.0.0.1:1", "t")))
        connection = await Connection.open(str(kubeconfig), None)
        api = Api(connection, timeout_s=2.0, limit=4)
        with pytest.raises(ClusterError) as caught:
            await api.get("/api/v1/pods")
        assert (caught.value.status, caught.value.reason) == (0, "Unreachable")
        await connection.close()

    asyncio.run(scenario())


def test_a_server_that_does_not_answer_is_given_up_in_time(tmp_path: Path) -> None:
    async def handler(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async def scenario() -> None:
        async with serving(handler, tmp_path) as api:
            with pytest.raises(ClusterError) as caught:
                await api.replace("/x", {}, timeout_s=0.05)
            assert caught.value.reason == "Timeout"

    asyncio.run(scenario())


def test_what_is_sent_is_json_with_the_right_type_and_owner(tmp_path: Path) -> None:
    seen: list[tuple[str, str, str, dict[str, str], Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        token = request.headers["Authorization"]
        body = await request.json()
        seen.append((request.method, request.content_type, token, dict(request.query), body))
        return web.json_response({"ok": True})

    async def scenario() -> None:
        async with serving(handler, tmp_path) as api:
            assert await api.apply("/a", {"x": 1}, force=True) == {"ok": True}
            await api.apply("/a", {"x": 1}, force=False)
            await api.patch("/a/status", [{"op": "add", "path": "/status", "value": {}}])

    asyncio.run(scenario())
    manager = {"fieldManager": "qwen3-operator"}
    bearer = "Bearer secret"
    assert seen == [
        ("PATCH", "application/apply-patch+yaml", bearer, {**manager, "force": "true"}, {"x": 1}),
        ("PATCH", "application/apply-patch+yaml", bearer, {**manager, "force": "false"}, {"x": 1}),
        (
            "PATCH",
            "application/json-patch+json",
            bearer,
            manager,
            [{"op": "add", "path": "/status", "value": {}}],
        ),
    ]


def test_events_of_any_size_are_read_however_they_are_cut(tmp_path: Path) -> None:
    events = [{"type": "ADDED", "object": {"data": "x" * size}} for size in (1, 300_000, 5)]
    text = b"".join(json.dumps(event).encode() + b"\n" for event in events)

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(text), 70_001):
            await response.write(text[start : start + 70_001])
        await response.write_eof()
        return response

    async def scenario() -> None:
        async with serving(handler, tmp_path) as api:
            assert [event async for event in api.stream("/w", {}, idle_s=5)] == events

    asyncio.run(scenario())


def test_a_silent_stream_ends_by_itself(tmp_path: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type": "BOOKMARK", "object": {}}\n')
        await asyncio.sleep(60)
        return response

    async def scenario() -> None:
        async with serving(handler, tmp_path) as api:
            seen = [event["type"] async for event in api.stream("/w", {}, idle_s=0.05)]
            assert seen == ["BOOKMARK"]

    asyncio.run(scenario())


def test_credentials_that_are_refused_are_read_again_and_the_request_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a token that was rotated: file and server agree again, only our memory is old."""
    monkeypatch.setattr("qwen3_operator.cluster.connection.RELOAD_PAUSE_S", 0.0)
    accepted = "secret"
    bodies: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != f"Bearer {accepted}":
            return web.json_response({"message": "Unauthorized"}, status=401)
        bodies.append(await request.json())
        return web.json_response({"ok": True})

    async def scenario() -> None:
        nonlocal accepted
        async with serving(handler, tmp_path) as api:
            await api.create("/x", {"n": 1})
            accepted = "rotated"
            kubeconfig = tmp_path / "kubeconfig"
            kubeconfig.write_text(kubeconfig.read_text().replace("secret", "rotated"))
            answers = await asyncio.gather(*(api.create("/x", {"n": n}) for n in (2, 3)))
            assert answers == [{"ok": True}] * 2
            accepted = "lost"
            with pytest.raises(ClusterError) as caught:
                await api.create("/x", {"n": 4})
            assert caught.value.status == 401

    asyncio.run(scenario())
    assert sorted(body["n"] for body in bodies) == [1, 2, 3]


def test_no_configuration_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    async def scenario() -> None:
        with pytest.raises(ClusterError) as caught:
            await Connection.open(str(tmp_path / "none"), None)
        assert caught.value.reason == "Unconfigured"

    asyncio.run(scenario())
