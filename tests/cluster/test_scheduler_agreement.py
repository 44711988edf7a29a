"""The ledger and the real scheduler agree, over many random clusters.

All that is admitted is bound, and what is held back for want of GPUs stays Pending when it is
forced through.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator import desired
from qwen3_operator.cluster import reducing
from qwen3_operator.decisions.eligibility import selector_of
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pool import pool_for
from qwen3_operator.desired.site import site_for
from qwen3_operator.ledger import Ledger
from qwen3_planner.api import conversion
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.kubernetes import read_node
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from support.admin import create_all, list_all, patch_all
from support.controlplane import ControlPlane
from support.operator import RunningOperator, install
from support.random_clusters import make_case, priority_classes
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.controlplane import Binaries
    from support.random_clusters import Case

pytestmark = pytest.mark.cluster

CASES = int(os.environ.get("AGREEMENT_CASES", "200"))
FIRST_SEED = int(os.environ.get("AGREEMENT_SEED", "1"))
NAMESPACE = "agreement"
OWNER = "serving.qwen3.dev/deployment"
SECONDS = 240.0
LEASE_S = 120
"""Long: hundreds of pods at once can keep the API server from answering for many seconds."""

STABLE_ROUNDS = 4
"""Looks in a row at which nothing changed."""


@dataclass
class View:
    """What the API server says about all cases at one moment."""

    resources: dict[str, dict[str, Any]]
    deployments: dict[str, dict[str, Any]]
    pods: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, cluster: ControlPlane) -> View:
        pods: dict[str, list[dict[str, Any]]] = {}
        for pod in list_all(cluster, "Pod", labelSelector=OWNER):
            pods.setdefault(pod["metadata"]["labels"][OWNER], []).append(pod)
        return cls(
            {r["metadata"]["name"]: r for r in list_all(cluster, "Qwen3Deployment")},
            {
                d["metadata"]["name"]: d
                for d in list_all(cluster, "Deployment", labelSelector=OWNER)
            },
            pods,
        )

    def admitted(self, name: str) -> int:
        deployment = self.deployments.get(name)
        return int(deployment["spec"]["replicas"]) if deployment else 0

    def wanted(self, name: str) -> int:
        return int(self.resources[name]["spec"]["replicas"])

    def bound(self, name: str) -> int:
        return sum("nodeName" in pod["spec"] for pod in self.pods.get(name, ()))

    def condition(self, name: str, kind: str) -> tuple[str, str]:
        """Status and reason of a condition; empty texts while there is none."""
        for condition in self.resources[name].get("status", {}).get("conditions", ()):
            if condition["type"] == kind:
                return condition["status"], condition["reason"]
        return "", ""

    def fits(self, name: str) -> bool:
        return self.condition(name, "PlanFeasible")[0] == "True"

    def all_reported_and_bound(self) -> bool:
        return all(
            self.condition(name, "PlanFeasible")[0] and self.bound(name) == self.admitted(name)
            for name in self.resources
        )

    def fingerprint(self) -> list[tuple[str, int, int]]:
        return [(name, self.admitted(name), self.bound(name)) for name in sorted(self.resources)]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [make_case(seed, NAMESPACE) for seed in range(FIRST_SEED, FIRST_SEED + CASES)]


@pytest.fixture(scope="module")
def crowded(control_plane_binaries: Binaries, cases: list[Case]) -> Iterator[ControlPlane]:
    """A control plane of its own with the nodes and foreign pods of all cases."""
    with ControlPlane(control_plane_binaries) as cluster:
        cluster.kubectl("create", "namespace", NAMESPACE)
        cluster.add_nodes(*(node for case in cases for node in case.nodes))
        create_all(cluster, priority_classes())
        create_all(cluster, (pod for case in cases for pod in case.foreign))
        yield cluster


def settle(cluster: ControlPlane) -> View:
    """Wait until every resource is judged, all admitted pods are bound, and nothing moves."""
    history: list[Any] = []

    def look() -> View | None:
        view = View.of(cluster)
        history.append(view.fingerprint() if view.all_reported_and_bound() else None)
        last = history[-STABLE_ROUNDS:]
        stable = len(last) == STABLE_ROUNDS and last[0] is not None
        return view if stable and all(entry == last[0] for entry in last) else None

    def unsettled() -> str:
        view = View.of(cluster)
        loose = [
            (name, view.admitted(name), view.bound(name), view.condition(name, "PlanFeasible"))
            for name in view.resources
            if not view.condition(name, "PlanFeasible")[0]
            or view.bound(name) != view.admitted(name)
        ]
        return f"admitted but not bound, or not judged: {loose[:20]} ({len(loose)} in all)"

    return until(look, SECONDS, unsettled, interval=1.0)


def test_what_is_admitted_is_bound_and_what_is_held_back_really_does_not_fit(
    crowded: ControlPlane, cases: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(crowded, tmp_path, "qwen3-operator-system")
    with RunningOperator(installation, lease_duration_s=LEASE_S):
        create_all(crowded, (item for case in cases for item in case.resources))
        view = settle(crowded)  # fails unless all that is admitted is bound
    held_back = [
        name
        for name in view.resources
        if view.fits(name) and view.admitted(name) < view.wanted(name)
    ]
    for name in held_back:
        assert view.condition(name, "Scheduled") == ("False", "InsufficientGPU"), name
    forced = force_through(crowded, view, held_back)
    after = await_scheduler(crowded, held_back, view)
    wrongly_held = {
        name: after.bound(name) - view.admitted(name)
        for name in held_back
        if after.bound(name) > view.admitted(name)
    }
    with capsys.disabled():
        admitted = sum(view.admitted(name) for name in view.resources)
        print(  # noqa: T201 - the counts are the point
            f"\n{len(cases)} cases, {sum(len(c.nodes) for c in cases)} nodes,"
            f" {len(view.resources)} resources"
            f" ({sum(not view.fits(name) for name in view.resources)} without a plan):"
            f" {admitted} replicas admitted, all bound; {len(held_back)} resources held back,"
            f" {forced} replicas forced through, {sum(wrongly_held.values())} of them bound"
        )
    assert not wrongly_held, told(view, wrongly_held)
    assert admitted > CASES
    assert len(held_back) > CASES / 4


def told(view: View, wrongly_held: dict[str, int]) -> str:
    """Tell the whole story of the cases in which somebody was held back wrongly."""
    lines = []
    for case in {name.rsplit("-", 1)[0] for name in wrongly_held}:
        for name in view.resources:
            if name.rsplit("-", 1)[0] == case:
                conditions = view.resources[name]["status"].get("conditions", ())
                scheduled = next((c for c in conditions if c["type"] == "Scheduled"), {})
                lines.append(
                    f"{name}: {view.resources[name]['spec']}: admitted {view.admitted(name)}, then"
                    f" {wrongly_held.get(name, 0)} more were bound; {scheduled.get('message')}"
                )
    return "\n".join(lines)


def force_through(cluster: ControlPlane, view: View, held_back: list[str]) -> int:
    """Run all replicas wanted, whatever the ledger said; return how many are new."""
    existing = [name for name in held_back if name in view.deployments]
    patch_all(
        cluster,
        (
            ("Deployment", NAMESPACE, name, {"spec": {"replicas": view.wanted(name)}})
            for name in existing
        ),
    )
    builder = Children(cluster)
    missing = [name for name in held_back if name not in view.deployments]
    create_all(cluster, (builder.deployment(view.resources[name]) for name in missing))
    return sum(view.wanted(name) - view.admitted(name) for name in held_back)


def await_scheduler(cluster: ControlPlane, held_back: list[str], before: View) -> View:
    """Wait until the scheduler has judged every forced pod: bound, or unschedulable."""

    def judged() -> View | None:
        view = View.of(cluster)
        for name in held_back:
            pods = view.pods.get(name, [])
            if len(pods) < before.wanted(name) or not all(map(_is_judged, pods)):
                return None
        return view

    return until(judged, SECONDS, "the scheduler has not judged every forced pod", interval=1.0)


def _is_judged(pod: dict[str, Any]) -> bool:
    return "nodeName" in pod["spec"] or any(
        condition["type"] == "PodScheduled" and condition["reason"] == "Unschedulable"
        for condition in pod["status"].get("conditions", ())
    )


class Children:
    """Makes the children that the operator would have made, by the same functions."""

    def __init__(self, cluster: ControlPlane) -> None:
        self._catalog = load_catalog()
        self._site = site_for({}, self._catalog)
        self._nodes = [
            reducing.node(raw, lambda raw: (read_node(raw, self._catalog).group, ""))
            for raw in list_all(cluster, "Node")
        ]
        self._ledger = Ledger()
        for node in self._nodes:
            self._ledger.upsert_node(node)

    def deployment(self, body: dict[str, Any]) -> dict[str, Any]:
        resource = conversion.parse(body)
        inventory = self._ledger.inventory(selector_of(make_placement(resource, None)))
        question = conversion.plan_request(resource, self._catalog)
        answer = plan(replace(question, max_nodes_per_replica=1), inventory, self._catalog)
        assert isinstance(answer, Plan)
        planned = body["status"]["plan"]
        assert answer.placement.accelerator == planned["placement"]["accelerator"]
        accelerator = self._catalog.accelerator(answer.placement.accelerator)
        pool = pool_for(accelerator, self._nodes, self._catalog)
        made = desired.children(resource, answer, self._site, resource.spec.replicas, pool)
        return dict(made[0])
