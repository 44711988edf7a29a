"""The status of a resource from what was decided and seen. Pure: equal inputs, equal bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qwen3_operator.observed import Observed

if TYPE_CHECKING:
    from datetime import datetime

    from qwen3_operator.decisions.admission import Admission
    from qwen3_operator.decisions.replan import Chosen
    from qwen3_operator.observed import Key
    from qwen3_planner.api.status import Qwen3DeploymentStatus
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.errors import SpecError


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the status is derived from.

    Attributes:
        key: names the resource.
        generation: of its specification.
        resource: parsed; None where it could not be.
        spec_error: why the specification means nothing here; None where it does.
        chosen: the plan; None where the specification could not be planned.
        admission: of its replicas; None where nothing was to be admitted (no plan, suspended).
        observed: children and pods.
        plan_hash: of the desired template; empty without one.
    """

    key: Key
    generation: int
    resource: Qwen3Deployment | None = None
    spec_error: SpecError | None = None
    chosen: Chosen | None = None
    admission: Admission | None = None
    observed: Observed = field(default_factory=Observed)
    plan_hash: str = ""


@dataclass(frozen=True, slots=True)
class EventNote:
    """An Event to post: ``type`` is Normal or Warning."""

    type: str
    reason: str
    message: str


def derive(facts: Facts, previous: Qwen3DeploymentStatus, now: datetime) -> dict[str, Any]:
    """Write the status document.

    Args:
        facts: what was decided and seen.
        previous: the status as it was; keeps transition times and the plan that runs.
        now: for conditions that flip, and only for those.

    Returns:
        The document for the status subresource, JSON-ready, below 16 KiB.
    """
    raise NotImplementedError


def events(previous: Qwen3DeploymentStatus, new: dict[str, Any]) -> tuple[EventNote, ...]:
    """Say what changed, as Events: one per condition that changed status or reason."""
    raise NotImplementedError
