"""Reading what engines say of themselves, in the background and once for each pod."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from qwen3_operator.observed import Key
from qwen3_operator.telemetry.fetching import FetchError
from qwen3_operator.telemetry.readings import PAUSES_S, Readings, Source
from qwen3_planner.engines.samples import Sample
from support import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY = Key("default", "chat")


def tokens_in(samples: Iterable[Sample], data: int) -> int | None:
    return next((int(sample.value) // data for sample in samples), None)


def source(uid: str, data: int = 1) -> Source:
    return Source(uid, f"http://{uid}:8000/metrics", data, tokens_in)


class Pods:
    """Stand for the network: each answers after some failures."""

    def __init__(self, value: float = 1000.0, failures: int = 0) -> None:
        self.asked: list[tuple[str, float]] = []
        self._value = value
        self._failures = failures

    async def fetch(self, url: str) -> tuple[Sample, ...]:
        self.asked.append((url, asyncio.get_running_loop().time()))
        await asyncio.sleep(0.01)
        if len(self.asked) <= self._failures:
            raise FetchError("nobody answers")
        return (Sample("tokens", {}, self._value),) if self._value else ()


def test_a_pod_is_read_once_and_the_resource_is_told() -> None:
    async def scenario() -> None:
        pods, told = Pods(), list[Key]()
        readings = Readings(pods.fetch, told.append)
        assert readings.of(KEY, [source("a")]) == {}
        assert readings.of(KEY, [source("a")]) == {}, "it is being read"
        await asyncio.sleep(1)
        assert told == [KEY]
        assert readings.of(KEY, [source("a")]) == {"a": 1000}
        await asyncio.sleep(1000)
        assert len(pods.asked) == 1
        await readings.close()

    virtual_time.run(scenario())


def test_the_ranks_behind_an_engine_share_what_it_says() -> None:
    async def scenario() -> None:
        readings = Readings(Pods().fetch, lambda _key: None)
        readings.of(KEY, [source("a", data=4)])
        await asyncio.sleep(1)
        assert readings.of(KEY, [source("a", data=4)]) == {"a": 250}
        await readings.close()

    virtual_time.run(scenario())


def test_a_pod_that_does_not_answer_is_asked_again_with_growing_pauses() -> None:
    async def scenario() -> None:
        pods, told = Pods(failures=2), list[Key]()
        readings = Readings(pods.fetch, told.append)
        readings.of(KEY, [source("a")])
        await asyncio.sleep(60)
        times = [round(time) for _, time in pods.asked]
        assert times == [0, round(PAUSES_S[0]), round(PAUSES_S[0] + PAUSES_S[1])]
        assert told == [KEY]
        await readings.close()

    virtual_time.run(scenario())


def test_a_pod_that_never_answers_is_left_alone_and_nobody_is_told() -> None:
    async def scenario() -> None:
        pods, told = Pods(failures=99), list[Key]()
        readings = Readings(pods.fetch, told.append)
        readings.of(KEY, [source("a")])
        await asyncio.sleep(sum(PAUSES_S) + 10)
        assert len(pods.asked) == len(PAUSES_S) + 1
        assert readings.of(KEY, [source("a")]) == {}
        await asyncio.sleep(1000)
        assert len(pods.asked) == len(PAUSES_S) + 1
        assert told == []
        await readings.close()

    virtual_time.run(scenario())


def test_an_engine_that_does_not_say_is_not_asked_again() -> None:
    async def scenario() -> None:
        pods, told = Pods(value=0.0), list[Key]()
        readings = Readings(pods.fetch, told.append)
        readings.of(KEY, [source("a")])
        await asyncio.sleep(1)
        assert readings.of(KEY, [source("a")]) == {}
        await asyncio.sleep(1000)
        assert len(pods.asked) == 1
        assert told == []
        await readings.close()

    virtual_time.run(scenario())


def test_a_pod_that_is_gone_is_forgotten() -> None:
    async def scenario() -> None:
        pods = Pods()
        readings = Readings(pods.fetch, lambda _key: None)
        readings.of(KEY, [source("a")])
        await asyncio.sleep(1)
        assert readings.of(KEY, [source("b")]) == {}
        await asyncio.sleep(1)
        assert readings.of(KEY, [source("b")]) == {"b": 1000}
        readings.of(KEY, [])
        assert readings.of(KEY, [source("a")]) == {}, "read anew"
        await readings.close()

    virtual_time.run(scenario())


def test_closing_ends_what_is_being_read() -> None:
    async def scenario() -> None:
        readings = Readings(Pods(failures=99).fetch, lambda _key: None)
        readings.of(KEY, [source("a")])
        await asyncio.sleep(0)
        await readings.close()
        assert {task.get_name() for task in asyncio.all_tasks()} <= {
            asyncio.current_task().get_name()  # type: ignore[union-attr]
        }

    virtual_time.run(scenario())
