"""Pods may also go to nodes to come, which are known by other labels than those that are there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_operator.decisions.eligibility import may_run_on, selector_of
from qwen3_operator.desired.labels import POOL
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.pool import Pool, pool_for, pool_of
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from support.resources import resource
from support.values import accelerator, node

CATALOG = load_catalog()
H100 = accelerator("H100-SXM-80GB")
OURS = {"example.com/pool": "h100"}
COMING = replace(node("to-come"), labels=OURS, to_come="h100")


def takes(pool: Pool, spec: str = "") -> list[str]:
    """Name the nodes that a resource's pods may go to."""
    nodes = [
        node("there"),
        node("other", product="L40S-48GB"),
        COMING,
        node("arrived", labels=OURS),
        node("zone-a", labels={"zone": "a"}),
        replace(COMING, name="coming-in-a", labels={**OURS, "zone": "a"}),
    ]
    selector = selector_of(make_placement(parse(resource(spec)), pool))
    return [one.name for one in nodes if may_run_on(selector, one)]


def test_both_are_ways_to_be_a_node_of_the_pool() -> None:
    pool = pool_for(H100, [node("there"), COMING], CATALOG)

    assert pool.others == ((("example.com/pool", "In", ("h100",)),),)
    assert takes(pool) == ["there", "to-come", "arrived", "zone-a", "coming-in-a"]


def test_each_way_is_combined_with_each_of_the_users_terms() -> None:
    pool = pool_for(H100, [node("there"), COMING], CATALOG)
    terms = "[{matchExpressions: [{key: zone, operator: In, values: [a]}]}]"
    affinity = f"requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: {terms}}}"

    assert takes(pool, f"affinity: {{nodeAffinity: {{{affinity}}}}}") == ["zone-a", "coming-in-a"]


def test_without_any_node_the_pool_is_that_of_nodes_to_come() -> None:
    pool = pool_for(H100, [COMING], CATALOG)

    assert (pool.requirements, pool.resource) == ((), "nvidia.com/gpu")
    assert takes(pool) == ["to-come", "arrived", "coming-in-a"]


def test_a_pool_whose_labels_name_the_product_needs_no_other_way() -> None:
    product = {**OURS, "nvidia.com/gpu.product": H100.product_labels[0]}

    pool = pool_for(H100, [replace(COMING, labels=product)], CATALOG)

    assert pool.others == ()
    assert takes(pool) == ["there", "arrived", "zone-a"]


def test_other_ways_survive_being_written_down() -> None:
    pool = pool_for(H100, [node("there"), COMING], CATALOG)

    assert pool_of({"metadata": {"annotations": {POOL: pool.as_text()}}}) == pool


@pytest.mark.parametrize(
    "text",
    [
        '["H100-SXM-80GB","nvidia.com/gpu",[["nvidia.com/gpu.product","In",["a"]]]]',
        '["CPU-arm64-7.5GB","",[["kubernetes.io/arch","In",["arm64"]]],4]',
    ],
)
def test_a_pool_without_other_ways_is_written_as_before(text: str) -> None:
    pool = pool_of({"metadata": {"annotations": {POOL: text}}})

    assert pool is not None
    assert pool.as_text() == text


def test_a_running_model_keeps_its_pool_when_one_that_can_grow_is_added() -> None:
    before = pool_for(H100, [node("there")], CATALOG)
    live = {"metadata": {"annotations": {POOL: before.as_text()}}}

    assert pool_for(H100, [node("there"), COMING], CATALOG, live) == before
