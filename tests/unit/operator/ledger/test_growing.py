"""Pools that can grow are promised once, like nodes that are there."""

from __future__ import annotations

from dataclasses import replace

from qwen3_operator.decisions.growth import GrowingPool
from qwen3_operator.ledger import Ledger
from qwen3_operator.ledger.growing import Growing
from support.values import amount, claim, node, pod, selector

POOL = GrowingPool("h100", replace(node("template"), labels={"pool": "h100"}), most=2)
IN_POOL = selector(pool="h100")


def coming(ledger: Ledger) -> list[str]:
    return [one.name for one in ledger.nodes() if one.to_come]


def test_claims_are_admitted_on_nodes_to_come_and_no_further() -> None:
    ledger = Ledger()
    Growing(ledger).put(POOL)

    first = ledger.offer(claim("a", amount(8), replicas=1, where=IN_POOL))
    second = ledger.offer(claim("b", amount(8), replicas=2, where=IN_POOL))

    assert first.replicas == 1
    assert (second.replicas, second.verdict is not None) == (1, True)


def test_a_node_that_comes_takes_the_place_of_one_to_come() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    growing.put(POOL)
    arrived = node("real", labels={"pool": "h100"})

    ledger.upsert_node(arrived)
    assert growing.follow(None, arrived)

    assert coming(ledger) == ["h100/to-come-0"]
    assert ledger.offer(claim("a", amount(8), replicas=3, where=IN_POOL)).replicas == 2


def test_what_was_promised_on_a_node_to_come_is_bound_on_the_real_one() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    growing.put(replace(POOL, most=1))
    ledger.offer(claim("a", amount(8), where=IN_POOL))
    arrived = node("real", labels={"pool": "h100"})

    ledger.upsert_node(arrived)
    growing.follow(None, arrived)
    ledger.upsert_pod(pod("a-0", amount(8), node="real", owner="a", plan_hash="h1"))

    assert ledger.offer(claim("a", amount(8), where=IN_POOL)).verdict is None
    assert ledger.offer(claim("b", amount(8), where=IN_POOL)).replicas == 0


def test_a_node_that_goes_may_come_again() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    there = node("real", labels={"pool": "h100"})
    ledger.upsert_node(there)
    growing.follow(None, there)
    growing.put(POOL)
    assert len(coming(ledger)) == 1

    ledger.delete_node("real")
    growing.follow(there, None)

    assert len(coming(ledger)) == 2


def test_a_change_of_other_nodes_changes_nothing() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    growing.put(POOL)

    assert not growing.follow(None, node("other"))
    assert not growing.put(POOL)


def test_a_node_that_leaves_the_pool_by_its_labels_is_missed() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    growing.put(POOL)
    before, after = node("real", labels={"pool": "h100"}), node("real")
    growing.follow(None, before)

    assert growing.follow(before, after)
    assert len(coming(ledger)) == 2


def test_a_pool_that_is_gone_brings_nothing_any_more() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    growing.put(POOL)

    assert growing.drop("h100")
    assert coming(ledger) == []
    assert not growing.drop("h100")


def test_a_pool_of_another_size_is_counted_anew() -> None:
    ledger = Ledger()
    growing = Growing(ledger)
    growing.put(POOL)

    assert growing.put(replace(POOL, most=1))
    assert coming(ledger) == ["h100/to-come-0"]


def test_who_waits_is_told_what_is_yet_to_come() -> None:
    ledger = Ledger()
    Growing(ledger).put(POOL)
    ledger.offer(claim("first", amount(8), replicas=2, where=IN_POOL))

    waits = ledger.offer(claim("second", amount(8), where=IN_POOL))

    assert waits.verdict is not None
    assert "2 of the nodes yet to come" in waits.verdict.message


def test_slices_are_named_as_what_they_are() -> None:
    ledger = Ledger()
    ledger.upsert_node(node("mig", slices={"1g.10gb": 1}))
    need = replace(amount(), gpus=(("nvidia.com/mig-1g.10gb", 1),))
    ledger.offer(claim("first", need))

    waits = ledger.offer(claim("second", need))

    assert waits.verdict is not None
    assert "1 x H100-SXM-80GB-MIG-1g.10gb (nvidia.com/mig-1g.10gb)" in waits.verdict.message
