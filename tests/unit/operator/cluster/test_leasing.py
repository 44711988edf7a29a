"""Laws of the Lease, against an API server in memory and in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from qwen3_operator.cluster.leasing import Lease, LeaseLostError, LeaseTimes
from qwen3_operator.errors import ClusterError
from support import virtual_time

TIMES = LeaseTimes(duration_s=15, renew_deadline_s=10, retry_s=2)
NOT_FOUND = ClusterError(404, "NotFound", "no such lease")
CONFLICT = ClusterError(409, "Conflict", "the object has been modified")


@dataclass
class LeaseServer:
    """Keeps one Lease as the API server does: versions guard against lost updates."""

    lease: dict[str, Any] | None = None
    version: int = 0
    writes: int = 0
    unreachable_for: set[str] = field(default_factory=set)

    def seen_by(self, who: str) -> LeaseApi:
        return LeaseApi(self, who)


@dataclass
class LeaseApi:
    server: LeaseServer
    who: str

    async def get(self, _path: str) -> dict[str, Any]:
        await self._travel()
        if self.server.lease is None:
            raise NOT_FOUND
        return self.server.lease

    async def create(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        await self._travel()
        if self.server.lease is not None:
            raise ClusterError(409, "AlreadyExists", "it exists")
        return self._store(body)

    async def replace(
        self, _path: str, body: dict[str, Any], *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        await self._travel(timeout_s)
        if self.server.lease is None:
            raise NOT_FOUND
        if body["metadata"]["resourceVersion"] != str(self.server.version):
            raise CONFLICT
        return self._store(body)

    def _store(self, body: dict[str, Any]) -> dict[str, Any]:
        self.server.version += 1
        self.server.writes += 1
        metadata = {**body["metadata"], "resourceVersion": str(self.server.version)}
        self.server.lease = {**body, "metadata": metadata}
        return self.server.lease

    async def _travel(self, timeout_s: float | None = None) -> None:
        if self.who in self.server.unreachable_for:
            await asyncio.sleep(timeout_s or 2)
            raise ClusterError(0, "Timeout", "no answer in time")
        await asyncio.sleep(0.01)


def candidate(server: LeaseServer, who: str) -> Lease:
    def now() -> datetime:
        return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)

    return Lease(server.seen_by(who), ("system", "lock"), who, TIMES, now)  # type: ignore[arg-type]


def holder(server: LeaseServer) -> str:
    assert server.lease is not None
    return str(server.lease["spec"]["holderIdentity"])


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_first_candidate_gets_it_and_the_second_waits() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        first, second = candidate(server, "first"), candidate(server, "second")
        await first.acquire()
        keeping = asyncio.create_task(first.keep())
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(600)
        assert not waiting.done()
        assert not keeping.done()
        assert first.is_sure
        assert not second.is_sure
        assert holder(server) == "first"
        keeping.cancel()
        waiting.cancel()

    virtual_time.run(scenario())


def test_two_that_start_together_never_both_hold_it() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        candidates = [candidate(server, f"c{number}") for number in range(5)]
        tasks = [asyncio.create_task(one.acquire()) for one in candidates]
        await asyncio.sleep(5)
        assert [one.held for one in candidates].count(True) == 1
        for task in tasks:
            task.cancel()

    virtual_time.run(scenario())


def test_a_standby_takes_over_when_a_dead_holders_time_is_over_and_not_before() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        await candidate(server, "dead").acquire()
        standby = candidate(server, "standby")
        started = now()
        await standby.acquire()
        waited = now() - started
        assert TIMES.duration_s <= waited <= TIMES.duration_s + 2 * TIMES.retry_s
        assert server.lease is not None
        assert server.lease["spec"]["leaseTransitions"] == 1

    virtual_time.run(scenario())


def test_a_lease_given_back_is_taken_at_once() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        first, second = candidate(server, "first"), candidate(server, "second")
        await first.acquire()
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(1)
        await first.release()
        assert not first.is_sure
        released = now()
        await waiting
        assert now() - released <= TIMES.retry_s + 0.1

    virtual_time.run(scenario())


def test_a_holder_that_cannot_renew_stops_before_anyone_else_can_start() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        first, second = candidate(server, "first"), candidate(server, "second")
        await first.acquire()
        keeping = asyncio.create_task(first.keep())
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(60)
        server.unreachable_for.add("first")
        with pytest.raises(LeaseLostError):
            await keeping
        lost = now()
        assert not first.is_sure
        assert not waiting.done()
        await waiting
        assert now() > lost

    virtual_time.run(scenario())


def test_a_frozen_process_knows_that_it_is_no_longer_sure() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        lease = candidate(server, "frozen")
        await lease.acquire()
        assert lease.is_sure
        await asyncio.sleep(TIMES.renew_deadline_s + 0.1)  # nobody runs keep() meanwhile
        assert not lease.is_sure

    virtual_time.run(scenario())


def test_a_hiccup_shorter_than_the_deadline_costs_nothing() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        lease = candidate(server, "first")
        await lease.acquire()
        keeping = asyncio.create_task(lease.keep())
        await asyncio.sleep(21)
        server.unreachable_for.add("first")
        await asyncio.sleep(4)
        server.unreachable_for.clear()
        await asyncio.sleep(300)
        assert not keeping.done()
        assert lease.is_sure
        keeping.cancel()

    virtual_time.run(scenario())


def test_a_lease_taken_by_another_hand_is_lost_at_the_next_renewal() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        lease = candidate(server, "first")
        await lease.acquire()
        assert server.lease is not None
        stolen = {**server.lease, "spec": {**server.lease["spec"], "holderIdentity": "thief"}}
        await server.seen_by("thief").replace("", stolen)
        with pytest.raises(LeaseLostError, match="thief"):
            await lease.keep()
        assert not lease.is_sure
        with suppress(ClusterError):
            await lease.release()
        assert holder(server) == "thief"

    virtual_time.run(scenario())


def test_a_restarted_process_of_the_same_name_need_not_wait() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        await candidate(server, "pod-0").acquire()
        started = now()
        await candidate(server, "pod-0").acquire()
        assert now() - started < 1

    virtual_time.run(scenario())


def test_a_healthy_holder_writes_seldom() -> None:
    async def scenario() -> None:
        server = LeaseServer()
        lease = candidate(server, "first")
        await lease.acquire()
        keeping = asyncio.create_task(lease.keep())
        await asyncio.sleep(60)
        assert server.writes <= 1 + 60 / (TIMES.renew_deadline_s / 2)
        keeping.cancel()

    virtual_time.run(scenario())
