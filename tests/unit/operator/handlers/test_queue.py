"""Laws of the work queue; all in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from qwen3_operator.handlers.queue import BACKOFF_MOST_S, QueueClosedError, WorkQueue
from support import virtual_time


def make_queue(jitter: float = 1.0) -> WorkQueue[str]:
    return WorkQueue(asyncio.get_running_loop(), lambda: jitter, first_s=1.0)


async def drained(queue: WorkQueue[str]) -> list[str]:
    """Take what is ready now."""
    keys = []
    while len(queue):
        key = await queue.get()
        keys.append(key)
        queue.done(key)
    return keys


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_key_that_waits_is_not_queued_twice() -> None:
    async def scenario() -> None:
        queue = make_queue()
        for key in ("a", "b", "a", "a"):
            queue.add(key)
        assert await drained(queue) == ["a", "b"]

    virtual_time.run(scenario())


def test_a_key_is_never_given_to_two_workers_and_comes_back_if_asked_for_meanwhile() -> None:
    async def scenario() -> None:
        queue = make_queue()
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        assert await drained(queue) == ["a"]

    virtual_time.run(scenario())


def test_a_later_key_comes_at_its_time_and_the_earliest_wish_counts() -> None:
    async def scenario() -> None:
        queue = make_queue()
        queue.add_after("a", 10)
        queue.add_after("a", 4)
        queue.add_after("a", 7)
        assert await queue.get() == "a"
        assert now() == 4
        queue.done("a")
        await asyncio.sleep(100)
        assert len(queue) == 0

    virtual_time.run(scenario())


def test_a_run_makes_older_wishes_moot() -> None:
    async def scenario() -> None:
        queue = make_queue()
        queue.add_after("a", 5)
        queue.add("a")
        assert await drained(queue) == ["a"]
        await asyncio.sleep(100)
        assert len(queue) == 0

    virtual_time.run(scenario())


def test_what_is_asked_for_at_once_goes_before_what_was_put_off_but_starves_nobody() -> None:
    async def scenario() -> None:
        queue = make_queue()
        for number in range(2):
            queue.add_after(f"later-{number}", 1)
        await asyncio.sleep(1)
        for number in range(6):
            queue.add(f"now-{number}")
        assert queue.is_pressed
        order = await drained(queue)
        assert order[:3] == ["now-0", "now-1", "now-2"]
        assert order[3] == "later-0"
        assert order[4:7] == ["now-3", "now-4", "now-5"]
        assert order[7] == "later-1"
        assert not queue.is_pressed

    virtual_time.run(scenario())


def test_a_wish_made_during_a_run_holds() -> None:
    async def scenario() -> None:
        queue = make_queue()
        queue.add("a")
        await queue.get()
        queue.add_after("a", 5)
        queue.done("a")
        assert await queue.get() == "a"
        assert now() == 5

    virtual_time.run(scenario())


def test_failures_double_the_pause_up_to_a_bound_and_success_resets_it() -> None:
    async def scenario() -> None:
        queue = make_queue(jitter=1.0)
        pauses = [queue.retry("a") for _ in range(12)]
        assert pauses[:4] == [1, 2, 4, 8]
        assert pauses[-1] == BACKOFF_MOST_S
        queue.succeeded("a")
        assert queue.retry("a") == 1

    virtual_time.run(scenario())


def test_jitter_spreads_a_pause_over_its_upper_half() -> None:
    async def scenario() -> None:
        assert make_queue(jitter=0.0).retry("a") == 0.5
        assert make_queue(jitter=1.0).retry("a") == 1.0

    virtual_time.run(scenario())


def test_a_server_that_names_a_pause_is_obeyed() -> None:
    async def scenario() -> None:
        queue = make_queue()
        assert queue.retry("a", at_least_s=30) == 30
        await queue.get()
        assert now() == 30

    virtual_time.run(scenario())


def test_a_forgotten_key_does_not_come_back() -> None:
    async def scenario() -> None:
        queue = make_queue()
        queue.retry("a")
        queue.forget("a")
        await asyncio.sleep(100)
        assert len(queue) == 0
        assert queue.retry("a") == 1

    virtual_time.run(scenario())


def test_closing_sends_waiting_workers_home_and_hands_out_nothing_more() -> None:
    async def scenario() -> None:
        queue = make_queue()
        waiters = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        queue.close()
        for waiter in waiters:
            with pytest.raises(QueueClosedError):
                await waiter
        queue.add("a")
        queue.add_after("b", 1)
        await asyncio.sleep(5)
        assert len(queue) == 0
        with pytest.raises(QueueClosedError):
            await queue.get()

    virtual_time.run(scenario())


def test_a_cancelled_worker_loses_no_key() -> None:
    async def scenario() -> None:
        queue = make_queue()
        first = asyncio.create_task(queue.get())
        second = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")  # wakes the first
        first.cancel()
        assert await asyncio.wait_for(second, 1) == "a"

    virtual_time.run(scenario())


def test_many_workers_serve_many_keys_each_exactly_once_at_a_time() -> None:
    async def scenario() -> None:
        queue = make_queue()
        running: set[str] = set()
        served: dict[str, int] = {}

        async def worker() -> None:
            while True:
                try:
                    key = await queue.get()
                except QueueClosedError:
                    return
                assert key not in running
                running.add(key)
                await asyncio.sleep(0.5)
                served[key] = served.get(key, 0) + 1
                running.discard(key)
                queue.done(key)

        workers = [asyncio.create_task(worker()) for _ in range(4)]
        for round_ in range(3):
            for number in range(20):
                queue.add(f"key-{number}")
            await asyncio.sleep(0.1 * round_)
        await asyncio.sleep(60)
        assert set(served) == {f"key-{number}" for number in range(20)}
        assert queue.idle
        queue.close()
        await asyncio.gather(*workers)

    virtual_time.run(scenario())
