"""The Lease that lets one operator work at a time.

Written here and not taken from ``kubernetes.aio.leaderelection`` (37.0.2, read in its source):
that one never gives the Lease back on stop, lets anything but an ApiException (a dropped
connection) end the election, allows a request five minutes where the Lease lasts seconds, tells
the time by the wall clock and writes local time as if it were UTC.

Time is the event loop's own: the clocks of two machines are never compared. A standby takes over
when it has seen the Lease unchanged for as long as the Lease says.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from qwen3_operator.cluster.requests import Api

log = logging.getLogger(__name__)

CONFLICT = 409
NOT_FOUND = 404

RELEASED_DURATION_S = 1
"""A Lease that was given back says so by an empty holder and the shortest duration there is."""


class LeaseLostError(Exception):
    """The Lease is no longer surely ours: stop working at once."""


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How a Lease is kept: ``retry < renew_deadline < duration``, all in seconds."""

    duration_s: float
    renew_deadline_s: float
    retry_s: float


class Lease:
    """One candidate for one Lease."""

    def __init__(
        self,
        api: Api,
        name: tuple[str, str],
        identity: str,
        times: LeaseTimes,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare; `name` is (namespace, name), `now` tells UTC for the people who read it."""
        self.identity = identity
        self.held = False
        self._api = api
        namespace, self._name = name
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._collection}/{self._name}"
        self._times = times
        self._now = now
        self._lease: dict[str, Any] = {}
        self._seen_at = 0.0
        self._renewed_at = 0.0

    @property
    def is_sure(self) -> bool:
        """Whether nobody else can hold the Lease now; asked before every write.

        A process that was stopped and goes on (SIGSTOP, a frozen machine) finds out here.
        """
        return self.held and self._time() < self._renewed_at + self._times.renew_deadline_s

    async def acquire(self) -> None:
        """Wait until the Lease is ours."""
        problem = ""
        while not self.held:
            try:
                await self._try_to_acquire()
            except ClusterError as error:
                if str(error) != problem:
                    log.warning("cannot get the lease %s: %s", self._path, error)
                problem = str(error)
            if not self.held:
                await asyncio.sleep(self._times.retry_s)

    async def keep(self) -> None:
        """Renew for ever.

        Raises:
            LeaseLostError: another one holds it, or it could not be renewed in time.
        """
        while True:
            pause = self._times.renew_deadline_s / 2
            await asyncio.sleep(pause)
            await self._renew()

    async def release(self) -> None:
        """Give the Lease back, so that the next one need not wait; errors are only logged."""
        if not self.held:
            return
        self.held = False
        spec = {**self._lease["spec"], "holderIdentity": "", "renewTime": self._stamp()}
        spec["leaseDurationSeconds"] = RELEASED_DURATION_S
        try:
            await self._write(spec, timeout_s=self._times.retry_s)
        except ClusterError as error:
            log.warning("the lease could not be given back, it will run out: %s", error)

    async def _try_to_acquire(self) -> None:
        started = self._time()
        try:
            lease = await self._api.get(self._path)
        except ClusterError as error:
            if error.status != NOT_FOUND:
                raise
            await self._create(started)
            return
        self._observe(lease)
        if self._is_free(started):
            await self._take(started)

    async def _create(self, started: float) -> None:
        stamp = self._stamp()
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name},
            "spec": self._spec(acquired=stamp, renewed=stamp, transitions=0),
        }
        try:
            self._lease = await self._api.create(self._collection, lease)
        except ClusterError as error:
            if error.status != CONFLICT:
                raise
            return
        self._now_ours(started)

    async def _take(self, started: float) -> None:
        stamp = self._stamp()
        previous = self._lease["spec"]
        transitions = int(previous.get("leaseTransitions") or 0) + 1
        try:
            await self._write(self._spec(acquired=stamp, renewed=stamp, transitions=transitions))
        except ClusterError as error:
            if error.status != CONFLICT:
                raise
            return
        self._now_ours(started)

    async def _renew(self) -> None:
        """Try until it works or the deadline has passed."""
        while True:
            started = self._time()
            left = self._renewed_at + self._times.renew_deadline_s - started
            if left <= 0:
                self.held = False
                raise LeaseLostError("the lease could not be renewed in time")
            try:
                spec = {**self._lease["spec"], "renewTime": self._stamp()}
                await self._write(spec, timeout_s=min(left, self._times.retry_s))
            except ClusterError as error:
                log.warning("the lease was not renewed: %s", error)
                if error.status == CONFLICT:
                    await self._look_who_holds_it()
            else:
                self._renewed_at = started
                return
            await asyncio.sleep(min(self._times.retry_s, max(left, 0.0)) / 2)

    async def _look_who_holds_it(self) -> None:
        """After a conflict: perhaps our own write whose answer was lost, perhaps another holder."""
        try:
            lease = await self._api.get(self._path)
        except ClusterError:
            return
        self._lease = lease
        holder = (lease.get("spec") or {}).get("holderIdentity")
        if holder != self.identity:
            self.held = False
            raise LeaseLostError(f"the lease is held by {holder or 'nobody'}")

    def _observe(self, lease: dict[str, Any]) -> None:
        """Note when the Lease was last seen to change, by our own clock."""
        before = self._lease.get("metadata", {}).get("resourceVersion")
        if lease["metadata"]["resourceVersion"] != before:
            self._seen_at = self._time()
            holder = (lease.get("spec") or {}).get("holderIdentity")
            if holder and holder != (self._lease.get("spec") or {}).get("holderIdentity"):
                log.info("the lease is held by %s; standing by", holder)
        self._lease = lease

    def _is_free(self, now: float) -> bool:
        spec = self._lease.setdefault("spec", {})
        holder = spec.get("holderIdentity")
        if not holder or holder == self.identity:
            return True
        lasts = float(spec.get("leaseDurationSeconds") or self._times.duration_s)
        return now >= self._seen_at + lasts

    def _now_ours(self, started: float) -> None:
        self.held = True
        self._renewed_at = started
        log.info("the lease is held by this process, %s", self.identity)

    async def _write(self, spec: dict[str, Any], timeout_s: float | None = None) -> None:
        body = {**self._lease, "spec": spec}
        self._lease = await self._api.replace(self._path, body, timeout_s=timeout_s)

    def _spec(self, *, acquired: str, renewed: str, transitions: int) -> dict[str, Any]:
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._times.duration_s),
            "acquireTime": acquired,
            "renewTime": renewed,
            "leaseTransitions": transitions,
        }

    def _stamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()
