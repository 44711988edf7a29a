"""The story of one resource: what is wanted, what is planned, what may run, what runs.

Level-triggered: every run looks at everything and writes only what differs, so any order of
events leads to the same children, and a run with nothing to do writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qwen3_operator import desired, status
from qwen3_operator.cluster.children import Outcome
from qwen3_operator.cluster.requests import NAMESPACE_GOES
from qwen3_operator.cluster.supplying import Model
from qwen3_operator.decisions import ladder, replan
from qwen3_operator.decisions.admission import claim_of, demand_of
from qwen3_operator.decisions.capacity import without_cpus
from qwen3_operator.decisions.eligibility import selector_of
from qwen3_operator.decisions.feasibility import explain_no_hardware
from qwen3_operator.decisions.growth import told_to_wait
from qwen3_operator.decisions.queueing import admit_by_queue
from qwen3_operator.decisions.unhealthy import naming_unhealthy
from qwen3_operator.desired.adapters import question_of
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pool import accelerator_named, pool_for
from qwen3_operator.desired.surroundings import make_surroundings
from qwen3_operator.errors import ClusterError, SpecError
from qwen3_operator.replacing import Replacing, look_again_s
from qwen3_operator.reporting import Reporter, Subject
from qwen3_operator.scaling import Scalable
from qwen3_operator.telemetry.engines import sources
from qwen3_planner.api import conversion
from qwen3_planner.api.fields import as_field
from qwen3_planner.api.status import ConditionStatus
from qwen3_planner.api.v1alpha1 import Replan
from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.caches import Caches
    from qwen3_operator.cluster.children import Children, OwnWrite
    from qwen3_operator.cluster.ganging import Ganging
    from qwen3_operator.cluster.supplying import Supplying
    from qwen3_operator.cluster.watching import Store
    from qwen3_operator.decisions.admission import Admission, Claim
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_operator.desired.surroundings import Surroundings
    from qwen3_operator.ledger import Ledger
    from qwen3_operator.observed import Key, Manifest
    from qwen3_operator.rolling.turns import Turn
    from qwen3_operator.scaling import Scaling
    from qwen3_operator.status import Facts
    from qwen3_operator.telemetry.readings import Readings
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest

PAUSED = "serving.qwen3.dev/paused"
"""Annotation of a resource: while it is "true", its children are left as they are."""

REPORT_PAUSE_S = 0.1
"""While others wait for their children the status comes second: by then there is more to tell, and
it is told in one write."""

GARBAGE_PAUSE_S = 1.0
"""Children of an earlier resource of the same name are still being collected: look again then;
their going wakes us sooner."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a reconcile works with; one set for all resources."""

    writer: Writer
    caches: Caches
    children: Children
    supplying: Supplying
    scaling: Scaling
    bodies: Store[dict[str, Any]]
    ledger: Ledger
    catalog: Catalog
    site: Site
    plan: Callable[[PlanRequest, Inventory], PlanResult]
    """The planner, with a memory for equal questions."""
    now: Callable[[], datetime]
    own_write: OwnWrite
    ganging: Ganging
    is_busy: Callable[[], bool]
    """Whether other resources wait for a worker."""
    waiting: set[Key]
    """Resources of which replicas wait for GPUs."""
    readings: Readings | None
    """What engines say of themselves; None where nobody shall ask them."""
    settle: Callable[[], None]
    """Asks for a pass over those who wait: what one gives up or is refused may suit another."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a plan comes to: the one that runs now, where, and its children."""

    plan: Plan
    pool: Pool
    turn: Turn
    around: Surroundings
    wanted: tuple[Manifest, ...]
    """What counts the replicas first."""


class Reconciler:
    """Brings children and status of one resource after another to what is wanted."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._reporter = Reporter(tools.writer, tools.bodies, tools.own_write, tools.now)
        self._replacing = Replacing(tools.children, tools.supplying, tools.ledger, tools.now)

    async def reconcile(self, key: Key) -> float | None:
        """Do what is to be done; return after how many seconds to look again, None for never.

        Raises:
            ClusterError: the API server did not do what was asked; to be tried again.
        """
        subject = self._look(key)
        if subject is None:
            self._let_go(key)
            return None
        try:
            resource = conversion.parse(subject.body)
            request = self._question(resource)
            chosen = self._choose(subject, resource, request)
            return await self._run(subject, resource, chosen)
        except SpecError as error:
            self._withdraw(key)
            facts = replace(self._facts(subject), spec_error=as_field(error))
            await self._reporter.report(subject, facts)
        except ClusterError as error:
            if error.reason != NAMESPACE_GOES:
                raise
            self._let_go(key)  # the resource is about to go with it
        return None

    def _look(self, key: Key) -> Subject | None:
        """Return the resource, unless it is gone or going."""
        body = self._tools.bodies.get(key.namespace, key.name)
        if body is None or "deletionTimestamp" in body["metadata"]:
            return None
        return Subject(key, body, conversion.parse_status(body))

    def _let_go(self, key: Key) -> None:
        """Forget a resource; its children are collected by their owner references."""
        self._withdraw(key)
        self._tools.children.forget(key)
        self._tools.supplying.forget(key)
        self._tools.scaling.forget(key)
        self._tools.ganging.forget(key)

    def _withdraw(self, key: Key) -> None:
        self._tools.ledger.withdraw(key)
        self._tools.waiting.discard(key)
        self._tools.settle()

    def _question(self, resource: Qwen3Deployment) -> PlanRequest:
        """Say the resource as a question."""
        return question_of(conversion.plan_request(resource, self._tools.catalog))

    def _choose(
        self, subject: Subject, resource: Qwen3Deployment, request: PlanRequest
    ) -> replan.Chosen:
        """Keep the plan that runs or make one, for the hardware these pods may use."""
        selector = selector_of(make_placement(resource, None))
        nodes = self._tools.ledger.nodes()
        running = subject.previous.plan if (subject.previous.plan or {}).get("feasible") else None
        runs = self._tools.children.run(subject.key)
        spec_changed = self._tools.scaling.means_something_else(
            subject.key, subject.body, subject.previous.observed_generation
        )
        fallback, asked = resource.spec.fallback, request
        if fallback is not None:
            running = running if runs else None  # what only waits may wait for something else
            anew = resource.spec.replan is Replan.ON_SPEC_CHANGE and spec_changed
            request = ladder.question_for(request, fallback, running, starts_anew=anew)
        inventory = without_cpus(self._tools.ledger.inventory(selector), request, running)

        def ask(question: PlanRequest) -> PlanResult:
            return self._tools.plan(question, inventory)

        chosen = replan.choose(
            request,
            resource.spec.replan,
            running,
            spec_changed=spec_changed,
            ask=ask,
            no_hardware=None if inventory.groups else explain_no_hardware(selector, nodes),
        )
        chosen = self._replacing.standing(chosen, resource, request, ask, subject.previous)
        chosen = naming_unhealthy(chosen, selector, nodes)
        if fallback is None:
            return chosen
        if runs and (isinstance(chosen.result, Plan) or resource.spec.replan is Replan.NEVER):
            return ladder.still_lowered(chosen, subject.previous.lowered or (), asked)
        is_asked = not runs and resource.spec.queue_name is None
        return ladder.descend(
            ladder.Ladder(asked, fallback, chosen.result, _names(asked, inventory)),
            chosen,
            ask=ask,
            room=partial(self._room, subject, resource) if is_asked else None,
        )

    def _room(self, subject: Subject, resource: Qwen3Deployment, plan: Plan) -> int:
        """Count the replicas of a plan that would get their GPUs now."""
        try:
            wanted = self._children(subject.key, resource, plan, self._pool(subject.key, plan))
        except SpecError:
            return 0  # no image is known for that engine on that accelerator
        return self._tools.ledger.room_for(self._claim(subject, resource, wanted))

    async def _run(
        self, subject: Subject, resource: Qwen3Deployment, chosen: replan.Chosen
    ) -> float | None:
        """Have the plan run on GPUs that are free, and tell how it goes."""
        tools, key, plan = self._tools, subject.key, chosen.result
        if _is_paused(resource) or resource.spec.suspend or not isinstance(plan, Plan):
            await self._let_be(subject, resource, chosen)
            return None
        if tools.children.belong_to_another(key, subject.uid):
            return GARBAGE_PAUSE_S
        made = self._make(subject, resource, chosen, plan)
        model = Model(key, resource, made.plan, made.wanted[0], made.pool)
        supply = await self._replacing.supply(model, made.turn, subject.previous)
        facts = replace(
            self._facts(subject), resource=resource, chosen=chosen, supply=supply.finding
        )
        if supply.finding.status is ConditionStatus.FALSE:
            self._withdraw(key)
            await self._reporter.report(subject, facts)
            return supply.again_s
        admission = self._admit(subject, resource, made.wanted)
        outcome = Outcome.UNCHANGED
        if admission.may_apply:
            wanted = desired.with_replicas(made.wanted, admission.replicas)
            wanted = self._replacing.paced(key, wanted, resource.spec.rollout.surge)
            made = replace(made, wanted=wanted)
            outcome = await tools.children.bring(key, subject.uid, wanted)
        if outcome is Outcome.OWNER_GONE:
            tools.bodies.drop(subject.body)
            return None
        if outcome is Outcome.CHANGED and tools.is_busy():
            return REPORT_PAUSE_S
        again_s = await self._follow(subject, resource, made, admission, facts)
        refusal = tools.children.refusal(key) if outcome is Outcome.REFUSED else None
        if refusal is not None:
            raise refusal
        return again_s

    async def _follow(
        self,
        subject: Subject,
        resource: Qwen3Deployment,
        made: Made,
        admission: Admission,
        facts: Facts,
    ) -> float | None:
        """Scale and tend what runs, tell how it goes, and say when to look again."""
        tools, key, first = self._tools, subject.key, made.wanted[0]
        scalable = Scalable(key, subject.body, resource, made.plan, subject.previous.ready_replicas)
        scaled = await tools.scaling.bring(scalable)
        tended = await tools.ganging.tend(key, resource, first, admission)
        demand, observed = demand_of(first), tools.children.observe(key)
        engines = sources(observed.pods, made.plan, demand.plan_hash)
        tokens = tools.readings.of(key, engines) if tools.readings else {}
        pods = told_to_wait(tended.told(observed.pods), demand.selector, tools.ledger.nodes())
        facts = replace(
            facts,
            admission=admission,
            scaling=scaled.finding,
            observed=replace(observed, kv_cache_tokens=tokens, pods=pods),
            plan_hash=demand.plan_hash,
            model=tools.catalog.model(made.plan.variant),
            surroundings=made.around,
            turn=made.turn,
        )
        await self._reporter.report(subject, facts)
        remembered_s = look_again_s(tools.bodies.get(*key), subject.previous)
        pauses = (scaled.again_s, tended.again_s, made.turn.again_s, remembered_s)
        return min((s for s in pauses if s is not None), default=None)

    def _make(
        self, subject: Subject, resource: Qwen3Deployment, chosen: replan.Chosen, plan: Plan
    ) -> Made:
        """Make the children of the plan that shall run now, and of what stands around them."""
        key, around = subject.key, self._tools.caches.around
        pool = self._pool(key, plan)
        rendered = self._children(key, resource, plan, pool)
        turn = self._replacing.turn(resource, chosen, pool, rendered, subject.previous)
        plan = turn.runs or plan
        form = self._tools.caches.form(key)
        beside = make_surroundings(resource, plan, self._tools.site, around.hindrance, form)
        return Made(plan, pool, turn, beside, (*turn.children, *beside.children))

    async def _let_be(
        self, subject: Subject, resource: Qwen3Deployment, chosen: replan.Chosen
    ) -> None:
        """Promise nothing to a resource that is paused, suspended or without a plan."""
        self._withdraw(subject.key)
        self._tools.scaling.rest(subject.key)
        is_paused = _is_paused(resource)
        if resource.spec.suspend and not is_paused:
            await self._tools.children.prune(subject.key, subject.uid)
        facts = replace(self._facts(subject), resource=resource, chosen=chosen)
        await self._reporter.report(subject, replace(facts, is_paused=is_paused))

    def _pool(self, key: Key, plan: Plan) -> Pool:
        """Choose the nodes that the pods go to, or keep those that were chosen."""
        tools = self._tools
        nodes = tuple(tools.ledger.nodes())
        accelerator = accelerator_named(plan.placement.accelerator, nodes, tools.catalog)
        live = tools.caches.workload(key)
        return pool_for(accelerator, nodes, tools.catalog, live)

    def _children(
        self, key: Key, resource: Qwen3Deployment, plan: Plan, pool: Pool
    ) -> tuple[Manifest, ...]:
        """Make what all replicas would run as, what counts them first."""
        site, replicas = self._tools.site, resource.spec.replicas
        form = self._tools.caches.form(key)
        try:
            return desired.children(resource, plan, site, replicas, pool, form)
        except LookupError as error:
            raise SpecError(
                "spec.engine.image", "(missing)", f"{error.args[0]}: name one"
            ) from None

    def _claim(
        self, subject: Subject, resource: Qwen3Deployment, wanted: tuple[Manifest, ...]
    ) -> Claim:
        """Say what the resource wants, and its place in the queue."""
        priority = self._tools.caches.priority(resource.spec.priority_class_name)
        created = str(subject.body["metadata"]["creationTimestamp"])
        return claim_of(wanted[0], priority, created, resource.spec.replicas)

    def _admit(
        self, subject: Subject, resource: Qwen3Deployment, wanted: tuple[Manifest, ...]
    ) -> Admission:
        """Ask the ledger how many replicas may run now, or the queue that the resource names."""
        if resource.spec.queue_name is not None:
            return self._queue(subject, resource, resource.spec.queue_name)
        admission = self._tools.ledger.offer(self._claim(subject, resource, wanted))
        self._tools.settle()
        if admission.verdict is None:
            self._tools.waiting.discard(subject.key)
        else:
            self._tools.waiting.add(subject.key)
        return admission

    def _queue(self, subject: Subject, resource: Qwen3Deployment, name: str) -> Admission:
        """Leave admission to Kueue: nothing is promised from our own books."""
        self._withdraw(subject.key)
        caches, namespace = self._tools.caches, subject.key.namespace
        queues = caches.queues.within(namespace)
        replicas = resource.spec.replicas
        return admit_by_queue(replicas, name, queues, has_kueue=caches.queues.are_served)

    def _facts(self, subject: Subject) -> Facts:
        return status.Facts(
            key=subject.key,
            generation=subject.generation,
            observed=self._tools.children.observe(subject.key),
            gateways=self._tools.caches.around.known_gateways(),
        )


def _names(request: PlanRequest, inventory: Inventory) -> tuple[str, ...]:
    """Name the accelerators that may be used."""
    return request.accelerators or tuple(gpu.name for gpu in inventory.accelerators)


def _is_paused(resource: Qwen3Deployment) -> bool:
    return resource.metadata.annotations.get(PAUSED) == "true"
