"""What workers make of a reconcile's outcome."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from qwen3_operator.errors import ClusterError
from qwen3_operator.handlers.queue import WorkQueue
from qwen3_operator.handlers.workers import run_workers
from qwen3_operator.observed import Key
from support import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

KEY = Key("default", "qwen3")


def times_of_runs(
    outcome: Callable[[int], float | None], until: float, told: list[str] | None = None
) -> list[float]:
    """Serve one key; return when it was served. `told` gets how each run ended."""
    results: list[str] = told if told is not None else []

    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        queue: WorkQueue[Key] = WorkQueue(loop, lambda: 1.0, first_s=1.0)
        times: list[float] = []

        async def reconcile(_key: Key) -> float | None:
            times.append(loop.time())
            return outcome(len(times))

        workers = asyncio.create_task(
            run_workers(queue, reconcile, 2, lambda how, _s: results.append(how))
        )
        queue.add(KEY)
        await asyncio.sleep(until)
        queue.close()
        await workers
        return times

    return virtual_time.run(scenario())


def test_a_resource_that_is_settled_is_left_alone() -> None:
    assert times_of_runs(lambda _: None, until=10_000) == [0]


def test_a_resource_that_asks_for_it_is_looked_at_again() -> None:
    assert times_of_runs(lambda n: 5.0 if n < 3 else None, until=1000) == [0, 5, 10]


def test_a_cluster_error_is_retried_with_growing_pauses_until_it_works() -> None:
    def outcome(run: int) -> None:
        if run < 4:
            raise ClusterError(500, "InternalError", "etcd has no leader")

    assert times_of_runs(outcome, until=1000) == [0, 1, 3, 7]


def test_the_pause_that_the_server_names_is_kept() -> None:
    def outcome(run: int) -> None:
        if run == 1:
            raise ClusterError(429, "TooManyRequests", "slow down", retry_after_s=17)

    assert times_of_runs(outcome, until=1000) == [0, 17]


def test_a_defect_with_one_resource_is_logged_with_its_key_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def outcome(run: int) -> None:
        if run == 1:
            raise KeyError("spec")

    with caplog.at_level(logging.ERROR):
        assert times_of_runs(outcome, until=1000) == [0, 1]
    assert "reconciling failed unexpectedly" in caplog.text


def test_each_run_is_reported_with_its_result() -> None:
    def outcome(run: int) -> float | None:
        if run == 1:
            raise ClusterError(500, "InternalError", "etcd has no leader")
        return 5.0 if run == 2 else None

    told: list[str] = []
    times_of_runs(outcome, until=1000, told=told)
    assert told == ["error", "later", "ok"]
