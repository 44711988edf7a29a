"""What is to be done about a replica of several pods: all of them start, or none holds anything.

A pod of such a replica is made behind a scheduling gate. The gate is lifted from all pods of the
replica together, once all exist, none has run, and all surely find their nodes. So a replica
that is short of one node holds no other. Where somebody else takes a node at that very moment,
the replica is bound in part: after a while it is taken back, and waits as before.

A rank that is replaced finds the others in the middle of something, so all start anew: the new pod
behind its gate tells. LeaderWorkerSet sees to that by itself where a container was started again or
a pod is seen to go; one that went at once (a forced deletion, a lost node) it does not notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from qwen3_operator.observed import GROUP_GATE, WAITING_FOR_NODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qwen3_operator.observed import Pod

FINISHED = frozenset({"Failed", "Succeeded"})

GROWING_PATIENCE = 6
"""Nodes to come may take so many times as long as nodes that are there."""


class Act(Enum):
    """What to do with the pods of a step."""

    NOTHING = auto()
    LIFT = auto()
    """Take the gate away, if all surely find their nodes."""
    RELEASE = auto()
    """Delete them: the replica was bound in part for too long."""
    RESTART = auto()
    """Delete them: a rank of theirs was started again without them."""
    REPLACE = auto()
    """Delete them: they are of an earlier template."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do for one replica.

    Attributes:
        act: what.
        pods: with which of its pods.
        again_s: when to look again, whatever happens; None: when something does.
    """

    act: Act = Act.NOTHING
    pods: tuple[Pod, ...] = ()
    again_s: float | None = None


@dataclass(frozen=True, slots=True)
class Gang:
    """How the replicas of a resource are kept together.

    Attributes:
        size: pods of a replica.
        plan_hash: of the template of today.
        restarts_itself: whether somebody else replaces all pods of a replica when one fails or the
            template changes (LeaderWorkerSet).
        limit_s: how long a replica may be bound in part.
    """

    size: int
    plan_hash: str
    restarts_itself: bool
    limit_s: float


def replicas_of(pods: Iterable[Pod]) -> dict[str, tuple[Pod, ...]]:
    """Sort pods by the replica they belong to, by number; finished ones are being replaced."""
    found: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.group and pod.phase not in FINISHED:
            found.setdefault(pod.group, []).append(pod)
    return {group: tuple(found[group]) for group in sorted(found, key=_number)}


def next_step(members: Sequence[Pod], gang: Gang, now: datetime) -> Step:
    """Say what is to be done for one replica, other than replacing it by today's template."""
    if len(members) != gang.size or any(pod.terminating for pod in members):
        return Step()  # the others are on their way, or all are
    gated = tuple(pod for pod in members if GROUP_GATE in pod.gates)
    if gated:
        ran = tuple(pod for pod in members if _has_run(pod))
        return Step(Act.RESTART, ran) if ran else Step(Act.LIFT, gated)
    if any(pod.node is None for pod in members):
        return _while_bound_in_part(members, gang, now)
    if not gang.restarts_itself and any(pod.restarts for pod in members):
        return Step(Act.RESTART, tuple(members))
    return Step()


def _while_bound_in_part(members: Sequence[Pod], gang: Gang, now: datetime) -> Step:
    """Be patient with a replica of which some pods have a node and others find none."""
    since = [datetime.fromisoformat(pod.bound_at) for pod in members if pod.bound_at]
    if not since or any(pod.gates for pod in members):  # nothing is held, or others' gates are
        return Step()
    waits_for_nodes = any(pod.problem == WAITING_FOR_NODES for pod in members)
    patience_s = gang.limit_s * (GROWING_PATIENCE if waits_for_nodes else 1)
    left_s = patience_s - (now - min(since)).total_seconds()
    if left_s > 0:
        return Step(again_s=left_s)
    return Step(Act.RELEASE, tuple(members))


def to_replace(replicas: Mapping[str, tuple[Pod, ...]], gang: Gang, wanted: int) -> Step:
    """Choose the replica that makes way for one of today's template; one at a time.

    Those that answer nobody go at once. One that answers goes when all others do: then there is
    never more than one replica less than before.

    Args:
        replicas: pods by replica.
        gang: how they are kept together.
        wanted: replicas that shall run.
    """
    if gang.restarts_itself:
        return Step()
    old = {g: pods for g, pods in replicas.items() if _is_of_earlier_template(pods, gang)}
    if not old:
        return Step()
    idle = [pods for pods in old.values() if not _answers(pods)]
    if idle:
        return Step(Act.REPLACE, tuple(pod for pods in idle for pod in pods))
    if len(replicas) < wanted or not all(_answers(pods) for pods in replicas.values()):
        return Step()
    return Step(Act.REPLACE, old[max(old, key=_number)])


def _is_of_earlier_template(members: Sequence[Pod], gang: Gang) -> bool:
    return any(pod.plan_hash != gang.plan_hash and not pod.terminating for pod in members)


def _answers(members: Sequence[Pod]) -> bool:
    """Whether the leader does, and is not on its way out."""
    return any(pod.rank == 0 and pod.ready and not pod.terminating for pod in members)


def _has_run(pod: Pod) -> bool:
    return pod.phase == "Running" or pod.restarts > 0


def _number(group: str) -> tuple[int, str]:
    return (int(group), "") if group.isdecimal() else (0, group)


def say_held(members: Sequence[Pod], places: int) -> str:
    """Say for what a replica waits whose gate cannot be lifted.

    Args:
        members: its pods.
        places: where one of them would find its node now.
    """
    first = members[0]
    each = " and ".join(f"{count} x {name}" for name, count in first.requests.gpus) or "a place"
    free = "none of these places is" if places < 1 else f"{places} of these places are"
    if places == 1:
        free = "1 of these places is"
    return (
        f"Replica {first.group} takes {each} on each of {len(members)} nodes at once, and {free}"
        " free now. Until all are, its pods hold nothing."
    )
