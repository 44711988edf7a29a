"""One list and one watch per kind, for ever: pages, bookmarks, 410, backoff.

There is no periodic resync: the watch is the truth, and after a gap the list is compared with what
is held, so that only real changes are told.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qwen3_operator.cluster.requests import Api

log = logging.getLogger(__name__)

PAGE_SIZE = 500
"""Objects in one page of a list: bounds the memory of one answer."""

WATCH_S = 300
"""The server ends a watch after this time and up to twice as long, so that watches spread."""

SILENCE_S = 150.0
"""Bookmarks come about every minute: a stream silent for longer is dead and is opened again."""

BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 30.0

REMEMBERED_GONE = 1024
"""Names whose deletion is remembered, for answers still on their way; they take seconds."""

GONE = 410

T = TypeVar("T")
Told_contra = TypeVar("Told_contra", contravariant=True)
Name = tuple[str, str]
"""Namespace ("" where there is none) and name."""


class Changed(Protocol[Told_contra]):
    """Told after every change: the value before and after, None for not there."""

    def __call__(self, before: Told_contra | None, after: Told_contra | None, /) -> None:
        """Take note."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to watch: a collection's path, its selectors, and its namespace if it is one's."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    namespace: str | None = None


class Store(Generic[T]):
    """What a watch holds: one reduced value per object, newest version wins."""

    def __init__(self, reduce: Callable[[dict[str, Any]], T | None], changed: Changed[T]) -> None:
        self._reduce = reduce
        self._changed = changed
        self._values: dict[Name, T] = {}
        self._versions: dict[Name, int] = {}
        self._gone: dict[Name, int] = {}

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> Iterator[T]:
        """Iterate over all values; do not change the store meanwhile."""
        return iter(self._values.values())

    def get(self, namespace: str, name: str) -> T | None:
        """Return one value."""
        return self._values.get((namespace, name))

    def put(self, raw: dict[str, Any]) -> None:
        """Take an object as listed, watched, or answered to a write; older news are ignored."""
        name, version = identify(raw)
        if version <= self._versions.get(name, self._gone.get(name, 0)):
            return
        self._gone.pop(name, None)
        self._versions[name] = version
        self._set(name, self._reduce(raw))

    def drop(self, raw: dict[str, Any]) -> None:
        """Take the news that an object is gone.

        A late DELETED of an earlier object of that name carries an older version than the one
        that took its place, and is ignored.
        """
        name, version = identify(raw)
        if version >= self._versions.get(name, 0):
            self._forget(name, version)

    def keep(self, seen: set[Name], version: int, namespace: str | None) -> None:
        """Take a whole list as of `version`: what it lacks is gone, unless it came later.

        A list of one namespace says nothing about the others.
        """
        for name, held in list(self._versions.items()):
            if name not in seen and held <= version and namespace in (None, name[0]):
                self._forget(name, version)

    def _forget(self, name: Name, version: int) -> None:
        """Drop a value; the late answer to an earlier write must not bring it back."""
        self._versions.pop(name, None)
        self._gone[name] = version
        if len(self._gone) > REMEMBERED_GONE:
            del self._gone[next(iter(self._gone))]
        self._set(name, None)

    def _set(self, name: Name, after: T | None) -> None:
        before = self._values.get(name)
        if after is None:
            self._values.pop(name, None)
        else:
            self._values[name] = after
        if before != after:
            self._changed(before, after)


def identify(raw: Mapping[str, Any]) -> tuple[Name, int]:
    """Return an object's name and version; versions compare as numbers (Kubernetes >= 1.35)."""
    metadata = raw["metadata"]
    return (metadata.get("namespace", ""), metadata["name"]), int(metadata["resourceVersion"])


class Watch(Generic[T]):
    """Keeps a store equal to a collection; :attr:`synced` is set once it has been read whole."""

    def __init__(
        self, api: Api, selection: Selection, store: Store[T], *, rng: random.Random | None = None
    ) -> None:
        self.synced = asyncio.Event()
        self.problem = ""
        self._api = api
        self._selection = selection
        self._store = store
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._version = ""
        self._failures = 0

    @property
    def selection(self) -> Selection:
        """What is watched."""
        return self._selection

    @property
    def store(self) -> Store[T]:
        """What holds it."""
        return self._store

    async def read(self) -> None:
        """List once, without watching.

        Raises:
            ClusterError: it cannot be listed.
        """
        await self._list()

    async def run(self) -> None:
        """List, then watch; never returns."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except ClusterError as error:
                if error.status == GONE:
                    self._version = ""
                else:
                    await self._pause(error)

    async def _list(self) -> None:
        """Read all pages, then drop what was held and is no longer there."""
        seen: set[Name] = set()
        params = {**self._selection.params, "limit": str(PAGE_SIZE)}
        while True:
            page = await self._api.get(self._selection.path, params)
            for item in page.get("items") or ():
                seen.add(identify(item)[0])
                self._hold(self._store.put, item)
            metadata = page.get("metadata") or {}
            if not metadata.get("continue"):
                break
            params["continue"] = metadata["continue"]
        self._version = metadata["resourceVersion"]
        self._store.keep(seen, int(self._version), self._selection.namespace)
        self._recovered()
        self.synced.set()

    async def _watch(self) -> None:
        """Follow one stream to its end."""
        params = {
            **self._selection.params,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(int(WATCH_S * self._rng.uniform(1.0, 2.0))),
        }
        events = self._api.stream(self._selection.path, params, idle_s=SILENCE_S)
        received = False
        async with aclosing(events):
            async for event in events:
                self._take(event["type"], event["object"])
                received = True
                self._recovered()
        self._recovered()
        if not received:
            # A server that ends every stream at once must not be asked in a tight loop.
            await asyncio.sleep(BACKOFF_FIRST_S)

    def _take(self, kind: str, raw: dict[str, Any]) -> None:
        if kind == "ERROR":
            code = int(raw.get("code", 0))
            raise ClusterError(code, str(raw.get("reason", "")), str(raw.get("message", "")))
        self._version = raw["metadata"]["resourceVersion"]
        if kind == "DELETED":
            self._hold(self._store.drop, raw)
        elif kind != "BOOKMARK":
            self._hold(self._store.put, raw)

    def _hold(self, take: Callable[[dict[str, Any]], None], raw: dict[str, Any]) -> None:
        """Have the store take an object; a defect of ours with one must not stop all others."""
        try:
            take(raw)
        except Exception:
            log.exception("cannot make sense of %s %s", self._selection.path, identify(raw)[0])

    def _recovered(self) -> None:
        if self._failures:
            log.info("watching %s again", self._selection.path)
        self._failures = 0
        self.problem = ""

    async def _pause(self, error: ClusterError) -> None:
        """Wait longer after every failure in a row; say it when it is news."""
        if str(error) != self.problem:
            log.warning("cannot watch %s: %s", self._selection.path, error)
        self.problem = str(error)
        longest = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        await asyncio.sleep(error.retry_after_s or longest * self._rng.uniform(0.5, 1.0))
