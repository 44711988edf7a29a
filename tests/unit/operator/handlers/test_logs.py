"""Log lines name the resource, as text and as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.handlers.logs import set_up, working_on
from qwen3_operator.observed import Key
from qwen3_operator.settings import LogFormat

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_each_task_names_its_own_resource(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("INFO", LogFormat.JSON)
    log = logging.getLogger("qwen3_operator.test")

    async def work(name: str) -> None:
        with working_on(Key("ns", name)):
            await asyncio.sleep(0)
            log.info("did %s", name)
        log.info("after")

    async def scenario() -> None:
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(scenario())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {(line["message"], line.get("key")) for line in lines} == {
        ("did a", "ns/a"),
        ("did b", "ns/b"),
        ("after", None),
    }
    assert {line["level"] for line in lines} == {"INFO"}


def test_text_carries_the_key_and_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("INFO", LogFormat.TEXT)
    log = logging.getLogger("qwen3_operator.test")
    try:
        {}["spec"]
    except KeyError:
        with working_on(Key("ns", "m")):
            log.exception("failed")
    written = capsys.readouterr().err
    assert "ERROR [ns/m] failed" in written
    assert "KeyError: 'spec'" in written


def test_quiet_libraries_are_quiet_and_kopfs_retries_are_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up("INFO", LogFormat.TEXT)
    kopf = logging.getLogger("kopf.objects")
    kopf.info("everyday business")
    kopf.error("Request attempt #1/13 failed; will retry: GET …")
    written = capsys.readouterr().err
    assert "everyday" not in written
    assert "WARNING Request attempt" in written
