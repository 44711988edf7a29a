"""One look at a resource: which children shall live, now that something may have changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.lateness import Patience, patience_with, patience_with_groups
from qwen3_operator.decisions.replan import Outcome
from qwen3_operator.decisions.rollout import Decision, Move, Wish, decide
from qwen3_operator.decisions.workloads import is_group, workload_of
from qwen3_operator.desired.revision import Record, make_revision
from qwen3_operator.rolling.revisions import Past, adopted, recall
from qwen3_operator.rolling.workloads import plan_hash_of, with_kept, written_down
from qwen3_planner.api.rollout import OnFailure
from qwen3_planner.plan import Plan
from qwen3_planner.report.plan_reading import plan_of
from qwen3_planner.report.plan_status import status_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from qwen3_operator.decisions.replan import Chosen
    from qwen3_operator.decisions.rollout import Inputs
    from qwen3_operator.observed import Manifest, Observed
    from qwen3_planner.api.status import Qwen3DeploymentStatus
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment


@dataclass(frozen=True, slots=True)
class Scene:
    """What one look is at.

    Attributes:
        resource: what the user applied.
        chosen: a plan that fits, made or kept.
        inputs: what pods would come from now.
        wanted: children as this release renders them, workloads first.
        observed: what lives.
        previous: the status as it was.
        allowed_s: what a new replica may take until it answers.
        now: the present.
    """

    resource: Qwen3Deployment
    chosen: Chosen
    inputs: Inputs
    wanted: tuple[Manifest, ...]
    observed: Observed
    previous: Qwen3DeploymentStatus
    allowed_s: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """What shall live.

    Attributes:
        decision: about the pods.
        children: all of them, workloads first.
        plan: of the pods, as ``status.plan`` shows it, where it is not the one that was chosen or
            its pods are not made as this release would; else None.
        is_outdated: whether this release would make the pods that are kept differently.
        runs: the plan that runs instead of the one that is asked for; None where that one does.
        again_s: after how many seconds to look again; None: when something happens.
        is_late: whether what lives had its time and does not answer.
    """

    decision: Decision
    children: tuple[Manifest, ...]
    plan: Mapping[str, Any] | None = None
    is_outdated: bool = False
    runs: Plan | None = None
    again_s: float | None = None
    is_late: bool = False

    @property
    def is_back(self) -> bool:
        """Whether what worked last runs instead of what is asked for."""
        return self.decision.move is Move.GO_BACK


def take_turn(scene: Scene) -> Turn:
    """Decide what pods are made from and say which children follow."""
    past = recall(scene.observed.children, scene.previous)
    wish = Wish(plan_hash_of(scene.wanted), scene.inputs)
    if scene.chosen.outcome is Outcome.KEPT:
        generation = scene.resource.metadata.generation
        past = adopted(past, scene.observed.children, scene.previous, wish, generation)
    patience = _patience(scene, past)
    decision = decide(
        wish,
        past.memory,
        is_late=patience.is_over,
        may_go_back=scene.resource.spec.rollout.on_failure is OnFailure.ROLL_BACK,
    )
    if decision.move is Move.RENDER:
        return _rendered(scene, past, wish, decision)
    if decision.move is Move.GO_BACK:
        return _gone_back(scene, past, decision)
    stayed = _stayed(scene, past, wish, decision)
    return replace(stayed, again_s=patience.again_s, is_late=patience.is_over)


def _patience(scene: Scene, past: Past) -> Patience:
    """Say whether what lives had its time; what worked once is asked no more."""
    workload, current = workload_of(scene.observed.children), past.current
    if workload is None or current is None or past.working == current:
        return Patience()
    pods, plan_hash = scene.observed.pods, current.plan_hash
    if is_group(workload):
        return patience_with_groups(pods, plan_hash, current.began, scene.allowed_s, scene.now)
    return patience_with(workload, pods, plan_hash)


def _rendered(scene: Scene, past: Past, wish: Wish, decision: Decision) -> Turn:
    """Make the pods anew; what worked last stays written down until these work."""
    known = past.records.get(wish.plan_hash)
    record = known or Record(
        plan_hash=wish.plan_hash,
        inputs="",
        renders_as="",
        workloads=written_down(scene.wanted),
        plan=status_document(scene.chosen.result),
        generation=scene.resource.metadata.generation,
    )
    record = replace(record, inputs=str(wish.inputs), renders_as=wish.plan_hash)
    return Turn(decision, (*scene.wanted, *_revisions(scene, record, past.working)))


def _stayed(scene: Scene, past: Past, wish: Wish, decision: Decision) -> Turn:
    record = past.records[decision.plan_hash]
    assert decision.kept is not None  # noqa: S101 - for the type checker: what stays is judged
    record = replace(record, inputs=str(decision.kept.inputs), renders_as=decision.kept.renders_as)
    children = with_kept(scene.wanted, record.workloads, scene.resource.spec.replicas)
    is_outdated = wish.plan_hash != record.plan_hash
    return Turn(
        decision,
        (*children, *_revisions(scene, record, past.working)),
        plan=_as_made(scene.chosen, record) if is_outdated else None,
        is_outdated=is_outdated,
    )


def _gone_back(scene: Scene, past: Past, decision: Decision) -> Turn:
    record = past.records[decision.plan_hash]
    children = with_kept(scene.wanted, record.workloads, scene.resource.spec.replicas)
    plan = {**record.plan, "replicas": max(1, scene.resource.spec.replicas)}
    revisions = _revisions(scene, record, None)
    return Turn(decision, (*children, *revisions), plan=plan, runs=plan_of(plan))


def _as_made(chosen: Chosen, record: Record) -> Mapping[str, Any]:
    """Say the plan with the command that runs, not with the one that this release would write."""
    if not isinstance(chosen.result, Plan):
        return record.plan
    made = {name: record.plan[name] for name in ("command", "env") if name in record.plan}
    document = status_document(chosen.result)
    document.pop("env", None)
    return {**document, **made}


def _revisions(scene: Scene, *records: Record | None) -> tuple[Manifest, ...]:
    """Make the ControllerRevisions of these records, each once."""
    by_hash = {record.plan_hash: record for record in reversed(records) if record is not None}
    return tuple(make_revision(scene.resource, by_hash[name]) for name in sorted(by_hash))
