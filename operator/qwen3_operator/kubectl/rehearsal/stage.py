"""The operator on its stage: fed with what the cluster has, run until nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.applying import RESOURCE_PATH
from qwen3_operator.cluster.leasing import Lease, LeaseTimes
from qwen3_operator.cluster.resources import PLURAL
from qwen3_operator.errors import ClusterError
from qwen3_operator.handlers.operator import Operator
from qwen3_operator.kubectl.rehearsal.clock import RehearsalClock
from qwen3_operator.kubectl.rehearsal.controllers import PODS, Controllers
from qwen3_operator.kubectl.rehearsal.world import World
from qwen3_operator.observed import Key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from qwen3_operator.cluster.connection import Connection
    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.ledger import Ledger
    from qwen3_operator.settings import Settings

RESOURCES = f"{RESOURCE_PATH}/{PLURAL}"

REST_S = 30.0
"""When nothing has changed for so long, of the clock's own time, nothing will: who waits is looked
at every ten seconds (:data:`qwen3_operator.handlers.listening.WAITING_REFRESH_S`)."""

MOST_MOVES = 20_000
"""More than any cluster needs to come to rest; a rehearsal that goes in circles must end."""

MAY_BE_UNSEEN = frozenset({401, 403, 404})
"""Answers to a list that the cluster does not have, or does not show to this user."""


class SureLease(Lease):
    """Held without asking: nobody else acts on this stage."""

    @property
    def is_sure(self) -> bool:
        """True."""
        return True


class Stage(Operator):
    """The whole operator on a world of its own; nothing it does reaches the cluster."""

    def __init__(self, settings: Settings, connection: Connection, cluster: Api, now: str) -> None:
        """Prepare; `now` is the time of the rehearsal, RFC 3339."""
        self.world = World(cluster, now)
        self.unseen: list[str] = []
        self._moment = now
        super().__init__(settings, connection)
        self.controllers = Controllers(
            self.world, self._ledger, self._caches.priority, self._moment
        )

    @property
    def ledger(self) -> Ledger:
        """The books of GPUs."""
        return self._ledger

    async def open(self, required: Sequence[str]) -> None:
        """Read what the operator watches.

        Args:
            required: collections without which a rehearsal means nothing.

        Raises:
            ClusterError: one of those cannot be read.
        """
        for body in (await self.world.get(RESOURCES))["items"]:
            self._bodies.put(body)
        for watch in self._caches.watches:
            try:
                await watch.read()
            except ClusterError as error:
                if watch.selection.path in required or error.status not in MAY_BE_UNSEEN:
                    raise
                if error.status != 404:  # noqa: PLR2004 - a kind that the cluster does not have
                    self.unseen.append(watch.selection.path)
            self.world.follow(watch.selection, watch.store)
        self._listener.leading = True
        for key in self._first_come_first():
            self._queue.add(key)

    def submit(self, body: dict[str, Any]) -> Key:
        """Take a resource as ``kubectl apply`` does; return its key."""
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        held = self.world.find(RESOURCES, *key)
        if held is None:
            made = self.world.make(RESOURCES, body, *key)
        else:
            about = {**held["metadata"], "labels": metadata.get("labels") or {}}
            about["generation"] = int(about.get("generation", 1)) + 1
            made = self.world.put(RESOURCES, {**held, "metadata": about, "spec": body["spec"]})
        self._bodies.put(made)
        return key

    async def play(self) -> None:
        """Go on until nothing moves any more."""
        moved_at = self._clock.time()
        for _ in range(MOST_MOVES):
            version = self.world.version
            while len(self._queue):
                await self._reconcile_next()
            self.controllers.step()
            if self.world.version != version:
                moved_at = self._clock.time()
            elif self._clock.time() - moved_at > REST_S or not self._advance():
                return

    async def close(self) -> None:
        """Leave no connection open."""
        await self._stop_reading()

    async def _reconcile_next(self) -> None:
        key = await self._queue.get()
        try:
            again_s = await self._reconciler.reconcile(key)
        except ClusterError:
            self._queue.retry(key)
        else:
            self._queue.succeeded(key)
            if again_s is not None:
                self._queue.add_after(key, again_s)
        self._queue.done(key)

    def _advance(self) -> bool:
        clock = self._clock
        assert isinstance(clock, RehearsalClock), "a stage has its own"  # noqa: S101 - for the type checker
        return clock.jump()

    def _make_api(self, connection: Connection) -> Api:
        del connection
        return self.world

    def _make_clock(self) -> RehearsalClock:
        return RehearsalClock()

    def _make_lease(self) -> Lease:
        times = LeaseTimes(duration_s=15.0, renew_deadline_s=10.0, retry_s=2.0)
        return SureLease(self._api, ("rehearsal", "rehearsal"), "rehearsal", times, _never)


def _never() -> datetime:
    """Stand for a clock that nobody asks: the Lease is never written."""
    raise NotImplementedError


def pods_of(stage: Stage) -> list[dict[str, Any]]:
    """Return the pods of the stage."""
    return list(stage.world.all(PODS))
