"""Every ``NAME.in.yaml`` is a resource and a cluster; its children are ``NAME.out.yaml``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qwen3_operator import desired
from qwen3_operator.decisions.capacity import inventory_for
from qwen3_operator.decisions.eligibility import selector_of
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pool import pool_for
from qwen3_operator.desired.site import site_for
from qwen3_planner.api.conversion import parse, plan_request
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from support.pod_security import violations_of_restricted
from support.values import node

if TYPE_CHECKING:
    from golden.conftest import Golden
    from qwen3_operator.observed import Manifest

HERE = Path(__file__).parent
CASES = [
    pytest.param(path, id=path.name.removesuffix(".in.yaml"))
    for path in sorted(HERE.glob("*.in.yaml"))
]


def children_of(path: Path) -> tuple[Manifest, ...]:
    """Go the operator's way from a resource and nodes to children, without a cluster."""
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    catalog = load_catalog()
    resource = parse(case["resource"])
    nodes = [node(**fields) for fields in case["nodes"]]
    inventory = inventory_for(selector_of(make_placement(resource, None)), nodes)
    request = replace(plan_request(resource, catalog), max_nodes_per_replica=1)
    result = plan(request, inventory, catalog)
    assert isinstance(result, Plan), result
    pool = pool_for(catalog.accelerator(result.placement.accelerator), nodes, catalog)
    replicas = case.get("replicas", resource.spec.replicas)
    return desired.children(resource, result, site_for({}, catalog), replicas, pool)


@pytest.mark.parametrize("path", CASES)
def test_children_are_what_they_were(path: Path, golden: Golden) -> None:
    plain = json.loads(json.dumps(children_of(path)))  # YAML would write anchors for what is shared

    written = yaml.safe_dump_all(plain, sort_keys=False, width=100)

    out = HERE / path.name.replace(".in.yaml", ".out.yaml")
    golden.check(out, written)


@pytest.mark.parametrize("path", CASES)
def test_every_pod_satisfies_pod_security_restricted(path: Path) -> None:
    deployment = children_of(path)[0]

    assert violations_of_restricted(deployment["spec"]["template"]["spec"]) == []


@pytest.mark.parametrize("path", CASES)
def test_no_secret_is_anywhere_but_behind_a_reference(path: Path) -> None:
    deployment = children_of(path)[0]
    container = deployment["spec"]["template"]["spec"]["containers"][0]

    by_name = {variable["name"]: variable for variable in container["env"]}

    for secret in ("HF_TOKEN", "VLLM_API_KEY"):
        assert "value" not in by_name.get(secret, {})
    assert not any("api-key" in argument for argument in container["args"])


def test_no_output_is_left_of_an_input_that_is_gone() -> None:
    names = {path.name.removesuffix(".in.yaml") for path in HERE.glob("*.in.yaml")}

    outputs = {path.name.removesuffix(".out.yaml") for path in HERE.glob("*.out.yaml")}

    assert outputs <= names
