"""Kinds that a cluster may have or not: watched once their API is there, looked for until then."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from qwen3_operator.cluster.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.cluster.watching import Selection, Store
    from qwen3_operator.errors import ClusterError

log = logging.getLogger(__name__)

T = TypeVar("T")

ABSENT = frozenset({403, 404})
"""Not there, or none of our business: roles that somebody else keeps may leave optional kinds
out."""

LOOK_AGAIN_S = 5.0
"""One request in so many seconds; whoever installs an API need not wait long, nor restart us."""


FORBIDDEN = 403


class OptionalWatch(Watch[T]):
    """A watch of a kind that may be absent: then it is as good as synced, and holds nothing.

    Where it is absent because our roles leave it out, :attr:`hindrance` repeats the API server.
    """

    def __init__(
        self,
        api: Api,
        selection: Selection,
        store: Store[T],
        appeared: Callable[[], None] = lambda: None,
        older: Sequence[Selection] = (),
    ) -> None:
        """Prepare.

        Args:
            api: to ask.
            selection: of the newest version that is understood.
            store: to fill.
            appeared: is called whenever the API comes or goes.
            older: the same of versions that a cluster may have instead.
        """
        super().__init__(api, selection, store)
        self._versions = (selection, *older)
        self.is_there = False
        self.hindrance = ""
        self._appeared = appeared

    async def _list(self) -> None:
        await super()._list()
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
        await asyncio.sleep(LOOK_AGAIN_S)

    def _turn(self, *, there: bool) -> None:
        self.is_there = there
        self._appeared()
