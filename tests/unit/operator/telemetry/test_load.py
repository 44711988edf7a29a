"""Reading the load again and again, in the background, without a hole and without waiting."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from qwen3_operator.observed import Key
from qwen3_operator.telemetry.load import Loads
from qwen3_operator.telemetry.prometheus import MetricsError, Server
from qwen3_operator.telemetry.queries import Question
from qwen3_planner.api.reasons import Reason
from support import virtual_time
from support.loads import NOW, NOW_S

if TYPE_CHECKING:
    from datetime import datetime

    from qwen3_operator.telemetry.prometheus import Series

KEY = Key("default", "chat")
SERVER = Server("http://prometheus:9090", timeout_s=5)
STEP_S = 15
QUESTION = Question("load", "", 600, ())
LAZY = Question("load", "wake", 600, ())


def clock() -> datetime:
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


class Answers:
    """Stands for Prometheus: it has known one busy server since long ago."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.error: MetricsError | None = None
        self.takes_s = 0.01
        self.begins_s = 0.0

    async def read(self, query: str, start_s: int, end_s: int, step_s: int) -> list[Series]:
        self.asked.append((query, start_s, end_s))
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        times = [t for t in range(start_s, end_s + 1, step_s) if t >= self.begins_s]
        if query == "wake":
            return [({}, tuple((float(t), 1.0) for t in times))]
        values = {"replicas": 1.0, "running": 3.0, "waiting": 0.0}
        return [
            ({"qwen3_signal": signal}, tuple((float(t), value) for t in times))
            for signal, value in values.items()
        ]


def loads(answers: Answers, told: list[Key] | None = None) -> Loads:
    tell = told.append if told is not None else lambda _key: None
    return Loads(SERVER, STEP_S, clock, tell, answers.read)


def test_the_first_answer_brings_the_past_and_the_resource_is_told() -> None:
    """So an operator that was just started knows what the one before it knew."""

    async def scenario() -> None:
        answers, told = Answers(), list[Key]()
        reading = loads(answers, told)
        assert reading.of(KEY, QUESTION) is None
        await asyncio.sleep(1)
        history = reading.of(KEY, QUESTION)
        assert history is not None
        assert [told, len(history.samples)] == [[KEY], 600 // STEP_S + 1]
        assert history.samples[-1].time_s == NOW_S
        await reading.close()

    virtual_time.run(scenario())


def test_later_only_what_is_new_is_asked_for_and_what_is_old_is_dropped() -> None:
    async def scenario() -> None:
        answers = Answers()
        reading = loads(answers)
        reading.of(KEY, QUESTION)
        await asyncio.sleep(STEP_S * 10 + 1)
        history = reading.of(KEY, QUESTION)
        assert history is not None
        assert [end - start for _, start, end in answers.asked[1:]] == [0] * 10
        times = [sample.time_s for sample in history.samples]
        assert times == sorted(set(times))
        assert (len(times), times[-1]) == (600 // STEP_S + 1, NOW_S + STEP_S * 10)
        await reading.close()

    virtual_time.run(scenario())


def test_what_was_missed_is_read_later() -> None:
    async def scenario() -> None:
        answers = Answers()
        reading = loads(answers)
        reading.of(KEY, QUESTION)
        await asyncio.sleep(1)
        answers.error = MetricsError(Reason.METRICS_UNAVAILABLE, "gone")
        await asyncio.sleep(STEP_S * 8)
        history = reading.of(KEY, QUESTION)
        assert history is not None
        assert history.problem is not None
        assert (history.problem.message, history.samples[-1].time_s) == ("gone", NOW_S)
        answers.error = None
        await asyncio.sleep(STEP_S)
        history = reading.of(KEY, QUESTION)
        assert history is not None
        assert history.problem is None
        times = [sample.time_s for sample in history.samples]
        assert {later - earlier for earlier, later in pairwise(times)} == {STEP_S}
        await reading.close()

    virtual_time.run(scenario())


def test_an_answer_that_does_not_come_is_given_up_and_told() -> None:
    async def scenario() -> None:
        answers = Answers()
        answers.takes_s = 10_000
        reading = loads(answers)
        reading.of(KEY, QUESTION)
        await asyncio.sleep(11)
        history = reading.of(KEY, QUESTION)
        assert history is not None
        assert history.problem is not None
        assert history.problem.reason is Reason.METRICS_TOO_SLOW
        await reading.close()

    virtual_time.run(scenario())


def test_the_wake_query_is_read_even_when_the_engines_are_not() -> None:
    async def scenario() -> None:
        answers = Answers()
        answers.begins_s = NOW_S + 10_000
        reading = loads(answers)
        reading.of(KEY, LAZY)
        await asyncio.sleep(1)
        history = reading.of(KEY, LAZY)
        assert history is not None
        assert history.samples == ()
        answers.begins_s = 0.0
        await asyncio.sleep(STEP_S)
        history = reading.of(KEY, LAZY)
        assert history is not None
        assert history.calls[-1].value == 1.0
        await reading.close()

    virtual_time.run(scenario())


def test_a_wake_query_that_is_refused_is_named() -> None:
    async def scenario() -> None:
        answers = Answers()
        answers.error = MetricsError(Reason.METRICS_UNAVAILABLE, "parse error")
        reading = loads(answers)
        reading.of(KEY, LAZY)
        await asyncio.sleep(1)
        history = reading.of(KEY, LAZY)
        assert history is not None
        assert history.call_problem is not None
        assert "wakeQuery: parse error" in history.call_problem.message
        await reading.close()

    virtual_time.run(scenario())


def test_another_question_begins_anew_and_who_is_forgotten_is_asked_no_more() -> None:
    async def scenario() -> None:
        answers = Answers()
        reading = loads(answers)
        reading.of(KEY, QUESTION)
        await asyncio.sleep(1)
        other = Question("other", "", 600, ())
        assert reading.of(KEY, other) is None
        await asyncio.sleep(1)
        assert answers.asked[-1][0] == "other"
        count = len(answers.asked)
        reading.forget(KEY)
        await asyncio.sleep(100)
        assert len(answers.asked) == count
        await reading.close()

    virtual_time.run(scenario())
