"""One look at a resource: which children shall live. Rendering is real; releases are played."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator import desired
from qwen3_operator.decisions.replan import Chosen, Outcome
from qwen3_operator.decisions.rollout import Move
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.desired.hashing import template_hash
from qwen3_operator.desired.metadata import marked
from qwen3_operator.desired.pool import Pool
from qwen3_operator.desired.site import site_for
from qwen3_operator.observed import PLAN_HASH_LABEL, Observed
from qwen3_operator.rolling.inputs import inputs_of
from qwen3_operator.rolling.turns import Scene, Turn, take_turn
from qwen3_operator.rolling.workloads import plan_hash_of, with_kept
from qwen3_planner.api.conversion import parse
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import Qwen3DeploymentStatus
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from qwen3_planner.report.plan_status import status_document
from support.plan_builders import make_plan
from support.values import amount, pod

if TYPE_CHECKING:
    from qwen3_operator.observed import Manifest
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
POOL = Pool("H100-SXM-80GB", "nvidia.com/gpu", (("nvidia.com/gpu.product", "In", ("H100",)),))
PLAN = make_plan()


def resource(generation: int = 1, **spec: Any) -> Qwen3Deployment:  # noqa: ANN401 - as YAML has it
    metadata = {"name": "m", "namespace": "default", "uid": "u", "generation": generation}
    return parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": metadata,
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )


def as_release(release: str, children: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """Return children as another release would render them."""
    deployment, *others = json.loads(json.dumps(children))
    template = deployment["spec"]["template"]
    template["spec"]["containers"][0]["args"].append(f"--of-{release}")
    template["metadata"]["labels"][PLAN_HASH_LABEL] = template_hash(template)
    return (marked(deployment), *others)


@dataclass
class House:
    """A resource, what lives of it, and its status."""

    spec: dict[str, Any] = field(default_factory=dict)
    generation: int = 1
    release: str = "one"
    live: dict[tuple[str, str], Any] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    pods: tuple[Any, ...] = ()
    plan: Plan = PLAN

    def ask(self, **spec: Any) -> None:  # noqa: ANN401 - as YAML has it
        self.spec, self.generation = {**self.spec, **spec}, self.generation + 1

    def look(self, outcome: Outcome = Outcome.KEPT) -> Turn:
        wanted = resource(self.generation, **self.spec)
        site = site_for({}, load_catalog())
        rendered = desired.children(wanted, self.plan, site, wanted.spec.replicas, POOL)
        scene = Scene(
            resource=wanted,
            chosen=Chosen(outcome, self.plan, Verdict(Reason.PLAN_COMPUTED, "")),
            inputs=inputs_of(wanted, self.plan, POOL),
            wanted=as_release(self.release, rendered),
            observed=Observed(children=self.live, pods=self.pods),
            previous=Qwen3DeploymentStatus.model_validate(
                self.status, by_alias=True, by_name=False
            ),
            allowed_s=600,
            now=NOON,
        )
        return take_turn(scene)

    def obey(self, outcome: Outcome = Outcome.KEPT) -> Turn:
        """Have live what shall live, and the status say so."""
        turn = self.look(outcome)
        self.live = {
            (child["kind"], child["metadata"]["name"]): child
            for child in json.loads(json.dumps(turn.children))
        }
        rollout = dict(self.status.get("rollout") or {})
        rollout.pop("failed", None)
        if turn.decision.failed:
            failed = turn.decision.failed
            rollout["failed"] = {"planHash": failed.plan_hash, "inputs": str(failed.inputs)}
        self.status = {
            "observedGeneration": self.generation,
            "planHash": plan_hash_of(turn.children),
            "plan": status_document(self.plan),
            "rollout": rollout,
        }
        return turn

    def succeed(self) -> None:
        self.status["rollout"] = {"working": {"planHash": self.status["planHash"]}}

    def template(self) -> str:
        return json.dumps(self.live["Deployment", "m"]["spec"]["template"], sort_keys=True)

    def revisions(self) -> list[str]:
        return sorted(name for kind, name in self.live if kind == "ControllerRevision")


@pytest.fixture
def house() -> House:
    """A resource that runs and works."""
    house = House()
    house.obey(Outcome.PLANNED)
    house.succeed()
    return house


def test_a_look_at_what_is_as_it_should_be_changes_nothing(house: House) -> None:
    before = dict(house.live)

    turn = house.obey()

    assert turn.decision.move is Move.KEEP
    assert house.live == before


def test_an_upgrade_keeps_the_pods_to_the_byte_and_notes_that_it_would_make_others(
    house: House,
) -> None:
    before = house.template()
    house.release = "two"

    turn = house.obey()

    assert house.template() == before
    assert turn.is_outdated
    assert turn.plan is not None
    assert turn.plan["command"] == status_document(PLAN)["command"]
    assert len(house.revisions()) == 1


def test_after_an_upgrade_scaling_and_new_ports_reach_their_children_and_no_pod(
    house: House,
) -> None:
    before = house.template()
    house.release = "two"
    house.ask(replicas=3, service={"port": 80})

    house.obey()

    assert house.template() == before
    assert house.live["Deployment", "m"]["spec"]["replicas"] == 3
    assert house.live["Service", "m"]["spec"]["ports"][0]["port"] == 80


def test_after_an_upgrade_the_users_next_word_about_pods_brings_the_new_rendering(
    house: House,
) -> None:
    house.release = "two"
    house.obey()
    house.ask(rollout={"restart": "now"})

    turn = house.obey()

    assert turn.decision.move is Move.RENDER
    assert "--of-two" in house.template()
    assert not turn.is_outdated


def test_both_what_runs_and_what_worked_stay_written_down_until_it_works(house: House) -> None:
    worked = house.revisions()
    house.ask(maxModelLen=4096, engine={"image": "example.com/new", "version": "0.32.0"})
    house.obey()
    both = house.revisions()
    house.succeed()
    house.obey()

    assert len(both) == 2
    assert set(worked) < set(both)
    assert set(house.revisions()) == set(both) - set(worked)


def test_a_rollout_that_fails_is_undone_to_the_byte_and_stays_undone(house: House) -> None:
    before = house.template()
    house.ask(engine={"image": "example.com/broken", "version": "0.32.0"})
    house.obey()
    deployment = house.live["Deployment", "m"]
    deployment["metadata"]["generation"] = 2
    deployment["status"] = {
        "observedGeneration": 2,
        "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        ],
    }
    broken = house.status["planHash"]
    house.pods = (pod("a", amount(2), node="n", owner="m", plan_hash=broken),)

    moves = [house.obey().decision.move for _ in range(4)]

    assert moves == [Move.GIVE_UP, Move.GO_BACK, Move.GO_BACK, Move.GO_BACK]
    assert house.template() == before
    house.release = "two"
    assert house.obey().decision.move is Move.GO_BACK
    assert house.template() == before
    house.ask(replicas=2)
    assert house.obey().decision.move is Move.GO_BACK
    house.ask(engine={"image": "example.com/mended", "version": "0.32.0"})
    assert house.obey().decision.move is Move.RENDER
    assert "example.com/mended" in house.template()


TWO_NODES = make_plan(layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2))


@pytest.mark.parametrize(
    ("bound_at", "is_late", "again_s"),
    [
        pytest.param("2026-11-23T11:55:00Z", False, 301.0, id="it loads, and has time left"),
        pytest.param("2026-11-23T11:49:59Z", True, None, id="its time is over"),
        pytest.param("", False, None, id="it waits for its nodes"),
    ],
)
def test_replicas_over_several_nodes_have_their_time_from_the_first_rollout_on(
    bound_at: str,
    is_late: bool,  # noqa: FBT001 - a column of the table
    again_s: float | None,
) -> None:
    house = House(plan=TWO_NODES)
    house.obey(Outcome.PLANNED)
    first = house.status["planHash"]
    leader = pod("m-0", amount(8), owner="m", plan_hash=first, node="n" if bound_at else "")
    house.pods = (replace(leader, bound_at=bound_at),)

    turn = house.obey()

    assert turn.decision.move is Move.KEEP, "nothing else ever worked"
    assert (turn.is_late, turn.again_s) == (is_late, again_s)
    house.succeed()
    assert not house.obey().is_late, "what worked once is not judged by when it came"


def test_what_an_operator_without_records_made_is_written_down_as_it_lives(house: House) -> None:
    house.live = {k: v for k, v in house.live.items() if k[0] != "ControllerRevision"}
    house.status.pop("rollout")
    before = house.template()
    house.release = "two"

    turn = house.obey()

    assert turn.decision.move is Move.KEEP
    assert house.template() == before
    assert len(house.revisions()) == 1
    assert house.obey().children == turn.children


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        pytest.param({"observedGeneration": 0}, Outcome.KEPT, id="it saw another specification"),
        pytest.param({"planHash": "other"}, Outcome.KEPT, id="it meant to make something else"),
        pytest.param({}, Outcome.REPLANNED, id="the plan no longer holds"),
    ],
)
def test_what_nobody_says_was_made_for_today_is_made_anew(
    house: House, told: dict[str, Any], outcome: Outcome
) -> None:
    house.live = {k: v for k, v in house.live.items() if k[0] != "ControllerRevision"}
    house.status = {**house.status, "rollout": None, **told}
    house.release = "two"

    assert house.look(outcome).decision.move is Move.RENDER


def test_a_deployment_that_somebody_deleted_is_made_again_as_it_was(house: House) -> None:
    before = house.template()
    del house.live["Deployment", "m"]
    house.release = "two"

    house.obey()

    assert house.template() == before


def test_a_child_of_a_kind_that_today_would_not_be_made_is_kept_whole(house: House) -> None:
    kept = house.live["Deployment", "m"]
    group = {"kind": "LeaderWorkerSet", "metadata": {"name": "m"}, "spec": {}}
    service = house.live["Service", "m"]

    children = with_kept((group, service), (kept,), 3)

    assert [child["kind"] for child in children] == ["Deployment", "Service"]
    assert children[0]["spec"] == {**kept["spec"], "replicas": 3}
