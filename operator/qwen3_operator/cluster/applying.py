"""The writes: children, status, Events. Nothing is written unless the Lease is surely ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.requests import FIELD_MANAGER, JSON, Request
from qwen3_operator.desired.kinds import CHILD_KINDS
from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.observed import Key, Manifest
    from qwen3_operator.status import EventNote

COLLECTIONS = {(kind.api_version, kind.kind): kind for kind in CHILD_KINDS}
"""Kinds of children by what their manifests say."""

RESOURCE_PATH = "/apis/serving.qwen3.dev/v1alpha1"
"""Where the API server keeps our own kind."""

NOT_FOUND = 404
CONFLICT = 409

EVENT_NOTE_LENGTH = 1024
"""The API server refuses longer notes."""


class NotLeadingError(ClusterError):
    """A write was held back because the Lease is no longer surely ours."""

    def __init__(self) -> None:
        super().__init__(0, "NotLeading", "the lease is not surely held; nothing was written")


class Writer:
    """Writes what was decided; every method raises ClusterError alone."""

    def __init__(self, api: Api, *, is_allowed: Callable[[], bool], identity: str) -> None:
        self._api = api
        self._is_allowed = is_allowed
        self._identity = identity

    async def apply(
        self, manifests: Sequence[Manifest], known: Container[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        """Server-side apply all of them at once; return the live objects.

        `known` holds the (kind, name) of those that are ours already and are forced back into
        shape. What is not there yet is applied without force: an object of that name that belongs
        to somebody else is not taken over, the API server answers Conflict.

        When one is refused the others are still waited for, then the first refusal is raised.
        """
        self._check()
        answers = await asyncio.gather(
            *(
                self._api.apply(
                    path_of(manifest),
                    manifest,
                    force=(manifest["kind"], manifest["metadata"]["name"]) in known,
                )
                for manifest in manifests
            ),
            return_exceptions=True,
        )
        applied = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            applied.append(answer)
        return applied

    async def delete(self, manifests: Iterable[Manifest]) -> None:
        """Delete exactly these objects; one that is gone or was replaced is fine."""
        self._check()
        for manifest in manifests:
            try:
                await self._api.delete(path_of(manifest), manifest["metadata"]["uid"])
            except ClusterError as error:
                if error.status not in (NOT_FOUND, CONFLICT):
                    raise

    async def create(self, path: str, manifest: Manifest) -> dict[str, Any]:
        """Create an object in a collection; return it as it lives."""
        self._check()
        params = {"fieldManager": FIELD_MANAGER}
        return await self._api.send(Request("POST", path, manifest, params, JSON))

    async def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Patch an object by JSON patch; return it as it lives."""
        self._check()
        return await self._api.patch(path, operations)

    async def delete_at(self, path: str, uid: str) -> None:
        """Delete the object with exactly this uid."""
        self._check()
        await self._api.delete(path, uid)

    async def set_status(
        self, key: Key, uid: str, status: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Replace the whole status of the resource with that uid; None if it is gone.

        One JSON patch: the test guards against a resource of the same name that came later.
        """
        self._check()
        path = f"{RESOURCE_PATH}/namespaces/{key.namespace}/qwen3deployments/{key.name}/status"
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]
        try:
            return await self._api.patch(path, operations)
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def post(self, note: EventNote, about: Mapping[str, Any], stamp: str) -> None:
        """Write an Event about a resource; `stamp` is the time as RFC 3339 with microseconds."""
        self._check()
        metadata = about["metadata"]
        namespace = metadata["namespace"]
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}-", "namespace": namespace},
            "eventTime": stamp,
            "reportingController": "serving.qwen3.dev/qwen3-operator",
            "reportingInstance": self._identity[:128],
            "action": "Reconcile",
            "reason": note.reason,
            "type": note.type,
            "note": note.message[:EVENT_NOTE_LENGTH],
            "regarding": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "namespace": namespace,
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        params = {"fieldManager": FIELD_MANAGER}
        await self._api.send(Request("POST", path, body, params, JSON))

    def _check(self) -> None:
        if not self._is_allowed():
            raise NotLeadingError


def path_of(manifest: Manifest) -> str:
    """Return the path of an object of a kind that children have."""
    kind, metadata = COLLECTIONS[manifest["apiVersion"], manifest["kind"]], manifest["metadata"]
    return f"{kind.root}/namespaces/{metadata['namespace']}/{kind.plural}/{metadata['name']}"
