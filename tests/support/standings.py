"""How a resource may stand, each with its status as the operator writes it, and what follows.

For whoever judges a resource by its status alone: kstatus (Helm, Flux) and Argo CD.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.admission import Admission
from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.rollout import Decision, Failed, Inputs, Move
from qwen3_operator.decisions.supply import Way, holds, judge_source
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.errors import SpecError
from qwen3_operator.observed import Key, Observed
from qwen3_operator.rolling.turns import Turn
from qwen3_operator.status import Facts, derive
from qwen3_planner.api.conversion import parse
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus, Qwen3DeploymentStatus
from support.plan_builders import make_no_plan, make_plan
from support.values import amount, pod

if TYPE_CHECKING:
    from qwen3_operator.observed import Pod

KEY = Key("team-a", "m")
GENERATION = 3
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

IN_PROGRESS, CURRENT, FAILED, TERMINATING = "InProgress", "Current", "Failed", "Terminating"


@dataclass(frozen=True, slots=True)
class Case:
    """One way to stand.

    Attributes:
        name: says how it stands.
        body: the resource with its status.
        kstatus: what kstatus is to make of it.
        argo: what Argo CD is to show.
    """

    name: str
    body: dict[str, Any]
    kstatus: str
    argo: str


def _pod(name: str, **fields: object) -> Pod:
    return pod(name, amount(2), owner="m", plan_hash="new", node="n", phase="Running", **fields)


def _seen(*pods: Pod, deadline: bool = False, refusal: str = "", replicas: int = 2) -> Observed:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    deployment = {
        "kind": "Deployment",
        "spec": {
            "replicas": replicas,
            "template": {"metadata": {"labels": {"serving.qwen3.dev/plan-hash": "new"}}},
        },
        "status": {"conditions": [late] if deadline else []},
    }
    service = {"kind": "Service", "spec": {"ports": [{"port": 80}]}}
    return Observed({("Deployment", "m"): deployment, ("Service", "m"): service}, pods, refusal)


READY = (_pod("a", ready=True), _pod("b", ready=True))
LOADING = (_pod("a"), _pod("b"))
CRASHING = (_pod("a", problem="CrashLoopBackOff", restarts=4), _pod("b", ready=True))
PLANNED = Chosen(Outcome.PLANNED, make_plan(), Verdict(Reason.PLAN_COMPUTED, "Planned: tp2."))
REFUSED = Chosen(
    Outcome.INFEASIBLE, make_no_plan(), Verdict(Reason.INSUFFICIENT_GPU_MEMORY, "38.9 GiB missing.")
)
FETCHED = holds(Reason.FETCHED_BY_PODS, "Each pod fetches hf://Qwen/Qwen3-32B when it starts.")
OFFLINE = judge_source(Way("hf://Qwen/Qwen3-32B", is_offline=True))
SHORT = Verdict(Reason.INSUFFICIENT_GPU, "2 replicas wait for 4 GPUs that are in use.")
ALL = Admission(2, 2, may_apply=True)
SOME = Admission(2, 1, may_apply=True, verdict=SHORT)
NONE = Admission(2, 0, may_apply=False, verdict=SHORT)
UNDONE = Turn(Decision(Move.GO_BACK, "new", Failed("other", Inputs("s", "p"))), ())
LATE = Turn(Decision(Move.KEEP, "new"), (), is_late=True)
SUSPENDED: dict[str, object] = {"suspend": True}


def _waits_for(reason: Reason) -> Finding:
    return Finding(ConditionStatus.FALSE, Verdict(reason, "Not there yet."))


def _body(spec: dict[str, object] | None = None, *, paused: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": KEY.name,
        "namespace": KEY.namespace,
        "generation": GENERATION,
        **({"annotations": {"serving.qwen3.dev/paused": "true"}} if paused else {}),
    }
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": metadata,
        "spec": {"model": {"variant": "Qwen3-32B"}, "replicas": 2, **(spec or {})},
    }


def _case(
    name: str,
    kstatus: str,
    argo: str,
    spec: dict[str, object] | None = None,
    *,
    paused: bool = False,
    **seen: Any,  # noqa: ANN401 - fields of Facts
) -> Case:
    body = _body(spec, paused=paused)
    given = {"chosen": PLANNED, "supply": FETCHED, "plan_hash": "new", "resource": parse(body)}
    facts = Facts(key=KEY, generation=GENERATION, is_paused=paused, **(given | seen))
    status = derive(facts, Qwen3DeploymentStatus(), NOW)
    return Case(name, {**body, "status": status}, kstatus, argo)


def cases() -> tuple[Case, ...]:
    """Return every way to stand."""
    ready = _case("ready", CURRENT, "Healthy", admission=ALL, observed=_seen(*READY))
    changed = {**ready.body, "metadata": {**ready.body["metadata"], "generation": GENERATION + 1}}
    gone = {
        **ready.body,
        "metadata": {**ready.body["metadata"], "deletionTimestamp": "2026-11-23T12:00:00Z"},
    }
    return (
        # -- before the operator has said anything
        Case(
            "not looked at yet",
            {**_body(), "status": {"observedGeneration": -1}},
            IN_PROGRESS,
            "Progressing",
        ),
        Case("changed since it was looked at", changed, IN_PROGRESS, "Progressing"),
        # -- on its way
        _case("waits for GPUs", IN_PROGRESS, "Progressing", admission=NONE),
        _case(
            "some replicas wait for GPUs",
            IN_PROGRESS,
            "Progressing",
            admission=SOME,
            observed=_seen(READY[0], replicas=1),
        ),
        _case("is about to start", IN_PROGRESS, "Progressing", admission=ALL),
        _case("loads", IN_PROGRESS, "Progressing", admission=ALL, observed=_seen(*LOADING)),
        _case(
            "fetches its weights",
            IN_PROGRESS,
            "Progressing",
            supply=_waits_for(Reason.DOWNLOADING),
        ),
        _case(
            "its claim is not there yet",
            IN_PROGRESS,
            "Progressing",
            supply=_waits_for(Reason.CLAIM_NOT_FOUND),
        ),
        _case(
            "crashes, and has time left",
            IN_PROGRESS,
            "Progressing",
            admission=ALL,
            observed=_seen(*CRASHING),
        ),
        _case(
            "finds no node, however long",
            IN_PROGRESS,
            "Progressing",
            admission=ALL,
            observed=_seen(
                pod("a", amount(2), owner="m", plan_hash="new", problem="Unschedulable"),
                deadline=True,
            ),
        ),
        _case(
            "the quota is used up",
            IN_PROGRESS,
            "Progressing",
            admission=ALL,
            observed=_seen(refusal='pods "m" is forbidden: exceeded quota: gpus', replicas=2),
        ),
        # -- as it should be
        ready,
        _case("scaled to zero", CURRENT, "Healthy", {"replicas": 0}, supply=None),
        _case("suspended", CURRENT, "Healthy", SUSPENDED, supply=None),
        _case(
            "suspended, and its pods still end",
            IN_PROGRESS,
            "Progressing",
            SUSPENDED,
            supply=None,
            observed=_seen(*LOADING, replicas=0),
        ),
        _case(
            "paused, and what runs is well",
            CURRENT,
            "Suspended",
            paused=True,
            supply=None,
            observed=_seen(*READY),
        ),
        _case("paused before it ran", IN_PROGRESS, "Suspended", paused=True, supply=None),
        # -- somebody has to act
        _case("does not fit", FAILED, "Degraded", chosen=REFUSED, supply=None),
        _case(
            "does not fit, but what was before runs",
            FAILED,
            "Degraded",
            chosen=REFUSED,
            supply=None,
            observed=_seen(*READY),
        ),
        _case(
            "the specification is refused",
            FAILED,
            "Degraded",
            resource=None,
            chosen=None,
            spec_error=SpecError("spec.engine.args", "--port", "is the operator's own"),
        ),
        _case("its weights cannot be had", FAILED, "Degraded", supply=OFFLINE),
        _case(
            "crashes, and its time is over",
            FAILED,
            "Degraded",
            admission=ALL,
            observed=_seen(*CRASHING, deadline=True),
        ),
        _case(
            "crashes over several nodes, and its time is over",
            FAILED,
            "Degraded",
            admission=ALL,
            observed=_seen(*CRASHING),
            turn=LATE,
        ),
        _case(
            "loads, and its time is over",
            FAILED,
            "Degraded",
            admission=ALL,
            observed=_seen(*LOADING),
            turn=LATE,
        ),
        _case(
            "its pods are not allowed",
            FAILED,
            "Degraded",
            admission=ALL,
            observed=_seen(refusal='pods "m" is forbidden: violates PodSecurity "restricted"'),
        ),
        _case(
            "what failed was undone",
            FAILED,
            "Degraded",
            admission=ALL,
            observed=_seen(*READY),
            turn=UNDONE,
        ),
        # -- going
        Case("is deleted", gone, TERMINATING, "Progressing"),
    )
