"""A resource in a queue of Kueue: Kueue owns admission, the operator makes everything and waits.

All replicas are made at once and carry the queue's name; Kueue holds their pods back by a
scheduling gate until its quotas have room. So nothing is promised from the operator's own books:
pods that Kueue lets go count like anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.admission import Admission
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.errors import nearest_first

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class LocalQueue:
    """A LocalQueue of Kueue.

    Attributes:
        namespace: of the queue.
        name: of the queue.
        is_active: whether it admits anything; True where it does not say.
        why_not: its own sentence where it does not.
    """

    namespace: str
    name: str
    is_active: bool = True
    why_not: str = ""


def admit_by_queue(
    wanted: int, name: str, queues: Collection[LocalQueue], *, has_kueue: bool
) -> Admission:
    """Say how many replicas are made for a resource in a queue: all of them, or none.

    Args:
        wanted: replicas.
        name: of the queue.
        queues: of the namespace.
        has_kueue: whether the cluster has Kueue at all; without it nobody would hold pods back.
    """
    missing = _what_is_missing(name, queues, has_kueue=has_kueue)
    if not missing:
        return Admission(wanted, wanted, may_apply=True)
    verdict = Verdict(Reason.QUEUE_UNAVAILABLE, missing)
    return Admission(wanted, 0, may_apply=not wanted, verdict=verdict)


def _what_is_missing(name: str, queues: Collection[LocalQueue], *, has_kueue: bool) -> str:
    if not has_kueue:
        return (
            f"spec.queueName is {name}, but the cluster has no Kueue (no API"
            " kueue.x-k8s.io). Install it, or remove spec.queueName."
        )
    queue = next((queue for queue in queues if queue.name == name), None)
    if queue is None:
        there = nearest_first(name, (queue.name for queue in queues))
        named = ", ".join(there[:MOST_NAMED]) or "it has none"
        return f"The namespace has no LocalQueue {name} (there: {named}). Create it in Kueue."
    if not queue.is_active:
        return f"LocalQueue {name} admits nothing: {queue.why_not or 'it is not active'}."
    return ""
