"""Layouts that are asked about, and room for all replicas node by node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.candidates import (
    Pool,
    cheapest_usd_per_hour,
    layouts,
    node_name,
    pools_of,
    replicas_that_fit,
    smallest_span,
)
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import Layout
from qwen3_planner.request import ParallelismWish
from support.planner_builders import a_model, an_accelerator, hardware


def a_pool(*sizes: int, accelerator: str = "H100-SXM-80GB") -> Pool:
    groups = tuple(
        NodeGroup(an_accelerator(accelerator), size, name=f"node-{i}")
        for i, size in enumerate(sizes)
    )
    (pool,) = pools_of(Inventory(groups), ())
    return pool


def layouts_of(
    pool: Pool, model: str = "Qwen3-32B", replicas: int = 1, limit: int = 10**6, **wish: int
) -> list[str]:
    found = layouts(a_model(model), pool, ParallelismWish(**wish), replicas, limit)
    return [f"{layout}/{layout.nodes_per_replica}" for layout in found]


def test_inside_a_node_tensor_parallelism_comes_before_stages() -> None:
    assert layouts_of(a_pool(8)) == [
        *("tp1/1", "tp2/1", "tp4/1"),
        *("tp1xpp8/1", "tp2xpp4/1", "tp4xpp2/1", "tp8/1"),
    ]


def test_stages_use_what_no_tensor_size_can() -> None:
    assert layouts_of(a_pool(3)) == ["tp1/1", "tp2/1", "tp1xpp3/1"]


def test_stages_or_tensor_ranks_reach_over_nodes() -> None:
    over_two = [text for text in layouts_of(a_pool(8, 8)) if text.endswith("/2")]
    assert "tp8xpp2/2" in over_two
    assert "tp16/2" in over_two


def test_experts_are_shared_by_inner_size_or_whole() -> None:
    assert layouts_of(a_pool(2), "Qwen3-30B-A3B") == [
        *("tp1/1", "tp1xpp2/1", "tp2/1", "tp2xep2/1"),
    ]


def test_data_parallel_ranks_only_when_asked() -> None:
    assert not [text for text in layouts_of(a_pool(8), "Qwen3-30B-A3B") if "dp" in text]
    asked = layouts_of(a_pool(8), "Qwen3-30B-A3B", data=2)
    assert asked
    assert all("dp2" in text for text in asked)


def test_what_was_fixed_is_in_every_layout() -> None:
    assert layouts_of(a_pool(8), tensor=3) == ["tp3/1", "tp3xpp2/1"]
    assert layouts_of(a_pool(8), tensor=4, pipeline=2) == ["tp4xpp2/1"]


def test_a_fixed_layout_that_has_no_room_is_listed_to_be_refused() -> None:
    assert layouts_of(a_pool(2), tensor=16) == ["tp16/8"]


def test_all_replicas_must_find_room() -> None:
    assert max(layouts_of(a_pool(8), replicas=2)) == "tp4/1"
    assert layouts_of(a_pool(1), replicas=2) == ["tp1/1"]


def test_a_bound_on_gpus_bounds_the_layouts() -> None:
    assert layouts_of(a_pool(8), limit=2) == ["tp1/1", "tp1xpp2/1", "tp2/1"]


@pytest.mark.parametrize(
    ("sizes", "gpus", "replicas", "nodes"),
    [
        ((8,), 8, 1, 1),
        ((4, 4), 8, 1, 2),
        ((8, 4, 4), 8, 2, 2),
        ((6, 6), 8, 1, 2),
        ((4, 4), 6, 1, 2),
        ((3, 3, 2), 8, 1, None),
        ((2, 2, 2, 2), 8, 1, 4),
        ((4, 4), 16, 1, None),
    ],
)
def test_a_replica_is_spread_evenly_over_the_fewest_nodes(
    sizes: tuple[int, ...], gpus: int, replicas: int, nodes: int | None
) -> None:
    assert smallest_span(a_pool(*sizes), gpus, replicas) == nodes


def test_fragments_of_different_nodes_do_not_add_up() -> None:
    pool = a_pool(3, 3)
    assert pool.gpus == 6
    assert replicas_that_fit(pool, 2, 1, 2)
    assert not replicas_that_fit(pool, 2, 1, 3)


def test_a_replica_takes_each_of_its_nodes_once() -> None:
    assert not replicas_that_fit(a_pool(8), 4, 2, 1)
    assert replicas_that_fit(a_pool(8, 8), 4, 2, 2)


def test_nodes_without_gpus_and_other_accelerators_are_left_out() -> None:
    inventory = Inventory(
        (
            NodeGroup(an_accelerator("H100-SXM-80GB"), 0, count=3),
            NodeGroup(an_accelerator("L4-24GB"), 1),
        )
    )
    assert [pool.accelerator.name for pool in pools_of(inventory, ())] == ["L4-24GB"]
    assert pools_of(inventory, ("H100-SXM-80GB",)) == ()
    assert len(pools_of(hardware("1xL4-24GB"), ("l4-24gb",))) == 1


def priced(*nodes: tuple[int, float | None]) -> Pool:
    groups = tuple(NodeGroup(an_accelerator(), gpus, usd_per_hour=price) for gpus, price in nodes)
    (pool,) = pools_of(Inventory(groups), ())
    return pool


def test_the_price_is_of_the_gpus_taken_on_the_cheapest_nodes() -> None:
    pool = priced((8, 32.0), (8, 16.0))
    assert cheapest_usd_per_hour(pool, Layout(4), 1) == 8.0
    assert cheapest_usd_per_hour(pool, Layout(4), 3) == 8.0 + 8.0 + 16.0


def test_a_price_is_unknown_where_a_needed_node_has_none() -> None:
    pool = priced((8, 16.0), (8, None))
    assert cheapest_usd_per_hour(pool, Layout(8), 1) == 16.0
    assert cheapest_usd_per_hour(pool, Layout(8), 2) is None


def test_a_node_is_named_only_where_no_other_would_do() -> None:
    assert node_name(a_pool(8), Layout(8)) == "node-0"
    assert node_name(a_pool(8, 4), Layout(8)) == "node-0"
    assert node_name(a_pool(8, 8), Layout(8)) is None
    unnamed = replace(a_pool(8).nodes[0], name=None)
    assert node_name(Pool(an_accelerator(), (unnamed,)), Layout(8)) is None
