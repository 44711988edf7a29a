"""The figures that engines found for themselves, read once for every pod that answers.

A reconcile never waits for a pod: it takes what was read, and the reading tells when there is more.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from qwen3_operator.telemetry.fetching import FetchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from qwen3_operator.observed import Key
    from qwen3_planner.engines.samples import Sample

    Fetch = Callable[[str], Awaitable[tuple[Sample, ...]]]
    Read = Callable[[Iterable[Sample], int], int | None]

log = logging.getLogger(__name__)

PAUSES_S = (1.0, 5.0, 30.0, 120.0)
"""Between attempts to read a pod that does not answer; then it is left alone."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures of one pod are.

    Attributes:
        uid: of the pod.
        url: of its metrics.
        data: data-parallel ranks behind it.
        read: finds the tokens of the KV cache among the samples.
    """

    uid: str
    url: str
    data: int
    read: Read


class Readings:
    """Tokens that fit into the KV cache, by pod."""

    def __init__(self, fetch: Fetch, tell: Callable[[Key], None]) -> None:
        """Prepare; `tell` is called when a resource's pod has been read."""
        self._fetch = fetch
        self._tell = tell
        self._tokens: dict[Key, dict[str, int | None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def of(self, key: Key, sources: Iterable[Source]) -> Mapping[str, int]:
        """Return what is known of a resource's pods by uid, and have the others read.

        Pods that are not named are forgotten.
        """
        wanted = {source.uid: source for source in sources}
        known = self._tokens.get(key, {})
        kept = {uid: tokens for uid, tokens in known.items() if uid in wanted}
        if kept:
            self._tokens[key] = kept
        else:
            self._tokens.pop(key, None)
        for uid, source in wanted.items():
            if uid not in kept and uid not in self._tasks:
                task = asyncio.create_task(self._read(key, source), name=f"read {source.url}")
                self._tasks[uid] = task
                task.add_done_callback(partial(self._forget, uid))
        return {uid: tokens for uid, tokens in kept.items() if tokens is not None}

    async def close(self) -> None:
        """Stop reading."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, uid: str, _done: asyncio.Task[None]) -> None:
        del self._tasks[uid]

    async def _read(self, key: Key, source: Source) -> None:
        """Read one pod, several times if need be; what cannot be read is remembered as such."""
        tokens = None
        for pause_s in (*PAUSES_S, None):
            try:
                tokens = source.read(await self._fetch(source.url), source.data)
                break
            except FetchError as error:
                if pause_s is None:
                    log.info("the engine's own figures cannot be read: %s", error)
                    break
                await asyncio.sleep(pause_s)
        self._tokens.setdefault(key, {})[source.uid] = tokens
        if tokens is not None:
            self._tell(key)
