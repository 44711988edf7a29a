"""Writes: held back without the Lease, all waited for, guarded against mix-ups."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qwen3_operator.cluster.applying import Writer, path_of
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import Key
from qwen3_operator.status import EventNote

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"namespace": "ns", "name": "m", "uid": "u-1"},
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"namespace": "ns", "name": "m", "uid": "u-2"},
}
KEY = Key("ns", "m")


class RecordingApi:
    """Notes what is asked of it and answers as told."""

    def __init__(self, errors: dict[str, ClusterError] | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._errors = errors or {}

    async def apply(self, path: str, manifest: Any, *, force: bool) -> Any:  # noqa: ANN401 - JSON
        await asyncio.sleep(0)
        return self._answer("apply", path, force) or manifest

    async def patch(self, path: str, operations: Any) -> Any:  # noqa: ANN401 - JSON
        return self._answer("patch", path, operations) or {"patched": True}

    async def delete(self, path: str, uid: str) -> None:
        self._answer("delete", path, uid)

    async def send(self, request: Any) -> Any:  # noqa: ANN401 - JSON
        return self._answer("send", request.path, request.body)

    def _answer(self, verb: str, path: str, detail: object) -> None:
        self.calls.append((verb, path, detail))
        if path in self._errors:
            raise self._errors[path]


def writer(api: RecordingApi, *, allowed: bool = True) -> Writer:
    return Writer(api, is_allowed=lambda: allowed, identity="op")  # type: ignore[arg-type]


def test_without_the_lease_nothing_is_written() -> None:
    async def scenario() -> None:
        api = RecordingApi()
        idle = writer(api, allowed=False)
        note = EventNote("Normal", "Ready", "…")
        for write in (
            idle.apply([DEPLOYMENT], known=()),
            idle.delete([DEPLOYMENT]),
            idle.set_status(KEY, "u", {}),
            idle.post(note, {}, ""),
        ):
            with pytest.raises(ClusterError, match="lease"):
                await write
        assert api.calls == []

    asyncio.run(scenario())


def test_what_is_ours_is_forced_and_what_is_new_is_not() -> None:
    async def scenario() -> None:
        api = RecordingApi()
        await writer(api).apply([DEPLOYMENT, SERVICE], known={("Deployment", "m")})
        assert {path: force for _, path, force in api.calls} == {
            path_of(DEPLOYMENT): True,
            path_of(SERVICE): False,
        }

    asyncio.run(scenario())


def test_one_refusal_does_not_cut_off_the_others() -> None:
    async def scenario() -> None:
        refusal = ClusterError(403, "Forbidden", "no")
        api = RecordingApi({path_of(DEPLOYMENT): refusal})
        with pytest.raises(ClusterError) as caught:
            await writer(api).apply([DEPLOYMENT, SERVICE], known=())
        assert caught.value is refusal
        assert len(api.calls) == 2

    asyncio.run(scenario())


def test_a_status_is_written_to_the_resource_that_was_judged_and_to_no_successor() -> None:
    async def scenario() -> None:
        api = RecordingApi()
        await writer(api).set_status(KEY, "u-9", {"phase": "Ready"})
        ((_, path, operations),) = api.calls
        assert path.endswith("/namespaces/ns/qwen3deployments/m/status")
        assert operations[0] == {"op": "test", "path": "/metadata/uid", "value": "u-9"}
        assert operations[1]["value"] == {"phase": "Ready"}

    asyncio.run(scenario())


def test_a_resource_that_is_gone_has_no_status() -> None:
    async def scenario() -> None:
        path = "/apis/serving.qwen3.dev/v1alpha1/namespaces/ns/qwen3deployments/m/status"
        api = RecordingApi({path: ClusterError(404, "NotFound", "gone")})
        assert await writer(api).set_status(KEY, "u", {}) is None

    asyncio.run(scenario())


def test_deleting_what_is_gone_or_was_replaced_is_fine() -> None:
    async def scenario() -> None:
        api = RecordingApi(
            {
                path_of(DEPLOYMENT): ClusterError(404, "NotFound", "gone"),
                path_of(SERVICE): ClusterError(409, "Conflict", "another uid"),
            }
        )
        await writer(api).delete([DEPLOYMENT, SERVICE])
        assert [detail for _, _, detail in api.calls] == ["u-1", "u-2"]

    asyncio.run(scenario())


def test_a_long_event_is_cut_to_what_the_api_server_takes() -> None:
    async def scenario() -> None:
        api = RecordingApi()
        about = {
            "apiVersion": "v",
            "kind": "K",
            "metadata": {"namespace": "ns", "name": "m", "uid": "u", "resourceVersion": "1"},
        }
        note = EventNote("Warning", "InsufficientGPUMemory", "x" * 5000)
        await writer(api).post(note, about, "2026-01-01T00:00:00.000000Z")
        ((_, path, body),) = api.calls
        assert path == "/apis/events.k8s.io/v1/namespaces/ns/events"
        assert len(body["note"]) == 1024
        assert (body["type"], body["reason"]) == ("Warning", "InsufficientGPUMemory")
        assert body["regarding"]["uid"] == "u"

    asyncio.run(scenario())
