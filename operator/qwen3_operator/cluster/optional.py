"""Kinds that a cluster may have or not: watched once their API is there, looked for until then."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from qwen3_operator.cluster.watching import Watch
from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.cluster.watching import Selection, Store

log = logging.getLogger(__name__)

T = TypeVar("T")

ABSENT = frozenset({403, 404})
"""Not there, or none of our business: roles that somebody else keeps may leave optional kinds
out."""

LOOK_AGAIN_S = 5.0
"""How often the list of APIs is read; who installs one need not wait long, nor restart us."""

RARELY_S = 60.0
"""The same for a kind that stays away although its API is there, or is none of our business."""

APIS = "/apis"
"""Lists every group of APIs with its versions, to everybody who is authenticated."""

FORBIDDEN = 403


class Served:
    """Which APIs the cluster has: one request for all the kinds that are looked for.

    Attributes:
        api: what is asked.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self._asking = asyncio.Lock()
        self._asked_at = -LOOK_AGAIN_S
        self._versions: frozenset[str] | None = None

    async def has(self, path: str) -> bool:
        """Say whether the API of a collection is there; True where the cluster does not tell."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= LOOK_AGAIN_S / 2:
                self._versions = await self._ask()
                self._asked_at = now
        _, _, group, version, *_ = path.split("/")
        return self._versions is None or f"{group}/{version}" in self._versions

    async def _ask(self) -> frozenset[str] | None:
        try:
            groups = (await self.api.get(APIS))["groups"]
        except ClusterError:
            return None
        return frozenset(one["groupVersion"] for group in groups for one in group["versions"])


class OptionalWatch(Watch[T]):
    """A watch of a kind that may be absent: then it is as good as synced, and holds nothing.

    Where it is absent because our roles leave it out, :attr:`hindrance` repeats the API server.
    """

    def __init__(
        self,
        served: Served,
        selection: Selection,
        store: Store[T],
        appeared: Callable[[], None] = lambda: None,
        older: Sequence[Selection] = (),
    ) -> None:
        """Prepare.

        Args:
            served: the cluster to ask, and when asking is worth it.
            selection: of the newest version that is understood.
            store: to fill.
            appeared: is called whenever the API comes or goes.
            older: the same of versions that a cluster may have instead.
        """
        super().__init__(served.api, selection, store)
        self._versions = (selection, *older)
        self.is_there = False
        self.hindrance = ""
        self._served = served
        self._appeared = appeared
        self._wait_s = LOOK_AGAIN_S

    async def _list(self) -> None:
        await super()._list()
        self._wait_s = LOOK_AGAIN_S
        if not self.is_there:
            log.info("the cluster has %s", self._selection.path)
            self._turn(there=True)

    async def _pause(self, error: ClusterError) -> None:
        if error.status not in ABSENT:
            await super()._pause(error)
            return
        self.hindrance = error.message if error.status == FORBIDDEN else ""
        if self._version:  # it was there: what it held is gone with it
            self._store.keep(set(), int(self._version), self._selection.namespace)
            self._version = ""
        if self.is_there:
            log.info("the cluster has %s no longer", self._selection.path)
            self._turn(there=False)
        place = self._versions.index(self._selection) + 1
        self._selection = self._versions[place % len(self._versions)]
        if place < len(self._versions):
            return  # asked at once
        self.synced.set()
        await self._until_it_may_be_there()

    async def _until_it_may_be_there(self) -> None:
        if await self._api_is_there():  # but not the kind, or it is not for us
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(RARELY_S, 2 * self._wait_s)
            return
        self._wait_s = LOOK_AGAIN_S
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if await self._api_is_there():
                return

    async def _api_is_there(self) -> bool:
        for one in self._versions:
            if await self._served.has(one.path):
                return True
        return False

    def _turn(self, *, there: bool) -> None:
        self.is_there = there
        self._appeared()
