"""What is known from before: records of pods, read from the children that live."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.rollout import Failed, Inputs, Kept, Memory
from qwen3_operator.decisions.workloads import template_hash_of, workload_of
from qwen3_operator.desired.revision import Record, read_revision
from qwen3_operator.rolling.inputs import spec_print
from qwen3_operator.rolling.workloads import written_down

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.decisions.rollout import Wish
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.status import Qwen3DeploymentStatus
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that is remembered of one resource's pods.

    Attributes:
        records: by plan hash.
        current: of what lives; None where nothing does, or nothing is written down about it.
        working: the last of which all replicas answered; None before the first.
        failed: what was given up; None if nothing was.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    current: Record | None = None
    working: Record | None = None
    failed: Failed | None = None

    @property
    def memory(self) -> Memory:
        """What decisions need of it."""
        return Memory(_kept(self.current), _kept(self.working), self.failed)


def recall(children: Mapping[tuple[str, str], Manifest], previous: Qwen3DeploymentStatus) -> Past:
    """Gather what is known from before.

    Args:
        children: that live, by (kind, name).
        previous: the status as it was.
    """
    read = (read_revision(child) for child in children.values())
    records = {record.plan_hash: record for record in read if record is not None}
    live = template_hash_of(workload_of(children))
    told = previous.rollout
    working = told.working if told else None
    failed = told.failed if told else None
    return Past(
        records=records,
        current=records.get(live) or records.get(previous.plan_hash or ""),
        working=records.get(working.plan_hash) if working else None,
        failed=Failed(failed.plan_hash, Inputs.of(failed.inputs)) if failed else None,
    )


def plan_made_for(
    resource: Qwen3Deployment,
    children: Mapping[tuple[str, str], Manifest],
    previous: Qwen3DeploymentStatus,
) -> Mapping[str, Any] | None:
    """Return the plan of pods that live and were made for this very specification.

    None where nothing lives, or it was made for another one, as far as anybody knows. What is
    written down counts, not the status: an operator may have ended between the two.
    """
    live = template_hash_of(workload_of(children))
    if not live:
        return None
    record = recall(children, previous).records.get(live)
    if record is not None:
        is_for_it = Inputs.of(record.inputs).spec == spec_print(resource)
        return record.plan if is_for_it else None
    is_for_it = _is_told_of(live, previous, resource.metadata.generation)
    return previous.plan if is_for_it else None


def _is_told_of(live: str, previous: Qwen3DeploymentStatus, generation: int) -> bool:
    """Whether an operator said that it had seen the specification and made just this."""
    return previous.observed_generation == generation and previous.plan_hash == live


def adopted(
    past: Past,
    children: Mapping[tuple[str, str], Manifest],
    previous: Qwen3DeploymentStatus,
    wish: Wish,
    generation: int,
) -> Past:
    """Write down what an operator made that kept no records, as it lives.

    Only where it is sure that it was made for the specification of today: that operator said that
    it had seen it and made just this.

    Args:
        past: without a record of what lives.
        children: that live.
        previous: the status as it was.
        wish: what would be made now, the running plan kept.
        generation: of the specification.
    """
    live = written_down(children.values())
    plan_hash = template_hash_of(workload_of(children))
    if past.current is not None or not plan_hash or previous.plan is None:
        return past
    if not _is_told_of(plan_hash, previous, generation):
        return past
    record = Record(
        plan_hash=plan_hash,
        inputs=str(wish.inputs),
        renders_as=wish.plan_hash,
        workloads=live,
        plan=previous.plan,
        generation=generation,
    )
    return replace(past, records={**past.records, plan_hash: record}, current=record)


def _kept(record: Record | None) -> Kept | None:
    if record is None:
        return None
    return Kept(record.plan_hash, Inputs.of(record.inputs), record.renders_as)
