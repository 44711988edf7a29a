"""The children of one resource: write what differs, delete what is surplus, remember refusals."""

from __future__ import annotations

import logging
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster import resources
from qwen3_operator.cluster.requests import NAMESPACE_GOES
from qwen3_operator.desired.differences import differs
from qwen3_operator.desired.hashing import fingerprint
from qwen3_operator.desired.kinds import SERVICE
from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.caches import Caches
    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.observed import Key, Manifest, Observed

    OwnWrite = Callable[[Key], AbstractContextManager[set[str]]]
    """Wraps a write; the versions in its answers are added to the set: they are no news."""

log = logging.getLogger(__name__)

CONFLICT = 409
"""A child's name is taken by an object that is not ours."""


MAKERS_OF_PODS = frozenset({"Deployment", "LeaderWorkerSet", "StatefulSet"})
"""Kinds of children that replicas run as."""

HELD = MAKERS_OF_PODS | {SERVICE.kind}
"""Kinds whose going is waited for: they hold GPUs, or a name that clients know."""


class Outcome(Enum):
    """What came of bringing the children into shape."""

    UNCHANGED = auto()
    CHANGED = auto()
    REFUSED = auto()
    """The API server understood and refused; :meth:`Children.observe` has its sentence."""
    OWNER_GONE = auto()
    """The resource is gone although no event said so; nothing was written."""


class Children:
    """Writes children, and remembers what was refused last time and who had some."""

    def __init__(self, api: Api, writer: Writer, caches: Caches, own_write: OwnWrite) -> None:
        self._api = api
        self._writer = writer
        self._caches = caches
        self._own_write = own_write
        self._refusals: dict[Key, ClusterError] = {}
        self._refusals_around: dict[Key, ClusterError] = {}
        self._had: dict[Key, str] = {}
        self._as_written: dict[Key, dict[tuple[str, str], tuple[str, str]]] = {}

    def observe(self, key: Key) -> Observed:
        """Return what is there, and what was refused last time."""
        error, around = self._refusals.get(key), self._refusals_around.get(key)
        observed = self._caches.observe(key, _in_plain_words(error) if error else "")
        return replace(observed, refusal_around=_in_plain_words(around)) if around else observed

    def run(self, key: Key) -> bool:
        """Whether anything was made that runs, or is about to."""
        kinds = {kind for kind, _ in self._caches.observe(key, "").children}
        return not kinds.isdisjoint(MAKERS_OF_PODS)

    def refusal(self, key: Key) -> ClusterError | None:
        """Return what was refused last time, of the replicas or around them."""
        return self._refusals.get(key) or self._refusals_around.get(key)

    def forget(self, key: Key) -> None:
        """Forget a resource that is gone."""
        self._refusals.pop(key, None)
        self._refusals_around.pop(key, None)
        self._had.pop(key, None)
        self._as_written.pop(key, None)

    def belong_to_another(self, key: Key, uid: str) -> bool:
        """Whether some are on their way out with an earlier resource, or by somebody's hand.

        What stands around the replicas may take its time to go (a load balancer is taken down
        first), and nothing waits for that.
        """
        children = self.observe(key).children.values()
        return any(
            (_is_going(child) and child["kind"] in HELD) or _owner(child) not in (None, uid)
            for child in children
        )

    async def bring(self, key: Key, uid: str, wanted: Sequence[Manifest]) -> Outcome:
        """Make the children of the resource with that uid what is wanted, and no others.

        Raises:
            ClusterError: the API server could not do it now, or the namespace is going.
        """
        live = self.observe(key).children
        differing = [
            m for m in wanted if _name(m) not in live or self._differs(key, m, live[_name(m)])
        ]
        if self._had.get(key) == uid and any(_name(m) not in live for m in differing):
            body = await resources.read(self._api, key)
            if body is None or body["metadata"]["uid"] != uid:
                return Outcome.OWNER_GONE
        held = [m for m in differing if m["kind"] in HELD]
        around = [m for m in differing if m["kind"] not in HELD]
        if not await self._try_apply(key, held, self._refusals):
            return Outcome.REFUSED
        self._had[key] = uid
        pruned = await self.prune(key, uid, keep=tuple(map(_name, wanted)))
        if not await self._try_apply(key, around, self._refusals_around):
            return Outcome.REFUSED
        return Outcome.CHANGED if differing or pruned else Outcome.UNCHANGED

    async def _try_apply(
        self, key: Key, manifests: Sequence[Manifest], refusals: dict[Key, ClusterError]
    ) -> bool:
        """Apply them; remember a refusal and return False, forget an earlier one otherwise."""
        try:
            await self._apply(key, manifests)
        except ClusterError as error:
            if error.is_without_kind:  # its watch is about to notice
                return True
            refused = error.is_refusal or error.status == CONFLICT
            if not refused or error.reason == NAMESPACE_GOES:
                raise
            refusals[key] = error
            return False
        refusals.pop(key, None)
        return True

    async def prune(self, key: Key, uid: str, keep: Sequence[tuple[str, str]] = ()) -> bool:
        """Delete children of the resource with that uid but these; return whether some were."""
        surplus = [
            child
            for name, child in self.observe(key).children.items()
            if name not in keep and _owner(child) == uid and not _is_going(child)
        ]
        if surplus:
            await self._writer.delete(surplus)
            log.info("deleted %s", _names(surplus))
        return bool(surplus)

    def _differs(self, key: Key, manifest: Manifest, live: Manifest) -> bool:
        """Whether applying would change anything.

        The API server may write what users bring (spec.podTemplate) in a way that is not ours to
        foresee. What it made of the very same words last time is what was wanted.
        """
        if not differs(manifest, live):
            return False
        if differs({"metadata": manifest["metadata"]}, live):
            return True
        written = self._as_written.get(key, {}).get(_name(manifest))
        return written != (fingerprint(manifest), _generation(live))

    async def _apply(self, key: Key, manifests: Sequence[Manifest]) -> None:
        if not manifests:
            return
        with self._own_write(key) as answers:
            applied = await self._writer.apply(manifests, known=self.observe(key).children)
            self._caches.take(applied)
            answers.update(map(version_of, applied))
        written = self._as_written.setdefault(key, {})
        for manifest, live in zip(manifests, applied, strict=True):
            if differs(manifest, live):
                written[_name(manifest)] = fingerprint(manifest), _generation(live)
        log.info("applied %s", _names(manifests))


def _generation(live: Manifest) -> str:
    """Return what changes whenever an object's specification does."""
    return str(live["metadata"].get("generation") or version_of(live))


def version_of(manifest: Manifest) -> str:
    """Return the version that the API server gave an object."""
    return str(manifest["metadata"]["resourceVersion"])


def _in_plain_words(error: ClusterError) -> str:
    if error.status != CONFLICT:
        return error.message
    return (
        f"An object of that name belongs to somebody else and is not taken over: {error.message}."
        " Rename this resource, or remove that object."
    )


def _name(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def _names(manifests: Sequence[Manifest]) -> str:
    return ", ".join(" ".join(_name(manifest)) for manifest in manifests)


def _owner(child: Manifest) -> str | None:
    """Return the uid of the controlling owner."""
    owners: Sequence[dict[str, Any]] = child["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), None)


def _is_going(child: Manifest) -> bool:
    return "deletionTimestamp" in child["metadata"]
