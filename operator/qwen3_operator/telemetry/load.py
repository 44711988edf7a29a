"""The load of every resource that scales, read again and again from Prometheus.

A reconcile never waits for Prometheus: it takes what was read, and is told when there is more. The
client blocks, so it works in a few threads of its own; when they are all held up by a Prometheus
that does not answer, further questions are given up in time and nothing else stands still.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.scaling.samples import History
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.telemetry.prometheus import MetricsError, Prometheus, Server
from qwen3_operator.telemetry.queries import Question, calls_in, samples_in
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from qwen3_operator.decisions.scaling.samples import Call, Sample
    from qwen3_operator.observed import Key
    from qwen3_operator.telemetry.prometheus import Series

    Read = Callable[[str, int, int, int], Awaitable[list[Series]]]
    """Evaluates a query from, to, every so many seconds; raises MetricsError."""

log = logging.getLogger(__name__)

THREADS = 4
"""Questions under way at once; one is answered in milliseconds where all is well."""

PATIENCE = 2
"""Times the timeout of one answer that a question may take: it may have to wait for a thread, and
an answer that drips in never runs into the client's own timeout."""

MOST_POINTS = 5000
"""Of one answer; Prometheus gives no more than 11,000."""


@dataclass(slots=True)
class Followed:
    """One resource whose load is read.

    Attributes:
        asked: what is asked about it.
        task: which asks.
        history: what was answered; None before the first answer or failure.
    """

    asked: Question
    task: asyncio.Task[None]
    history: History | None = None


class Loads:
    """What is known of each resource's load."""

    def __init__(
        self,
        server: Server,
        interval_s: int,
        now: Callable[[], datetime],
        tell: Callable[[Key], None],
        read: Read | None = None,
    ) -> None:
        """Prepare; `tell` is called after every reading. `read` stands for the server in tests."""
        self.interval_s = interval_s
        self._server = server
        self._now = now
        self._tell = tell
        self._own = threading.local()
        self._read = read or self._read_in_a_thread
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="prometheus")
        self._followed: dict[Key, Followed] = {}

    def of(self, key: Key, asked: Question) -> History | None:
        """Return what is known, and go on reading; None before the first answer or failure."""
        followed = self._followed.get(key)
        if followed is None or followed.asked != asked:
            self.forget(key)
            task = asyncio.create_task(self._follow(key), name=f"load of {key}")
            followed = self._followed[key] = Followed(asked, task)
        return followed.history

    def forget(self, key: Key) -> None:
        """Read no more about a resource."""
        followed = self._followed.pop(key, None)
        if followed is not None:
            followed.task.cancel()

    async def close(self) -> None:
        """Stop reading. A thread that is held up ends by the client's own timeout."""
        tasks = [followed.task for followed in self._followed.values()]
        for key in list(self._followed):
            self.forget(key)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, key: Key) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            started_s = clock()
            followed = self._followed[key]
            try:
                known = followed.history or History()
                followed.history = await self._further(followed.asked, known)
            except Exception:  # a defect with one answer must not stop the reading for good
                log.exception("the load of %s cannot be read", key)
            self._tell(key)
            await asyncio.sleep(max(0.0, self.interval_s - (clock() - started_s)))

    async def _further(self, asked: Question, known: History) -> History:
        """Read what came since the last reading; after a start, all that matters."""
        end_s = math.floor(self._now().timestamp() / self.interval_s) * self.interval_s
        oldest_s = end_s - asked.lookback_s
        samples = tuple(sample for sample in known.samples if sample.time_s >= oldest_s)
        calls = tuple(call for call in known.calls if call.time_s >= oldest_s)
        problem, call_problem = known.problem, known.call_problem
        try:
            found = await self._ask(asked.load, samples[-1:], oldest_s, end_s)
            if found is not None:
                further, problem = samples_in(found, asked)
                samples += further
        except MetricsError as error:
            problem = Verdict(error.reason, error.message)
        try:
            found = await self._ask(asked.wake, calls[-1:], oldest_s, end_s) if asked.wake else None
            if found is not None:
                calls, call_problem = calls + calls_in(found), None
        except MetricsError as error:
            said = f"spec.scaling.idle.wakeQuery: {error.message}"
            call_problem = Verdict(error.reason, said)
        return History(samples, calls, problem, call_problem)

    async def _ask(
        self, query: str, last: Sequence[Sample | Call], oldest_s: int, end_s: int
    ) -> list[Series] | None:
        """Ask in a thread for what came after the last one; None where that is too early."""
        start_s = max(oldest_s, end_s - MOST_POINTS * self.interval_s)
        for known in last:
            start_s = max(start_s, round(known.time_s) + self.interval_s)
        if start_s > end_s:
            return None
        try:
            async with asyncio.timeout(PATIENCE * self._server.timeout_s):
                return await self._read(query, start_s, end_s, self.interval_s)
        except TimeoutError:
            limit = f"{self._server.timeout_s:g} s"
            message = f"Prometheus at {self._server.url} does not answer within {limit}."
            raise MetricsError(Reason.METRICS_TOO_SLOW, message) from None

    async def _read_in_a_thread(
        self, query: str, start_s: int, end_s: int, step_s: int
    ) -> list[Series]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, self._read_here, query, start_s, end_s, step_s
        )

    def _read_here(self, query: str, start_s: int, end_s: int, step_s: int) -> list[Series]:
        """Ask by this thread's own connection: the client's is for one thread."""
        connection: Prometheus | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = Prometheus(self._server)
        return connection.read(query, start_s, end_s, step_s)
