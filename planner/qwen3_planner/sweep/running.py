"""Who does the work: this process, all cores, or a Ray cluster. Rows come back in order."""

from __future__ import annotations

import signal
from collections import deque
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.sweep.answering import answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.sweep.answering import Row
    from qwen3_planner.sweep.cases import Fields

BATCHES_IN_FLIGHT = 4
"""Per worker: enough that none waits, few enough that memory stays flat."""


def batches_of(cases: Iterable[Fields], size: int) -> Iterator[list[Fields]]:
    """Cut cases into lists of a size; the last may be shorter.

    >>> [len(batch) for batch in batches_of([{"model": "a"}] * 5, 2)]
    [2, 2, 1]
    """
    iterator = iter(cases)
    while batch := list(islice(iterator, size)):
        yield batch


def answer_batch(batch: list[Fields]) -> list[Row]:
    """Answer several cases; what a worker runs."""
    catalog = load_catalog()
    return [answer(fields, catalog) for fields in batch]


def in_this_process(batches: Iterable[list[Fields]]) -> Iterator[list[Row]]:
    """Answer one batch after the other."""
    yield from map(answer_batch, batches)


def in_processes(batches: Iterable[list[Fields]], workers: int) -> Iterator[list[Row]]:
    """Answer batches in several processes; what is left when the caller stops is given up."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - only with workers

    executor = ProcessPoolExecutor(workers, initializer=_leave_interrupts_to_the_parent)
    try:
        pending = deque[Any]()
        for batch in batches:
            pending.append(executor.submit(answer_batch, batch))
            if len(pending) >= workers * BATCHES_IN_FLIGHT:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def on_ray(batches: Iterable[list[Fields]], address: str) -> Iterator[list[Row]]:
    """Answer batches on a Ray cluster.

    Args:
        batches: what is asked.
        address: as `ray.init` takes it: ``local`` starts a cluster here, whatever has run or runs
            on this machine; ``auto`` joins the one that runs.

    Raises:
        SpecError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = _ray(address)
    remote = ray.remote(answer_batch)
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    try:
        pending = deque[Any]()
        for batch in batches:
            pending.append(remote.remote(batch))
            if len(pending) >= workers * BATCHES_IN_FLIGHT:
                yield ray.get(pending.popleft())
        while pending:
            yield ray.get(pending.popleft())
    finally:
        ray.shutdown()


def _ray(address: str) -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        ray = import_module("ray")
    except ImportError:
        reason = "needs Ray: pip install 'qwen3-operator[ray]'"
        raise SpecError("--ray", address, reason) from None
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        told = str(error).splitlines()[0]
        raise SpecError("--ray", address, f"cannot be reached: {told}") from None
    return ray
