"""How replicas are replaced: a new one first where its GPUs are free, else an old one goes first.

A new replica that waits for GPUs which the old ones hold would wait for ever if none of them had to
go before it is ready. So it may come first only while there surely is room for it; when somebody
else takes that room, one old replica goes first after all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_operator.observed import Pod


class Pace(StrEnum):
    """Which of an old and a new replica comes first."""

    NEW_FIRST = "new first"
    """One more replica than wanted, and never one fewer."""

    OLD_FIRST = "old first"
    """One replica fewer than wanted, and never one more."""


@dataclass(frozen=True, slots=True)
class Spare:
    """What the ledger knows about replicas beside those that run.

    Attributes:
        replicas: of the wanted template that surely find room beside all pods there are.
        fits_in_place: whether each old replica leaves room for a new one where it runs.
    """

    replicas: int = 0
    fits_in_place: bool = True


def is_replacing(pods: Sequence[Pod], plan_hash: str) -> bool:
    """Whether pods of another template run that nobody has told to go yet."""
    return any(_is_old(pod, plan_hash) and not pod.terminating for pod in pods)


def _is_old(pod: Pod, plan_hash: str) -> bool:
    return pod.node is not None and pod.plan_hash != plan_hash


def choose_pace(pods: Sequence[Pod], plan_hash: str, wanted: int, spare: Spare) -> Pace:
    """Choose how replicas are replaced now; asked again whenever something changes.

    Args:
        pods: of the resource, one for each replica.
        plan_hash: of the template that shall run.
        wanted: replicas.
        spare: what is free beside them.
    """
    bound = [pod for pod in pods if pod.node is not None]
    if not is_replacing(pods, plan_hash):
        return Pace.OLD_FIRST
    if spare.fits_in_place:
        return Pace.NEW_FIRST if len(bound) + spare.replicas > wanted else Pace.OLD_FIRST
    to_come = wanted - sum(not _is_old(pod, plan_hash) for pod in bound)
    return Pace.NEW_FIRST if spare.replicas >= to_come else Pace.OLD_FIRST
