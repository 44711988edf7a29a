"""The law of the ledger, against a scheduler that places pods in the worst way it finds.

Everything that is admitted can be bound; once it is, whatever is still held back does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from qwen3_operator.decisions.admission import Claim, Demand, minus, slots
from qwen3_operator.decisions.eligibility import Selector, may_run_on
from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import Key, Node, Pod, Resources
from support.depth import examples
from support.values import amount, claim, demand, node, pod, selector

if TYPE_CHECKING:
    from random import Random

ZONES = ("a", "b")
NEEDS = [amount(gpus, cpu) for gpus, cpu in ((1, 2), (1, 12), (2, 4), (3, 4), (4, 8), (8, 8))]
WHERES = [selector(), selector(zone="a"), selector(zone="b")]


@dataclass
class Controller:
    """What the Deployment controller knows of one Deployment: maxSurge 0, maxUnavailable 1."""

    demand: Demand
    pods: dict[str, Pod] = field(default_factory=dict)
    made: int = 0

    @property
    def living(self) -> list[Pod]:
        return [p for p in self.pods.values() if not p.terminating]

    @property
    def of_now(self) -> list[Pod]:
        return [p for p in self.living if p.plan_hash == self.demand.plan_hash]

    @property
    def of_before(self) -> list[Pod]:
        return [p for p in self.living if p.plan_hash != self.demand.plan_hash]


class Cluster(RuleBasedStateMachine):
    """A cluster in which other people's pods only leave, so that no promise is broken by them."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.nodes: dict[str, Node] = {}
        self.foreign: dict[str, Pod] = {}
        self.deployments: dict[Key, Controller] = {}
        self.claims: dict[Key, Claim] = {}
        self.clock = 0

    # -- the cluster --------------------------------------------------------------------------

    @initialize(
        sizes=st.lists(
            st.tuples(
                st.sampled_from([1, 2, 4, 8]), st.sampled_from([16, 32]), st.sampled_from(ZONES)
            ),
            min_size=1,
            max_size=4,
        ),
        taken=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=3),
    )
    def build(self, sizes: list[tuple[int, int, str]], taken: list[tuple[int, int]]) -> None:
        for number, (gpus, cpu, zone) in enumerate(sizes):
            self._add_node(f"n{number}", gpus, cpu, zone)
        for number, (where, gpus) in enumerate(taken):
            name = f"n{where % len(sizes)}"
            foreign = pod(f"f{number}", amount(gpus, 1), node=name, namespace="other")
            if self._fits(foreign.requests, name):
                self.foreign[foreign.uid] = foreign
                self.ledger.upsert_pod(foreign)

    def _add_node(self, name: str, gpus: int, cpu: int, zone: str) -> None:
        self.nodes[name] = node(name, gpus, cpu=cpu, labels={"zone": zone})
        self.ledger.upsert_node(self.nodes[name])

    @precondition(lambda self: len(self.nodes) < 6)
    @rule(gpus=st.sampled_from([2, 4, 8]), zone=st.sampled_from(ZONES))
    def node_comes(self, gpus: int, zone: str) -> None:
        self._add_node(f"n{len(self.nodes)}", gpus, 32, zone)

    @precondition(lambda self: self.foreign)
    @rule(data=st.data())
    def other_peoples_pod_ends(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.foreign)))
        del self.foreign[uid]
        self.ledger.delete_pod(uid)

    def _all_pods(self) -> list[Pod]:
        ours = [p for c in self.deployments.values() for p in c.pods.values()]
        return [*self.foreign.values(), *ours]

    def _free(self, name: str) -> Resources:
        free = self.nodes[name].allocatable
        for p in self._all_pods():
            if p.node == name:
                free = minus(free, p.requests)
        return free

    def _fits(self, need: Resources, name: str) -> bool:
        return slots(self._free(name), need) > 0

    def _possible_nodes(self, wanted: Demand) -> list[str]:
        return [
            name
            for name, n in sorted(self.nodes.items())
            if may_run_on(wanted.selector, n) and self._fits(wanted.per_pod, name)
        ]

    # -- the operator -------------------------------------------------------------------------

    @rule(
        wishes=st.lists(
            st.tuples(
                st.sampled_from("abcdef"),
                st.sampled_from(NEEDS),
                st.sampled_from(WHERES),
                st.integers(0, 3),
                st.integers(0, 1),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def users_apply(self, wishes: list[tuple[str, Resources, Selector, int, int]]) -> None:
        for name, need, where, replicas, priority in wishes:
            self.clock += 1
            known = self.claims.get(Key("default", name))
            self._reconcile(
                claim(
                    name,
                    need,
                    replicas,
                    where=where,
                    plan_hash=f"h{NEEDS.index(need)}{WHERES.index(where)}",
                    priority=priority,
                    created=known.created if known else f"{self.clock:06d}",
                )
            )

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), replicas=st.integers(0, 4))
    def user_scales(self, data: st.DataObject, replicas: int) -> None:
        wanted = self.claims[data.draw(st.sampled_from(sorted(self.claims)))]
        self._reconcile(replace(wanted, demand=replace(wanted.demand, replicas=replicas)))

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def user_deletes(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.claims)))
        del self.claims[key]
        self.ledger.withdraw(key)
        controller = self.deployments.pop(key, None)
        if controller is not None:
            self.ledger.forget_deployment(key)
            for gone in controller.pods.values():
                self.ledger.delete_pod(gone.uid)

    def _reconcile(self, wanted: Claim) -> None:
        key = wanted.demand.key
        self.claims[key] = wanted
        admission = self.ledger.offer(wanted)
        assert 0 <= admission.replicas <= wanted.demand.replicas
        assert (admission.verdict is None) == (admission.replicas == wanted.demand.replicas)
        if admission.may_apply:
            applied = replace(wanted.demand, replicas=admission.replicas)
            controller = self.deployments.setdefault(key, Controller(applied))
            controller.demand = applied

    @rule()
    def operator_settles(self) -> None:
        for key in self.ledger.settle():
            self._reconcile(self.claims[key])

    @rule()
    def operator_restarts(self) -> None:
        self.ledger = Ledger()
        for n in self.nodes.values():
            self.ledger.upsert_node(n)
        for p in self._all_pods():
            self.ledger.upsert_pod(p)
        for controller in self.deployments.values():
            self.ledger.see_deployment(controller.demand)
        for wanted in list(self.claims.values()):
            self._reconcile(wanted)

    @precondition(lambda self: self.deployments)
    @rule(data=st.data())
    def watch_brings_a_deployment(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.deployments)))
        self.ledger.see_deployment(self.deployments[key].demand)

    # -- controllers and scheduler ------------------------------------------------------------

    @rule()
    def deployment_controllers_work(self) -> None:
        for controller in self.deployments.values():
            self._control(controller)

    def _control(self, controller: Controller) -> None:
        """Go one step as k8s.io/kubernetes pkg/controller/deployment/rolling.go does."""
        target = controller.demand
        fewest = max(0, target.replicas - 1)
        old, new = controller.of_before, controller.of_now
        spare = len(old) + len(new) - fewest - sum(p.node is None for p in new)
        for leaving in [p for p in old if p.node is None][: max(0, spare)]:
            self._remove(controller, leaving)
            spare -= 1
        available = sum(p.node is not None for p in controller.living)
        for leaving in controller.of_before[: max(0, min(spare, available - fewest))]:
            if leaving.node is not None:
                self._remove(controller, leaving)
        surplus = max(0, len(new) - target.replicas)
        for leaving in sorted(new, key=lambda p: p.node is not None)[:surplus]:
            self._remove(controller, leaving)
        for _ in range(target.replicas - len(controller.living)):
            controller.made += 1
            born = pod(
                f"{target.key.name}-{controller.made}",
                target.per_pod,
                owner=target.key,
                plan_hash=target.plan_hash,
            )
            controller.pods[born.uid] = born
            self.ledger.upsert_pod(born)

    def _remove(self, controller: Controller, leaving: Pod) -> None:
        if leaving.node is None:
            del controller.pods[leaving.uid]
            self.ledger.delete_pod(leaving.uid)
        else:
            controller.pods[leaving.uid] = replace(leaving, terminating=True)
            self.ledger.upsert_pod(controller.pods[leaving.uid])

    @rule(data=st.data())
    def pod_is_gone(self, data: st.DataObject) -> None:
        leaving = [
            (key, p.uid)
            for key, c in sorted(self.deployments.items())
            for p in c.pods.values()
            if p.terminating
        ]
        if leaving:
            key, uid = data.draw(st.sampled_from(leaving))
            del self.deployments[key].pods[uid]
            self.ledger.delete_pod(uid)

    @rule(choice=st.randoms(use_true_random=False), count=st.integers(1, 12))
    def scheduler_binds_in_the_worst_way(self, choice: Random, count: int) -> None:
        """Bind pods where it hurts most: where another one then finds no node any more."""
        for _ in range(count):
            options = [
                (key, uid, name)
                for key, c in sorted(self.deployments.items())
                for uid, p in sorted(c.pods.items())
                if p.node is None and not p.terminating
                for name in self._possible_nodes(self._as_made(c, p))
            ]
            if not options:
                return
            choice.shuffle(options)
            key, uid, name = next(filter(self._hurts, options), options[0])
            self._bind(self.deployments[key], uid, name)
            self.what_is_admitted_can_be_bound()

    def _hurts(self, option: tuple[Key, str, str]) -> bool:
        key, uid, name = option
        pods = self.deployments[key].pods
        unbound, pods[uid] = pods[uid], replace(pods[uid], node=name)
        try:
            return self._unplaceable() is not None
        finally:
            pods[uid] = unbound

    def _bind(self, controller: Controller, uid: str, name: str) -> None:
        controller.pods[uid] = replace(controller.pods[uid], node=name, phase="Running")
        self.ledger.upsert_pod(controller.pods[uid])

    @staticmethod
    def _as_made(controller: Controller, born: Pod) -> Demand:
        """Return the demand a pod was made for, its selector included."""
        where = WHERES[int(born.plan_hash[-1])]
        return demand(controller.demand.key.name, born.requests, where=where)

    # -- the law ------------------------------------------------------------------------------

    @invariant()
    def what_is_admitted_can_be_bound(self) -> None:
        if not self._somebody_is_leaving():  # who holds for a moment what is promised to others
            broken = self._unplaceable()
            assert broken is None, f"{broken} was promised and cannot be placed"

    def _unplaceable(self) -> Demand | None:
        """Return a demand with a pod that is not bound and fits nowhere."""
        for controller in self.deployments.values():
            target = controller.demand
            bound = sum(p.node is not None for p in controller.living)
            if bound < target.replicas and not self._possible_nodes(target):
                return target
        return None

    def _somebody_is_leaving(self) -> bool:
        """Whether a pod is terminating, or about to be deleted by its Deployment."""
        return any(
            p.terminating or p.plan_hash != c.demand.plan_hash or len(c.living) > c.demand.replicas
            for c in self.deployments.values()
            for p in c.pods.values()
        )

    @precondition(lambda self: self.claims)
    @rule()
    def what_is_held_back_does_not_fit(self) -> None:
        self._calm_down()
        for key, wanted in self.claims.items():
            running = self.deployments.get(key)
            applied = running.demand if running is not None else None
            admission = self.ledger.offer(wanted)
            if applied is not None and applied.is_alike(wanted.demand):
                assert admission.replicas == applied.replicas, f"{wanted} was overlooked"
            else:
                assert not admission.may_apply, f"{wanted} was overlooked"
            if admission.replicas < wanted.demand.replicas:
                assert not self._possible_nodes(wanted.demand), f"{wanted} is held back and fits"

    def _calm_down(self) -> None:
        """Let everybody work until nothing is left to do; every rollout comes to its end."""
        for _ in range(40):
            self.operator_settles()
            for controller in self.deployments.values():
                self._control(controller)
                for p in list(controller.pods.values()):
                    if p.terminating:
                        del controller.pods[p.uid]
                        self.ledger.delete_pod(p.uid)
            for controller in self.deployments.values():
                for p in controller.living:
                    possible = self._possible_nodes(self._as_made(controller, p))
                    if p.node is None and possible:
                        self._bind(controller, p.uid, possible[0])
        for controller in self.deployments.values():
            assert not controller.of_before, f"{controller} is stuck in its rollout"
            assert all(p.node for p in controller.of_now), f"{controller} is not placed"


TestLedgerKeepsItsPromises = Cluster.TestCase
TestLedgerKeepsItsPromises.settings = settings(
    max_examples=examples(100), stateful_step_count=12, deadline=None
)
