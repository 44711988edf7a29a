"""One GET of an engine's metrics, whatever it answers."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from qwen3_operator.telemetry.fetching import MAX_BYTES, FetchError, fetch
from support.ports import free_port

EXPOSITION = '# TYPE a gauge\na{x="1"} 2.5\n# TYPE b counter\nb_total 7\n'


async def asked(answer: web.Response) -> list[tuple[str, dict[str, str], float]]:
    async def handler(_request: web.Request) -> web.Response:
        return answer

    application = web.Application()
    application.router.add_get("/metrics", handler)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with aiohttp.ClientSession() as session:
            samples = await fetch(session, f"http://127.0.0.1:{port}/metrics")
            return [(s.name, dict(s.labels), s.value) for s in samples]
    finally:
        await runner.cleanup()


def test_samples_come_with_name_labels_and_value() -> None:
    found = asyncio.run(asked(web.Response(text=EXPOSITION)))
    assert found == [("a", {"x": "1"}, 2.5), ("b_total", {}, 7.0)]


def test_numbers_of_a_document_are_named_by_their_path() -> None:
    document = '{"data": [{"id": "q", "meta": {"n_ctx": 2048, "ok": true}}], "n": null}'
    assert asyncio.run(asked(web.Response(text=document))) == [("data.0.meta.n_ctx", {}, 2048.0)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param({"status": 401}, "answered 401", id="a key is asked for"),
        pytest.param(
            {"status": 302, "headers": {"Location": "/x"}}, "answered 302", id="elsewhere"
        ),
        pytest.param({"text": "<html>{oops"}, "neither metrics nor JSON", id="a web page"),
        pytest.param({"text": '{"cut": '}, "neither metrics nor JSON", id="cut JSON"),
        pytest.param({"body": b"#" * (MAX_BYTES + 1)}, "more than", id="no end"),
    ],
)
def test_anything_else_is_an_error_that_says_what_came(
    answer: dict[str, object], said: str
) -> None:
    with pytest.raises(FetchError, match=said):
        asyncio.run(asked(web.Response(**answer)))  # type: ignore[arg-type]


def test_nobody_there_is_an_error_too() -> None:
    async def scenario() -> None:
        async with aiohttp.ClientSession() as session:
            await fetch(session, f"http://127.0.0.1:{free_port()}/metrics")

    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        asyncio.run(scenario())
