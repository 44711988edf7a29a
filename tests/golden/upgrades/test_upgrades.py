"""What an earlier release left in a cluster is left alone by this one, to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from qwen3_operator import desired
from qwen3_operator.decisions.capacity import inventory_for
from qwen3_operator.decisions.eligibility import selector_of
from qwen3_operator.decisions.replan import Outcome, choose
from qwen3_operator.decisions.rollout import Move
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pool import pool_for
from qwen3_operator.desired.site import site_for
from qwen3_operator.observed import Observed
from qwen3_operator.rolling.inputs import inputs_of
from qwen3_operator.rolling.turns import Scene, Turn, take_turn
from qwen3_planner.api.conversion import parse, parse_status, plan_request
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from support.values import node

HERE = Path(__file__).parent
CASES = [pytest.param(path, id=path.stem) for path in sorted(HERE.glob("*.json"))]
NODES = [node("a100-0", 4, product="A100-SXM-80GB")]


def look(left: dict[str, Any]) -> Turn:
    """Look at what was left as a reconcile does, on the hardware that it ran on."""
    catalog = load_catalog()
    body = {**left["resource"], "status": left["status"]}
    body["metadata"]["generation"] = left["status"]["observedGeneration"]
    resource, previous = parse(body), parse_status(body)
    inventory = inventory_for(selector_of(make_placement(resource, None)), NODES)
    chosen = choose(
        replace(plan_request(resource, catalog), max_nodes_per_replica=1),
        resource.spec.replan,
        previous.plan,
        spec_changed=False,
        ask=lambda question: plan(question, inventory, catalog),
    )
    assert chosen.outcome is Outcome.KEPT
    assert isinstance(chosen.result, Plan)
    live = {(child["kind"], child["metadata"]["name"]): child for child in left["children"]}
    accelerator = catalog.accelerator(chosen.result.placement.accelerator)
    pool = pool_for(accelerator, NODES, catalog, left["children"][0])
    site = site_for({"vllm": "registry.example.com/of-another-setting:{version}"}, catalog)
    return take_turn(
        Scene(
            resource=resource,
            chosen=chosen,
            inputs=inputs_of(resource, chosen.result, pool),
            wanted=desired.children(resource, chosen.result, site, resource.spec.replicas, pool),
            observed=Observed(live),
            previous=previous,
            allowed_s=600,
            now=datetime(2026, 11, 23, 12, tzinfo=UTC),
        )
    )


@pytest.mark.parametrize("path", CASES)
def test_pods_of_an_earlier_release_stay_as_they_are(path: Path) -> None:
    left = json.loads(path.read_text(encoding="utf-8"))

    turn = look(left)

    assert turn.decision.move is Move.KEEP
    assert turn.is_outdated
    assert turn.children[0]["spec"]["template"] == left["children"][0]["spec"]["template"]
    assert turn.plan is not None
    assert turn.plan["command"] == left["status"]["plan"]["command"]


def test_there_is_something_to_leave_alone() -> None:
    assert CASES
