"""Laws of stores and watches, against a scripted API in virtual time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.cluster.watching import Selection, Store, Watch
from qwen3_operator.errors import ClusterError
from support import virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def thing(name: str, version: int, value: object = None, namespace: str = "ns") -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "resourceVersion": str(version)}
    return {"metadata": metadata, "value": value if value is not None else version}


class Told:
    """Notes every change."""

    def __init__(self) -> None:
        self.changes: list[tuple[object, object]] = []

    def __call__(self, before: object, after: object, /) -> None:
        self.changes.append((before, after))


def make_store() -> tuple[Store[Any], Told]:
    told = Told()
    return Store(lambda raw: raw["value"], told), told


def test_a_store_tells_of_changes_only() -> None:
    store, told = make_store()
    store.put(thing("a", 1, "x"))
    store.put(thing("a", 2, "x"))
    store.put(thing("a", 3, "y"))
    store.drop(thing("a", 4))
    assert told.changes == [(None, "x"), ("x", "y"), ("y", None)]


def test_older_news_are_ignored() -> None:
    store, told = make_store()
    store.put(thing("a", 5, "new"))
    store.put(thing("a", 3, "old"))
    store.drop(thing("a", 4))
    assert store.get("ns", "a") == "new"
    assert told.changes == [(None, "new")]


def test_a_late_answer_does_not_bring_back_what_was_deleted() -> None:
    store, _ = make_store()
    store.put(thing("a", 5))
    store.drop(thing("a", 7))
    store.put(thing("a", 6))
    assert store.get("ns", "a") is None
    store.put(thing("a", 8))
    assert store.get("ns", "a") == 8


def test_a_list_drops_what_it_lacks_unless_it_came_later_or_lives_elsewhere() -> None:
    store, _ = make_store()
    store.put(thing("gone", 1))
    store.put(thing("kept", 2))
    store.put(thing("later", 9))
    store.put(thing("elsewhere", 1, namespace="other"))
    store.keep({("ns", "kept")}, 5, "ns")
    assert {name for name in ("gone", "kept", "later") if store.get("ns", name)} == {
        "kept",
        "later",
    }
    assert store.get("other", "elsewhere") == 1


def test_what_reduces_to_nothing_is_not_held() -> None:
    told = Told()
    store: Store[Any] = Store(lambda raw: raw["value"] or None, told)
    store.put(thing("a", 1, "x"))
    store.put(thing("a", 2, ""))
    assert len(store) == 0
    assert told.changes == [(None, "x"), ("x", None)]


class ScriptedApi:
    """Answers lists from `pages` and watches from `streams`, in order; then nothing happens."""

    def __init__(self, pages: list[Any], streams: list[Any]) -> None:
        self.pages = pages
        self.streams = streams
        self.asked: list[dict[str, str]] = []

    async def get(self, _path: str, params: dict[str, str]) -> dict[str, Any]:
        self.asked.append(dict(params))
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    async def stream(
        self, _path: str, params: dict[str, str], *, idle_s: float
    ) -> AsyncGenerator[dict[str, Any], None]:
        assert idle_s > 0
        self.asked.append(dict(params))
        if not self.streams:
            await asyncio.sleep(10**6)
        for event in self.streams.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


def page(*items: dict[str, Any], version: int = 10, go_on: str = "") -> dict[str, Any]:
    metadata = {"resourceVersion": str(version)}
    if go_on:
        metadata["continue"] = go_on
    return {"metadata": metadata, "items": list(items)}


def event(kind: str, raw: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": raw}


def watched(api: ScriptedApi, seconds: float = 100.0) -> tuple[Store[Any], Told, Watch[Any]]:
    store, told = make_store()

    async def scenario() -> Watch[Any]:
        watch: Watch[Any] = Watch(
            api,  # type: ignore[arg-type]
            Selection("/things", {"labelSelector": "ours"}),
            store,
            rng=random.Random(1),  # noqa: S311 - spreads pauses
        )
        running = asyncio.create_task(watch.run())
        await asyncio.sleep(seconds)
        assert not running.done()
        running.cancel()
        return watch

    return store, told, virtual_time.run(scenario())


def test_pages_are_read_to_the_end_and_the_watch_goes_on_from_there() -> None:
    api = ScriptedApi(
        [page(thing("a", 1), go_on="more"), page(thing("b", 2), version=12)],
        [[event("ADDED", thing("c", 13)), event("DELETED", thing("a", 14))]],
    )
    store, _, watch = watched(api)
    assert sorted(store.values()) == [2, 13]
    assert watch.synced.is_set()
    assert api.asked[1]["continue"] == "more"
    assert api.asked[2]["resourceVersion"] == "12"
    assert api.asked[2]["allowWatchBookmarks"] == "true"
    assert all(params["labelSelector"] == "ours" for params in api.asked)


def test_a_stream_that_ends_is_resumed_from_the_last_bookmark_without_a_list() -> None:
    api = ScriptedApi(
        [page()], [[event("BOOKMARK", thing("", 40))], [event("ADDED", thing("a", 41))]]
    )
    store, _, _ = watched(api)
    assert list(store.values()) == [41]
    assert [params.get("resourceVersion") for params in api.asked[1:]] == ["10", "40", "41"]


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(
            event("ERROR", {"code": 410, "reason": "Expired", "message": "too old"}),
            id="told inside the stream",
        ),
        pytest.param(ClusterError(410, "Expired", "too old"), id="told by the HTTP status"),
    ],
)
def test_a_version_that_is_too_old_means_one_new_list_and_only_real_changes_are_told(
    gone: object,
) -> None:
    api = ScriptedApi(
        [page(thing("a", 1), thing("b", 2)), page(thing("b", 2), thing("c", 60), version=61)],
        [[gone]],
    )
    store, told, _ = watched(api)
    assert sorted(store.values()) == [2, 60]
    assert told.changes == [(None, 1), (None, 2), (None, 60), (1, None)]


def test_failures_are_retried_with_growing_pauses_and_the_watch_resumes() -> None:
    down = ClusterError(0, "Unreachable", "connection refused")
    api = ScriptedApi(
        [down, down, down, page(thing("a", 1))], [[down], [event("ADDED", thing("b", 20))]]
    )
    store, _, watch = watched(api)
    assert sorted(store.values()) == [1, 20]
    assert watch.problem == ""


def test_a_watch_that_cannot_list_is_not_synced_and_says_why() -> None:
    forbidden = ClusterError(403, "Forbidden", "cannot list nodes")
    api = ScriptedApi([forbidden] * 1000, [])
    _, _, watch = watched(api)
    assert not watch.synced.is_set()
    assert "cannot list nodes" in watch.problem
    assert len(api.asked) < 20


def test_a_server_that_ends_every_stream_at_once_is_not_asked_in_a_tight_loop() -> None:
    api = ScriptedApi([page()], [[] for _ in range(10_000)])
    watched(api, seconds=10)
    assert len(api.asked) <= 52
