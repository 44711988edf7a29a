"""Kinds that a cluster may lack: looked for until they are there, forgotten when they go."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.optional import APIS, LOOK_AGAIN_S, RARELY_S, OptionalWatch, Served
from qwen3_operator.cluster.watching import Selection, Store
from qwen3_operator.errors import ClusterError
from support import virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

NEW, OLD = Selection("/apis/example.com/v2/things"), Selection("/apis/example.com/v1/things")


def thing(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "value": name}


class Cluster:
    """Serves the paths that it is told to, and knows what was asked when."""

    def __init__(self) -> None:
        self.served: set[str] = set()
        self.versions: set[str] = set()
        self.tells_versions = True
        self.refused = 404
        self.things = [thing("a", 3)]
        self.asked: list[tuple[float, str]] = []
        self.gone = asyncio.Event()

    def times(self, path: str) -> list[float]:
        return [at for at, asked in self.asked if asked == path]

    async def get(self, path: str, _params: dict[str, str] | None = None) -> dict[str, Any]:
        self.asked.append((asyncio.get_running_loop().time(), path))
        if path == APIS and self.tells_versions:
            names = {one.removeprefix("/apis/").rpartition("/")[0] for one in self.served}
            versions = [{"groupVersion": name} for name in sorted(names | self.versions)]
            return {"groups": [{"name": "example.com", "versions": versions}]}
        if path not in self.served:
            raise ClusterError(self.refused, "NotFound", "no such API")
        return {"items": self.things, "metadata": {"resourceVersion": "10"}}

    async def stream(
        self, path: str, _params: dict[str, str], *, idle_s: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        assert idle_s > 0
        if path not in self.served:
            raise ClusterError(404, "NotFound", "no such API")
        await self.gone.wait()
        raise ClusterError(404, "NotFound", "it went")
        yield {}  # the type of what never comes


class Follower:
    """A watch with its store, and how often it was told that the API came or went."""

    def __init__(self, cluster: Cluster, *older: Selection, served: Served | None = None) -> None:
        api: Any = cluster  # as much of the API as is asked
        self.store: Store[Any] = Store(lambda raw: raw["value"], lambda _before, _after: None)
        self.turns = 0
        self.watch: OptionalWatch[Any] = OptionalWatch(
            served or Served(api),
            NEW,
            self.store,
            self._turned,
            older,
        )

    def _turned(self) -> None:
        self.turns += 1


def test_what_is_absent_is_as_good_as_read_and_is_found_when_it_comes() -> None:
    async def story() -> None:
        cluster = Cluster()
        follower = Follower(cluster)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.wait_for(follower.watch.synced.wait(), 1)
        assert (follower.watch.is_there, len(follower.store), follower.turns) == (False, 0, 0)
        assert follower.watch.problem == ""
        cluster.served.add(NEW.path)
        await asyncio.sleep(LOOK_AGAIN_S + 1)
        assert (follower.watch.is_there, len(follower.store), follower.turns) == (True, 1, 1)
        task.cancel()

    virtual_time.run(story())


def test_what_goes_takes_its_objects_along_and_may_come_again() -> None:
    async def story() -> None:
        cluster = Cluster()
        cluster.served.add(NEW.path)
        follower = Follower(cluster)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.sleep(1)
        cluster.served.clear()
        cluster.gone.set()
        await asyncio.sleep(1)
        assert (follower.watch.is_there, len(follower.store), follower.turns) == (False, 0, 2)
        cluster.served.add(NEW.path)
        cluster.gone.clear()
        cluster.things = [thing("a", 12)]
        await asyncio.sleep(LOOK_AGAIN_S + 1)
        assert (follower.watch.is_there, follower.store.get("", "a")) == (True, "a")
        task.cancel()

    virtual_time.run(story())


def test_an_older_version_serves_where_the_newest_is_not_there() -> None:
    async def story() -> None:
        cluster = Cluster()
        cluster.served.add(OLD.path)
        follower = Follower(cluster, OLD)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.sleep(0.1)  # asked at once, not after a pause
        assert follower.watch.is_there
        task.cancel()

    virtual_time.run(story())


def test_without_rights_it_is_as_good_as_absent_and_asked_for_ever_more_seldom() -> None:
    async def story() -> None:
        cluster = Cluster()
        cluster.refused = 403
        cluster.versions.add("example.com/v2")
        follower = Follower(cluster)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.sleep(400)
        assert follower.watch.synced.is_set()
        times = cluster.times(NEW.path)
        pauses = [after - before for before, after in pairwise(times)]
        assert pauses == [5, 10, 20, 40, 60, 60, 60, 60, 60]
        assert pauses[0] == LOOK_AGAIN_S
        assert pauses[-1] == RARELY_S
        assert follower.watch.hindrance == "no such API"
        cluster.refused = 404
        await asyncio.sleep(RARELY_S + 1)
        assert follower.watch.hindrance == ""
        task.cancel()

    virtual_time.run(story())


def test_kinds_whose_apis_are_not_there_cost_one_request_together() -> None:
    async def story() -> None:
        cluster = Cluster()
        api: Any = cluster
        served = Served(api)
        followers = [Follower(cluster, OLD, served=served) for _ in range(7)]
        tasks = [asyncio.create_task(one.watch.run()) for one in followers]
        await asyncio.sleep(LOOK_AGAIN_S * 20 + 1)
        assert len(cluster.times(NEW.path)) == len(cluster.times(OLD.path)) == 7
        assert len(cluster.times(APIS)) == 21
        cluster.served.add(OLD.path)
        await asyncio.sleep(LOOK_AGAIN_S)
        assert all(one.watch.is_there for one in followers)
        for task in tasks:
            task.cancel()

    virtual_time.run(story())


def test_a_kind_that_comes_after_its_api_is_found_soon() -> None:
    async def story() -> None:
        cluster = Cluster()
        follower = Follower(cluster)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.sleep(LOOK_AGAIN_S * 100)
        cluster.versions.add("example.com/v2")
        await asyncio.sleep(LOOK_AGAIN_S + 1)
        assert not follower.watch.is_there
        cluster.served.add(NEW.path)
        await asyncio.sleep(LOOK_AGAIN_S * 2)
        assert follower.watch.is_there
        task.cancel()

    virtual_time.run(story())


def test_where_nobody_tells_which_apis_there_are_the_kind_itself_is_asked_for() -> None:
    async def story() -> None:
        cluster = Cluster()
        cluster.tells_versions = False
        follower = Follower(cluster)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.sleep(1)
        cluster.served.add(NEW.path)
        await asyncio.sleep(LOOK_AGAIN_S)
        assert follower.watch.is_there
        task.cancel()

    virtual_time.run(story())


def test_other_failures_are_problems_as_of_any_watch() -> None:
    async def story() -> None:
        cluster = Cluster()
        cluster.refused = 500
        follower = Follower(cluster)
        task = asyncio.create_task(follower.watch.run())
        await asyncio.sleep(1)
        assert not follower.watch.synced.is_set()
        assert "500" in follower.watch.problem
        task.cancel()

    virtual_time.run(story())
