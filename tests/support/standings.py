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
    from collections.abc import Iterator

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


def _pod(name: str, **fields: Any) -> Pod:  # noqa: ANN401 - fields of pod
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
    given: dict[str, Any] = {
        "chosen": PLANNED,
        "supply": FETCHED,
        "plan_hash": "new",
        "resource": parse(body),
    }
    facts = Facts(key=KEY, generation=GENERATION, is_paused=paused, **(given | seen))
    status = derive(facts, Qwen3DeploymentStatus(), NOW)
    return Case(name, {**body, "status": status}, kstatus, argo)


def cases() -> tuple[Case, ...]:
    """Return every way to stand."""
    return (*_unseen(), *_on_their_way(), *_as_they_should_be(), *_paused(), *_stuck(), *_broken())


def _ready() -> Case:
    return _case("ready", CURRENT, "Healthy", admission=ALL, observed=_seen(*READY))


def _moves(name: str, **seen: Any) -> Case:  # noqa: ANN401 - fields of Facts
    return _case(name, IN_PROGRESS, "Progressing", **seen)


def _needs_somebody(name: str, **seen: Any) -> Case:  # noqa: ANN401 - fields of Facts
    return _case(name, FAILED, "Degraded", **seen)


def _with_metadata(body: dict[str, Any], **metadata: object) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **metadata}}


def _unseen() -> Iterator[Case]:
    """Yield what the resource itself tells, whatever its conditions say."""
    new, ready = {**_body(), "status": {"observedGeneration": -1}}, _ready().body
    changed = _with_metadata(ready, generation=GENERATION + 1)
    gone = _with_metadata(ready, deletionTimestamp="2026-11-23T12:00:00Z")
    yield Case("not looked at yet", new, IN_PROGRESS, "Progressing")
    yield Case("changed since it was looked at", changed, IN_PROGRESS, "Progressing")
    yield Case("is deleted", gone, TERMINATING, "Progressing")


def _on_their_way() -> Iterator[Case]:
    homeless = pod("a", amount(2), owner="m", plan_hash="new", problem="Unschedulable")
    quota = 'pods "m" is forbidden: exceeded quota: gpus'
    yield _moves("waits for GPUs", admission=NONE)
    yield _moves(
        "some replicas wait for GPUs", admission=SOME, observed=_seen(READY[0], replicas=1)
    )
    yield _moves("is about to start", admission=ALL)
    yield _moves("loads", admission=ALL, observed=_seen(*LOADING))
    yield _moves("fetches its weights", supply=_waits_for(Reason.DOWNLOADING))
    yield _moves("its claim is not there yet", supply=_waits_for(Reason.CLAIM_NOT_FOUND))
    yield _moves("crashes, and has time left", admission=ALL, observed=_seen(*CRASHING))
    yield _moves(
        "finds no node, however long", admission=ALL, observed=_seen(homeless, deadline=True)
    )
    yield _moves("the quota is used up", admission=ALL, observed=_seen(refusal=quota))
    yield _moves(
        "suspended, and its pods still end",
        spec=SUSPENDED,
        supply=None,
        observed=_seen(*LOADING, replicas=0),
    )


def _as_they_should_be() -> Iterator[Case]:
    yield _ready()
    yield _case("scaled to zero", CURRENT, "Healthy", {"replicas": 0}, supply=None)
    yield _case("suspended", CURRENT, "Healthy", SUSPENDED, supply=None)


def _paused() -> Iterator[Case]:
    """Yield what somebody paused by hand."""
    well = _seen(*READY)
    yield _case(
        "paused, and what runs is well",
        CURRENT,
        "Suspended",
        paused=True,
        supply=None,
        observed=well,
    )
    yield _case("paused before it ran", IN_PROGRESS, "Suspended", paused=True, supply=None)


def _stuck() -> Iterator[Case]:
    """Yield what is refused before any pod is asked."""
    wrong = SpecError("spec.engine.args", "--port", "is the operator's own")
    yield _needs_somebody("does not fit", chosen=REFUSED, supply=None)
    yield _needs_somebody(
        "does not fit, but what was before runs",
        chosen=REFUSED,
        supply=None,
        observed=_seen(*READY),
    )
    yield _needs_somebody(
        "the specification is refused", resource=None, chosen=None, spec_error=wrong
    )
    yield _needs_somebody("its weights cannot be had", supply=OFFLINE)


def _broken() -> Iterator[Case]:
    """Yield what has pods that come to nothing."""
    late, crashing = _seen(*CRASHING, deadline=True), _seen(*CRASHING)
    refused = _seen(refusal='pods "m" is forbidden: violates PodSecurity "restricted"')
    yield _needs_somebody("crashes, and its time is over", admission=ALL, observed=late)
    yield _needs_somebody(
        "crashes over several nodes, and its time is over",
        admission=ALL,
        observed=crashing,
        turn=LATE,
    )
    yield _needs_somebody(
        "loads, and its time is over", admission=ALL, observed=_seen(*LOADING), turn=LATE
    )
    yield _needs_somebody("its pods are not allowed", admission=ALL, observed=refused)
    yield _needs_somebody(
        "what failed was undone", admission=ALL, observed=_seen(*READY), turn=UNDONE
    )
