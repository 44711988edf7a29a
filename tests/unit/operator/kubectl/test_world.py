"""A world answers as the API server does, and what is written in it stays in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.cluster.requests import Api
from qwen3_operator.cluster.watching import Selection, Store
from qwen3_operator.errors import ClusterError
from qwen3_operator.kubectl.rehearsal.selecting import is_selected, place_of
from qwen3_operator.kubectl.rehearsal.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = "2026-11-23T10:00:00Z"
PODS = "/api/v1/pods"
INSIDE = "/api/v1/namespaces/ns/pods"


class Cluster(Api):
    """A cluster with one pod on each of two pages; it must never be written to."""

    def __init__(self) -> None:
        self.server = "https://cluster"
        self.asked: list[str] = []

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        self.asked.append(path)
        if path != PODS:
            raise ClusterError(404, "NotFound", path)
        first = "continue" not in (params or {})
        metadata = {"resourceVersion": "90", **({"continue": "x"} if first else {})}
        return {"metadata": metadata, "items": [raw("a" if first else "b")]}


def raw(name: str, **labels: str) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "resourceVersion": "7", "labels": labels}
    return {"metadata": metadata, "spec": {"x": 1}}


def name_of(one: dict[str, Any] | None) -> str | None:
    return one["metadata"]["name"] if one else None


def names(answer: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def test_a_list_is_read_once_and_whole() -> None:
    cluster = Cluster()
    world = World(cluster, NOW)

    async def story() -> None:
        assert names(await world.get(PODS, {"limit": "1"})) == ["a", "b"]
        assert names(await world.get(INSIDE)) == ["a", "b"]

    asyncio.run(story())
    assert cluster.asked == [PODS, PODS]


def test_what_is_written_is_seen_and_heard_of_and_stays_here() -> None:
    cluster = Cluster()
    world = World(cluster, NOW)
    heard: list[tuple[str | None, str | None]] = []

    def changed(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        heard.append((name_of(before), name_of(after)))

    store: Store[dict[str, Any]] = Store(lambda pod: pod, changed)

    async def story() -> None:
        await world.get(PODS)
        world.follow(Selection(PODS, {"labelSelector": "ours"}), store)
        await world.create(INSIDE, raw("c", ours="yes"))
        await world.create(INSIDE, raw("d"))
        await world.patch(f"{INSIDE}/c", [{"op": "add", "path": "/status", "value": {"ok": 1}}])
        held = await world.get(f"{INSIDE}/c")
        assert held["status"] == {"ok": 1}
        assert held["metadata"]["creationTimestamp"] == NOW
        before = world.version
        await world.patch(f"{INSIDE}/c", [{"op": "add", "path": "/status", "value": {"ok": 1}}])
        assert world.version == before
        await world.delete(f"{INSIDE}/c", "")
        assert names(await world.get(PODS)) == ["a", "b", "d"]

    asyncio.run(story())
    assert heard == [(None, "c"), ("c", "c"), ("c", None)]
    assert cluster.asked == [PODS, PODS]


def test_what_is_applied_keeps_its_birth_and_its_status() -> None:
    world = World(Cluster(), NOW)
    path = "/apis/apps/v1/namespaces/ns/deployments/m"
    manifest = {"metadata": {"name": "m", "namespace": "ns"}, "spec": {"replicas": 1}}

    async def story() -> None:
        first = await world.apply(path, manifest, force=False)
        await world.patch(path, [{"op": "add", "path": "/status", "value": {"ready": 1}}])
        second = await world.apply(path, {**manifest, "spec": {"replicas": 2}}, force=True)
        assert second["metadata"]["uid"] == first["metadata"]["uid"]
        assert (second["spec"], second["status"]) == ({"replicas": 2}, {"ready": 1})
        scaled = await world.apply(f"{path}/scale", {"spec": {"replicas": 5}}, force=True)
        assert scaled["spec"] == {"replicas": 5}

    asyncio.run(story())


def test_a_test_that_fails_writes_nothing() -> None:
    world = World(Cluster(), NOW)

    async def story() -> None:
        await world.create(INSIDE, raw("c"))
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": "another"},
            {"op": "add", "path": "/status", "value": {}},
        ]
        with pytest.raises(ClusterError, match="is not another"):
            await world.patch(f"{INSIDE}/c", operations)
        with pytest.raises(ClusterError, match="is not there"):
            await world.patch(f"{INSIDE}/nobody", [])

    asyncio.run(story())


@pytest.mark.parametrize(
    ("params", "selected"),
    [
        ({}, True),
        ({"labelSelector": "app=x"}, True),
        ({"labelSelector": "app=y"}, False),
        ({"labelSelector": "!app"}, False),
        ({"fieldSelector": "spec.nodeName!=,status.phase!=Failed"}, True),
        ({"fieldSelector": "spec.nodeName=m"}, False),
    ],
)
def test_selectors_select(params: dict[str, str], *, selected: bool) -> None:
    pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"nodeName": "n"}}

    assert is_selected(params, pod) is selected


def test_paths_of_namespaces_themselves_are_understood() -> None:
    assert place_of("/api/v1/namespaces/ns") == ("/api/v1/namespaces", "", "ns", "")
    assert place_of("/version") is None
