"""Claims and Jobs that several resources own: made once, joined and left by each of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.applying import NOT_FOUND
from qwen3_operator.cluster.requests import NAMESPACE_GOES
from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.caches import Caches
    from qwen3_operator.observed import Key, Manifest, Prefetch, Volume

log = logging.getLogger(__name__)

CONFLICT = 409

PATHS = {
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}


class Sharing:
    """Makes shared objects, adds a user, takes a user away; remembers what was refused."""

    def __init__(self, writer: Writer, caches: Caches, look_again: Callable[[Key], None]) -> None:
        """Prepare; `look_again` has a resource reconciled anew."""
        self._writer = writer
        self._caches = caches
        self._look_again = look_again
        self._refusals: dict[Key, str] = {}

    def refusal(self, key: Key) -> str:
        """Return the API server's sentence if it refused something last time."""
        return self._refusals.get(key, "")

    def forget(self, key: Key) -> None:
        """Forget a resource that is gone; its ownership goes with it."""
        self._refusals.pop(key, None)

    async def join(self, key: Key, uid: str, wanted: Sequence[Manifest]) -> None:
        """Have these objects exist with the resource among their users.

        One without owners is to stay without users, so nobody joins it.

        Raises:
            ClusterError: the API server could not do it now, or the namespace is going.
        """
        try:
            for manifest in wanted:
                await self._join(key, uid, manifest)
        except ClusterError as error:
            if not error.is_refusal or error.reason == NAMESPACE_GOES:
                raise
            self._refusals[key] = error.message
        else:
            self._refusals.pop(key, None)

    async def _join(self, key: Key, uid: str, manifest: Manifest) -> None:
        live = self._live(key, manifest["kind"], manifest["metadata"]["name"])
        references = manifest["metadata"].get("ownerReferences", [])
        path = PATHS[manifest["kind"]].format(key.namespace)
        if live is None:
            try:
                self._caches.take([await self._writer.create(path, manifest)])
                log.info("created %s %s", manifest["kind"], manifest["metadata"]["name"])
            except ClusterError as error:
                if error.status != CONFLICT:
                    raise
                self._look_again(key)  # somebody was faster; the watch will show it
            return
        if live.is_going or not references or any(user == uid for _, user in live.users):
            return
        where = "/metadata/ownerReferences"
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": live.uid},
            {"op": "add", "path": f"{where}/-", "value": references[0]}
            if live.owners
            else {"op": "add", "path": where, "value": references},
        ]
        self._caches.take([await self._writer.patch(f"{path}/{live.name}", operations)])
        log.info("joined %s %s", manifest["kind"], live.name)

    async def leave(self, key: Key, uid: str, keep: Iterable[tuple[str, str]] = ()) -> None:
        """Take the resource from the users of all but these; what has no other owner goes."""
        kept = set(keep)
        for kind, live in self._caches.shared_by(key):
            if (kind, live.name) in kept or live.is_going:
                continue
            if not any(user == uid for _, user in live.users):
                continue
            path = f"{PATHS[kind].format(key.namespace)}/{live.name}"
            if live.owners == (uid,):
                await self.delete(key, kind, live)
                continue
            where = f"/metadata/ownerReferences/{live.owners.index(uid)}"
            operations: list[dict[str, Any]] = [
                {"op": "test", "path": f"{where}/uid", "value": uid},
                {"op": "remove", "path": where},
            ]
            self._caches.take([await self._writer.patch(path, operations)])
            log.info("left %s %s", kind, live.name)

    async def delete(self, key: Key, kind: str, live: Volume | Prefetch) -> None:
        """Delete exactly this object; one that is gone is fine."""
        path = f"{PATHS[kind].format(key.namespace)}/{live.name}"
        try:
            await self._writer.delete_at(path, live.uid)
        except ClusterError as error:
            if error.status not in (NOT_FOUND, CONFLICT):
                raise
        log.info("deleted %s %s", kind, live.name)

    def _live(self, key: Key, kind: str, name: str) -> Volume | Prefetch | None:
        store = self._caches.volumes if kind == "PersistentVolumeClaim" else self._caches.prefetches
        return store.get(key.namespace, name)
