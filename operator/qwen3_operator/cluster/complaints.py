"""Pods that controllers could not make, by the object they were for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qwen3_operator.observed import CreationFailure

FAILED_CREATE = {"fieldSelector": "reason=FailedCreate"}
"""Events in which ReplicaSets, StatefulSets, LeaderWorkerSets and Jobs say so."""


class Complaints:
    """An index of the Events, kept by the changes of their store."""

    def __init__(self, tell: Callable[[CreationFailure], None]) -> None:
        """Prepare; `tell` hears of each that comes, changes or goes."""
        self._tell = tell
        self._by_namespace: dict[str, dict[tuple[str, str], list[CreationFailure]]] = {}

    def changed(self, before: CreationFailure | None, after: CreationFailure | None) -> None:
        """Take a change of the store."""
        for failure in (before, after):
            if failure is None:
                continue
            objects = self._by_namespace.setdefault(failure.namespace, {})
            told = objects.setdefault((failure.kind, failure.name), [])
            if failure is after:
                told.append(failure)
            else:
                told.remove(failure)
            if not told:
                del objects[failure.kind, failure.name]
        told_of = after or before
        if told_of is not None:
            self._tell(told_of)

    def within(self, namespace: str) -> Iterable[CreationFailure]:
        """Return what was told in a namespace."""
        return [f for told in self._by_namespace.get(namespace, {}).values() for f in told]

    def about(self, namespace: str, kind: str, name: str) -> Iterable[CreationFailure]:
        """Return what was told about one object."""
        return tuple(self._by_namespace.get(namespace, {}).get((kind, name), ()))
