"""The status of a resource from what was decided and seen. Pure: equal inputs, equal bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.readiness import (
    FINISHED,
    TIME_IS_OVER,
    WAITS,
    Finding,
    Rollout,
    judge,
    on_its_way,
)
from qwen3_operator.decisions.replan import Outcome
from qwen3_operator.decisions.routing import Gateways
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.decisions.workloads import template_hash_of, workload_of
from qwen3_operator.desired import labels
from qwen3_operator.observed import Observed
from qwen3_operator.status.advised import advised
from qwen3_operator.status.compact import small, without_empty
from qwen3_operator.status.conditions import State, conditions_of
from qwen3_operator.status.headway import headway
from qwen3_operator.status.integration import endpoint, integrated
from qwen3_operator.status.measured import measured_document
from qwen3_operator.status.notes import MAX_NOTE, EventNote, events
from qwen3_operator.status.rolled import failure_findings, rollout_document
from qwen3_operator.status.shown import in_short, plan_document
from qwen3_planner.api.reasons import ConditionType, Reason
from qwen3_planner.api.status import ConditionStatus, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from qwen3_operator.decisions.admission import Admission
    from qwen3_operator.decisions.replan import Chosen
    from qwen3_operator.desired.surroundings import Surroundings
    from qwen3_operator.observed import Key, Manifest
    from qwen3_operator.rolling.turns import Turn
    from qwen3_planner.api.status import Qwen3DeploymentStatus
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.errors import SpecError

__all__ = ["MAX_NOTE", "EventNote", "Facts", "derive", "events"]

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the status is derived from.

    Attributes:
        key: names the resource.
        generation: of its specification.
        resource: parsed; None where it could not be.
        spec_error: why the specification means nothing here; None where it does.
        chosen: the plan; None where the specification could not be planned.
        supply: whether the weights reach the pods; None where it was not asked (no plan).
        admission: of its replicas; None where nothing was to be admitted (no plan, suspended).
        is_paused: whether children are left as they are, by the user's annotation.
        observed: children and pods.
        plan_hash: of the desired template; empty without one.
        model: that is planned; None without a plan.
        scaling: whether the load decides how many replicas there are; None where nobody looked.
        surroundings: what was asked for around the replicas; None where nothing is made.
        gateways: from which routes lead.
        turn: what was decided about the pods; None where nothing was to be decided.
    """

    key: Key
    generation: int
    resource: Qwen3Deployment | None = None
    spec_error: SpecError | None = None
    chosen: Chosen | None = None
    supply: Finding | None = None
    admission: Admission | None = None
    is_paused: bool = False
    observed: Observed = field(default_factory=Observed)
    plan_hash: str = ""
    model: ModelArchitecture | None = None
    scaling: Finding | None = None
    surroundings: Surroundings | None = None
    gateways: Gateways = field(default_factory=Gateways)
    turn: Turn | None = None

    @property
    def deployment(self) -> Manifest | None:
        """What runs the replicas, as it lives; None while nothing does."""
        return workload_of(self.observed.children)

    @property
    def running(self) -> int:
        """Replicas that it asks for."""
        return int(self.deployment["spec"].get("replicas", 1)) if self.deployment else 0

    @property
    def wanted(self) -> int:
        """Replicas that the resource asks for; those that run where it cannot be read."""
        if self.resource is None:
            return self.running
        return 0 if self.resource.spec.suspend else self.resource.spec.replicas


def derive(facts: Facts, previous: Qwen3DeploymentStatus, now: datetime) -> dict[str, Any]:
    """Write the status document.

    The first row that applies decides; ``-`` is Unknown with reason Pending, ``run`` is what
    Deployment and pods say (:mod:`qwen3_operator.decisions.readiness`).

    ======================= ========= ============ =========== ========= ========= =========== =====
    state                   SpecValid PlanFeasible ModelCached Scheduled Available Progressing Ready
    ======================= ========= ============ =========== ========= ========= =========== =====
    specification is wrong  False     -            -           -         run       -           False
    no plan                 True      False        -           -         run       -           False
    paused by the user      True      True         -           run       run       -           run
    suspended or at zero    True      True         -           False     False     -           True
    its pods still end      True      True         -           False     run       -           False
    weights are not there   True      True         False       -         run       -           False
    none admitted, none run True      True         True        False     False     -           False
    some replicas admitted  True      True         True        False     run       run         False
    a pod fails, is refused True      True         True        run       run       run         False
    start, load or change   True      True         True        True      run       True        False
    all answer, this plan   True      True         True        True      True      True        True
    what failed was undone  True      True         True        run       run       False       False
    ======================= ========= ============ =========== ========= ========= =========== =====

    Whether what is not ready moves, or stands still, is told by one condition more
    (:mod:`qwen3_operator.status.headway`).

    Args:
        facts: what was decided and seen.
        previous: the status as it was; keeps transition times and the plan that runs.
        now: for conditions that flip, and only for those.

    Returns:
        The document for the status subresource, JSON-ready, below 16 KiB.
    """
    admitted = facts.admission.replicas if facts.admission else None
    runs_current = (
        admitted is not None and facts.admission is not None and facts.admission.may_apply
    )
    expected = admitted if runs_current and admitted is not None else facts.running
    observed, pods = facts.observed, advised(facts.observed.pods, facts.chosen)
    refusal = observed.refusal or observed.creation_failure
    rollout = judge(facts.deployment, pods, expected, refusal)
    state = _with_surroundings(_with_scaling(_state(facts, rollout, previous), facts), facts)
    made = facts.turn.plan if facts.turn else None
    plan = plan_document(facts.chosen, previous.plan, runs=facts.deployment is not None, made=made)
    short = in_short(plan)
    plan_hash = facts.plan_hash or previous.plan_hash
    shown = {**short, "plan": plan, "planHash": plan_hash}
    live = template_hash_of(workload_of(facts.observed.children))
    rolled = rollout_document(facts.turn, rollout, live, shown, previous)
    state = _with_failure(state, rolled, facts, rollout)
    state = State(state.phase, {**state.findings, **headway(state.findings)})
    document = without_empty(
        {
            "observedGeneration": facts.generation,
            "phase": state.phase.value,
            "replicas": rollout.replicas,
            "readyReplicas": rollout.ready,
            "updatedReplicas": rollout.updated,
            "selector": labels.selector_text(facts.key.name),
            "endpoint": endpoint(facts, previous),
            **short,
            "available": f"{rollout.ready}/{facts.wanted}",
            "plan": plan,
            "lowered": [*facts.chosen.lowered] or None if facts.chosen else None,
            "measured": measured_document(plan, facts, previous, now),
            "planHash": plan_hash,
            "rollout": rolled,
            "conditions": conditions_of(state, facts.generation, previous, now),
        }
    )
    return small(document)


# -- the state table --------------------------------------------------------------------------


def _state(facts: Facts, rollout: Rollout, previous: Qwen3DeploymentStatus) -> State:
    """Find the row of the table."""
    if facts.spec_error is not None:
        verdict = Verdict(Reason.INVALID_SPEC, f"{facts.spec_error}.")
        return _blocked(ConditionType.SPEC_VALID, verdict, rollout, facts)
    if facts.chosen is not None and facts.chosen.outcome is Outcome.INFEASIBLE:
        return _blocked(ConditionType.PLAN_FEASIBLE, facts.chosen.verdict, rollout, facts)
    if facts.is_paused or facts.wanted == 0:
        return _paused(facts, rollout) if facts.is_paused else _at_rest(facts, rollout)
    if facts.supply is not None and facts.supply.status is FALSE:
        verdict = facts.supply.verdict
        return _blocked(ConditionType.MODEL_CACHED, verdict, rollout, facts)
    shortage = facts.admission.verdict if facts.admission else None
    if shortage is not None and not facts.running and not rollout.worst:
        return _blocked(ConditionType.SCHEDULED, shortage, rollout, facts)
    return _at_work(facts, rollout, shortage, previous)


ORDER = (
    ConditionType.SPEC_VALID,
    ConditionType.PLAN_FEASIBLE,
    ConditionType.MODEL_CACHED,
    ConditionType.SCHEDULED,
    ConditionType.PROGRESSING,
)
"""Each has to hold before the next can be judged."""


def _blocked(by: ConditionType, verdict: Verdict, rollout: Rollout, facts: Facts) -> State:
    """One condition does not hold, so the later ones wait; what runs is told all the same."""
    findings = {
        ConditionType.SPEC_VALID: ACCEPTED,
        ConditionType.PLAN_FEASIBLE: _feasible(facts),
        ConditionType.MODEL_CACHED: _supplied(facts),
    }
    findings[by] = Finding(FALSE, verdict)
    pending = Finding(UNKNOWN, Verdict(Reason.PENDING, f"{by.value} has to hold first."))
    for later in ORDER[ORDER.index(by) + 1 :]:
        findings[later] = pending
    unavailable = Finding(FALSE, pending.verdict)
    findings[ConditionType.AVAILABLE] = rollout.available if rollout.ready else unavailable
    findings[ConditionType.READY] = Finding(FALSE, verdict)
    if rollout.ready:
        return State(Phase.DEGRADED, findings)
    return State(_without_answer(by, verdict), findings)


def _without_answer(by: ConditionType, verdict: Verdict) -> Phase:
    """Say the phase of a resource that waits for something and has no replica that answers."""
    if by is ConditionType.SCHEDULED:
        return Phase.PENDING
    return Phase.PROVISIONING if verdict.reason in ON_ITS_WAY else Phase.FAILED


ON_ITS_WAY = frozenset({Reason.DOWNLOADING})
"""Reasons why weights are not there that end by themselves."""

ACCEPTED = Finding(TRUE, Verdict(Reason.SPEC_ACCEPTED, "The specification can be planned."))

SUSPENDED = Verdict(
    Reason.SUSPENDED, "spec.suspend is true: the plan is in status.plan, nothing runs."
)

SCALED_TO_ZERO = Verdict(
    Reason.SCALED_TO_ZERO, "spec.replicas is 0: the plan is in status.plan, nothing runs."
)


PAUSED = Verdict(
    Reason.PAUSED,
    'The annotation serving.qwen3.dev/paused is "true": nothing is made, changed or deleted. Remove'
    " it to go on.",
)


def _paused(facts: Facts, rollout: Rollout) -> State:
    """Tell how what runs is doing, and that nothing is done for it."""
    paused = Finding(UNKNOWN, PAUSED)
    runs = facts.deployment is not None and facts.running > 0
    is_well = runs and rollout.is_complete and rollout.worst is None
    findings = {
        ConditionType.SPEC_VALID: ACCEPTED,
        ConditionType.PLAN_FEASIBLE: _feasible(facts),
        ConditionType.MODEL_CACHED: paused,
        ConditionType.SCHEDULED: rollout.scheduled if runs else paused,
        ConditionType.AVAILABLE: rollout.available if runs else Finding(FALSE, PAUSED),
        ConditionType.PROGRESSING: paused,
        ConditionType.READY: Finding(TRUE if is_well else FALSE, rollout.worst or PAUSED),
    }
    if is_well:
        return State(Phase.READY, findings)
    if rollout.ready:
        return State(Phase.DEGRADED, findings)
    return State(Phase.FAILED if rollout.worst else Phase.PENDING, findings)


def _feasible(facts: Facts) -> Finding:
    if facts.chosen is None:
        return Finding(UNKNOWN, Verdict(Reason.PENDING, "Not planned yet."))
    return Finding(TRUE, facts.chosen.verdict)


def _supplied(facts: Facts) -> Finding:
    if facts.supply is None:
        return Finding(UNKNOWN, Verdict(Reason.PENDING, "A plan has to exist first."))
    return facts.supply


def _at_rest(facts: Facts, rollout: Rollout) -> State:
    """Nothing shall run: every wanted replica answers, once none is left."""
    is_suspended = facts.resource is not None and facts.resource.spec.suspend
    verdict = SUSPENDED if is_suspended else SCALED_TO_ZERO
    if facts.scaling is not None and facts.scaling.verdict.reason is Reason.SCALED_TO_ZERO:
        verdict = facts.scaling.verdict
    at_rest = Finding(FALSE, verdict)
    is_over = all(pod.phase in FINISHED for pod in facts.observed.pods)
    findings = {
        ConditionType.SPEC_VALID: ACCEPTED,
        ConditionType.PLAN_FEASIBLE: _feasible(facts),
        ConditionType.MODEL_CACHED: facts.supply or Finding(UNKNOWN, verdict),
        ConditionType.SCHEDULED: at_rest,
        ConditionType.PROGRESSING: Finding(UNKNOWN, verdict),
        ConditionType.AVAILABLE: rollout.available if rollout.ready else at_rest,
        ConditionType.READY: Finding(TRUE if is_over else FALSE, verdict),
    }
    return State(Phase.SUSPENDED, findings)


def _at_work(
    facts: Facts, rollout: Rollout, shortage: Verdict | None, previous: Qwen3DeploymentStatus
) -> State:
    """Replicas run or are about to."""
    scheduled = rollout.scheduled
    if shortage is not None and scheduled.status is TRUE:
        scheduled = Finding(FALSE, shortage)
    findings = {
        ConditionType.SPEC_VALID: ACCEPTED,
        ConditionType.PLAN_FEASIBLE: _feasible(facts),
        ConditionType.MODEL_CACHED: _supplied(facts),
        ConditionType.SCHEDULED: scheduled,
        ConditionType.PROGRESSING: rollout.progressing,
        ConditionType.AVAILABLE: rollout.available,
    }
    if shortage is not None and facts.admission and not facts.admission.may_apply:
        findings[ConditionType.PROGRESSING] = Finding(FALSE, shortage)  # another template waits
    if rollout.is_complete and rollout.worst is None and shortage is None:
        noun = "replica answers" if facts.wanted == 1 else "replicas answer"
        message = f"{facts.wanted} {noun} requests."
        findings[ConditionType.READY] = Finding(TRUE, Verdict(Reason.READY, message))
        return State(Phase.READY, findings)
    late = TIME_IS_OVER if facts.turn is not None and facts.turn.is_late else None
    if late is not None:  # of groups only we keep the time: their controllers keep none
        findings[ConditionType.PROGRESSING] = Finding(FALSE, late)
    trouble = rollout.worst or _lingering(facts, rollout, previous) or late or shortage
    reason = trouble or on_its_way(is_loading=rollout.is_loading)
    findings[ConditionType.READY] = Finding(FALSE, reason)
    if trouble is not None:
        return State(Phase.DEGRADED if rollout.ready else _without_any(rollout, shortage), findings)
    return State(Phase.LOADING if rollout.is_loading else Phase.PROVISIONING, findings)


def _without_any(rollout: Rollout, shortage: Verdict | None) -> Phase:
    """Say the phase of a resource with trouble and no replica that answers."""
    if rollout.worst is not None and rollout.worst.reason in WAITS:
        return Phase.PENDING
    if rollout.worst is None and shortage is not None:
        return Phase.LOADING if rollout.is_loading else Phase.PROVISIONING
    return Phase.FAILED


LINGERING = frozenset(
    {
        Reason.CONTAINER_OOM_KILLED,
        Reason.CONTAINER_CRASH_LOOP_BACK_OFF,
        Reason.PROBE_TIMEOUT,
    }
)
"""Failures that look healthy between two of them: the engine was started again and loads."""


def _lingering(facts: Facts, rollout: Rollout, previous: Qwen3DeploymentStatus) -> Verdict | None:
    """Keep naming a crash while the engine, started again, has not answered yet."""
    before = previous.condition(ConditionType.READY)
    restarted = rollout.is_loading and any(
        pod.restarts and not pod.ready for pod in facts.observed.pods if not pod.terminating
    )
    if before is None or not restarted or before.observed_generation != facts.generation:
        return None
    lingering = next((reason for reason in LINGERING if reason.value == before.reason), None)
    return Verdict(lingering, before.message) if lingering else None


def _with_scaling(state: State, facts: Facts) -> State:
    """Add whether the load decides how many replicas there are, where it was asked to."""
    if facts.resource is None or facts.resource.spec.scaling is None:
        return state
    pending = Finding(UNKNOWN, Verdict(Reason.PENDING, "A plan has to run first."))
    scaling = {ConditionType.SCALING_ACTIVE: facts.scaling or pending}
    return State(state.phase, {**state.findings, **scaling})


def _with_surroundings(state: State, facts: Facts) -> State:
    """Add whether what was asked for around the replicas is in place, where anything was."""
    around = integrated(facts)
    if around is None:
        return state
    return State(state.phase, {**state.findings, ConditionType.INTEGRATED: around})


def _with_failure(
    state: State, rolled: Mapping[str, Any] | None, facts: Facts, rollout: Rollout
) -> State:
    """Say of what runs that it is not what is asked for, where that was given up."""
    if facts.turn is None or facts.wanted == 0:
        return state
    phase, findings = failure_findings(rolled, state.phase, rollout.ready)
    return State(phase, {**state.findings, **findings})
