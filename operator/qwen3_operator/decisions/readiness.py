"""What Deployment and pods say: are the pods placed, do replicas answer, does the rollout move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_operator.decisions.verdict import Verdict
    from qwen3_operator.observed import Manifest, Pod
    from qwen3_planner.api.status import ConditionStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition: whether it holds, and why."""

    status: ConditionStatus
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Rollout:
    """The state of what runs.

    Attributes:
        replicas: that exist.
        ready: that answer requests.
        updated: that run the current template.
        scheduled: finding about nodes.
        available: finding about answers.
        progressing: finding about the rollout.
        worst: the most telling failure of a pod or of making one; None while all goes well.
    """

    replicas: int
    ready: int
    updated: int
    scheduled: Finding
    available: Finding
    progressing: Finding
    worst: Verdict | None


def judge(deployment: Manifest | None, pods: tuple[Pod, ...], wanted: int) -> Rollout:
    """Judge what runs against the number of replicas that are admitted.

    Args:
        deployment: the live Deployment; None while there is none.
        pods: of the resource.
        wanted: replicas admitted.
    """
    raise NotImplementedError
