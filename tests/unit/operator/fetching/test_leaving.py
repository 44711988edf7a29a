"""Clients go before an engine ends: the middleware that its server has from us."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.desired import leaving as desired
from qwen3_operator.fetching.leaving import LASTS_S, PATH, Leaving

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

CLOSE = (b"connection", b"close")


@dataclass
class Engine:
    """An app that answers when it is let, with a server that knows its connections."""

    connections: set[Any] = field(default_factory=set)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def state(self) -> SimpleNamespace:
        """What vLLM's app keeps its server in."""
        return SimpleNamespace(
            server=SimpleNamespace(server_state=SimpleNamespace(connections=self.connections))
        )

    async def __call__(self, _: object, __: object, send: Callable[..., Any]) -> None:
        await self.may_answer.wait()
        headers = [(b"connection", b"keep-alive"), (b"x-own", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"answer"})


@dataclass(eq=False)
class Connection:
    """One of uvicorn's, at a request."""

    scope: dict[str, Any]

    def __post_init__(self) -> None:
        self.cycle = SimpleNamespace(scope=self.scope, keep_alive=True)


def request(engine: Engine, path: str = "/v1/chat/completions", query: str = "") -> dict[str, Any]:
    return {"type": "http", "path": path, "query_string": query.encode(), "app": engine}


def call(engine: Engine, at_least: float = 0, at_most: float = 30) -> dict[str, Any]:
    return request(engine, PATH, f"at-least={at_least}&at-most={at_most}")


async def headers_of(app: Leaving, scope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {}

    await app(scope, receive, send)
    return list(sent[0]["headers"])


def test_connections_are_kept_until_the_hook_is_called_and_closed_from_then_on(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        engine = Engine()
        engine.may_answer.set()
        app = Leaving(engine, tmp_path / "flag")
        assert CLOSE not in await headers_of(app, request(engine))
        await headers_of(app, call(engine))
        assert await headers_of(app, request(engine)) == [(b"x-own", b"1"), CLOSE]

    asyncio.run(story())


@pytest.mark.thorough
def test_the_hook_lasts_until_the_last_request_is_answered(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine()
        app = Leaving(engine, tmp_path / "flag")
        asked = asyncio.create_task(headers_of(app, request(engine)))
        hook = asyncio.create_task(headers_of(app, call(engine)))
        await asyncio.wait({hook}, timeout=0.3)
        assert not hook.done()
        engine.may_answer.set()
        assert CLOSE in await asked
        await asyncio.wait_for(hook, 5)

    asyncio.run(story())


@pytest.mark.thorough
def test_the_hook_lasts_until_kept_connections_are_gone(tmp_path: Path) -> None:
    async def story() -> None:
        own, kept = object(), object()
        engine = Engine({own, kept})
        hook = asyncio.create_task(headers_of(Leaving(engine, tmp_path / "flag"), call(engine)))
        await asyncio.wait({hook}, timeout=0.3)
        assert not hook.done()
        engine.connections.remove(kept)
        await asyncio.wait_for(hook, 5)

    asyncio.run(story())


def test_an_answer_that_has_begun_ends_with_its_connection(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine()
        begun, own = Connection(request(engine)), Connection(call(engine))
        engine.connections |= {begun, own}
        hook = asyncio.create_task(headers_of(Leaving(engine, tmp_path / "flag"), own.scope))
        await asyncio.wait({hook}, timeout=0.1)
        assert (begun.cycle.keep_alive, own.cycle.keep_alive) == (False, True)
        engine.connections.remove(begun)
        await asyncio.wait_for(hook, 5)

    asyncio.run(story())


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("query", "least_s", "most_s"),
    [
        pytest.param("at-least=0.3&at-most=30", 0.3, 5, id="nobody is there"),
        pytest.param("at-least=0.1&at-most=0.4", 0.4, 5, id="somebody stays"),
        pytest.param("", 0, 1, id="no times given"),
        pytest.param("at-least=soon&at-most=late", 0, 1, id="times that are none"),
    ],
)
def test_the_hook_lasts_as_long_as_it_is_told(
    query: str, least_s: float, most_s: float, tmp_path: Path
) -> None:
    async def story() -> float:
        stays = least_s == 0.4
        engine = Engine({1, 2} if stays else set())
        began = time.monotonic()
        await headers_of(Leaving(engine, tmp_path / "flag"), request(engine, PATH, query))
        return time.monotonic() - began

    assert least_s <= asyncio.run(story()) < most_s


def test_other_processes_of_the_server_close_theirs_too(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine()
        engine.may_answer.set()
        await headers_of(Leaving(engine, tmp_path / "flag"), call(engine, at_most=0))
        other = Leaving(engine, tmp_path / "flag")
        assert CLOSE in await headers_of(other, request(engine))

    asyncio.run(story())


def test_a_call_long_ago_closes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine()
        engine.may_answer.set()
        flag = tmp_path / "flag"
        app = Leaving(engine, flag)
        await headers_of(app, call(engine, at_most=0))
        ends = flag.stat().st_mtime
        assert ends == pytest.approx(time.clock_gettime(time.CLOCK_REALTIME) + LASTS_S, abs=30)
        os.utime(flag, (ends - LASTS_S - 60, ends - LASTS_S - 60))
        assert CLOSE not in await headers_of(app, request(engine))

    asyncio.run(story())


def test_the_hook_is_called_where_the_middleware_listens() -> None:
    assert desired.make_leaving_hook(5, 65) == {
        "httpGet": {"path": f"{PATH}?at-least=5&at-most=65", "port": "http"}
    }
    assert desired.MIDDLEWARE.endswith(f".{Leaving.__name__}")
