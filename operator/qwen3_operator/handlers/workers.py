"""Workers: take a key, reconcile it, and decide by the outcome when it comes again."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING

from qwen3_operator.errors import ClusterError
from qwen3_operator.handlers.logs import working_on
from qwen3_operator.handlers.queue import QueueClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from qwen3_operator.handlers.queue import WorkQueue
    from qwen3_operator.observed import Key

    Reconcile = Callable[[Key], Awaitable[float | None]]
    """Does what is to be done; returns after how many seconds it wants to be asked again."""

    Watcher = Callable[[str, float], None]
    """Is told how each reconcile ended (ok, later, error, defect) and how many seconds it took."""

log = logging.getLogger(__name__)


async def work(queue: WorkQueue[Key], reconcile: Reconcile, watcher: Watcher) -> None:
    """Serve the queue until it closes. Errors end here: what failed comes back later."""
    while True:
        try:
            key = await queue.get()
        except QueueClosedError:
            return
        with working_on(key):
            started = perf_counter()
            try:
                result = await _serve(queue, reconcile, key)
            finally:
                queue.done(key)
            watcher(result, perf_counter() - started)


async def _serve(queue: WorkQueue[Key], reconcile: Reconcile, key: Key) -> str:
    try:
        again_after_s = await reconcile(key)
    except ClusterError as error:
        pause = queue.retry(key, error.retry_after_s or 0.0)
        log.warning("%s; again in %.1f s", error, pause)
        return "error"
    except Exception:
        # A defect of ours with one resource must not stop the others.
        pause = queue.retry(key)
        log.exception("reconciling failed unexpectedly; again in %.1f s", pause)
        return "defect"
    queue.succeeded(key)
    if again_after_s is None:
        return "ok"
    queue.add_after(key, again_after_s)
    return "later"


async def run_workers(
    queue: WorkQueue[Key], reconcile: Reconcile, count: int, watcher: Watcher
) -> None:
    """Run `count` workers until the queue closes."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(work(queue, reconcile, watcher), name=f"worker-{number}")
