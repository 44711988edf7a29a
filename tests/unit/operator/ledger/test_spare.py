"""What is free beside a resource's replicas, for a rollout that would rather keep them all."""

from __future__ import annotations

from qwen3_operator.decisions.pace import Spare
from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import Key, Pod, Quota
from support.values import GPU, amount, claim, node, pod

FOUR = amount(4)
M = Key("default", "m")


def replica(name: str, *, plan_hash: str = "h1", gpus: int = 4, where: str | None = "n") -> Pod:
    return pod(name, amount(gpus), node=where, owner="m", plan_hash=plan_hash)


def rolling(gpus: int, *replicas: Pod, need: int = 4, wanted: int = 1) -> Ledger:
    """Return the books of a resource that shall become ``h2`` on a node of so many GPUs."""
    ledger = Ledger()
    ledger.upsert_node(node("n", gpus))
    for one in replicas:
        ledger.upsert_pod(one)
    ledger.offer(claim("m", amount(need), wanted, plan_hash="h2"))
    return ledger


def test_gpus_that_nobody_has_are_spare() -> None:
    assert rolling(8, replica("a")).spare(M) == Spare(1)
    assert rolling(7, replica("a")).spare(M) == Spare(0)


def test_what_the_resource_was_promised_itself_does_not_stand_in_its_way() -> None:
    coming = replica("b", plan_hash="h2", where=None)

    assert rolling(8, replica("a"), coming).spare(M) == Spare(1)


def test_asking_changes_no_promise() -> None:
    ledger = rolling(8, replica("a"))
    other = claim("other", FOUR, created="2026-11-24T00:00:00Z")
    before = ledger.offer(other)

    ledger.spare(M)

    assert ledger.offer(other) == before
    assert ledger.spare(M) == Spare(1 - before.replicas)


def test_a_spare_replica_is_not_promised_to_somebody_who_comes_later() -> None:
    ledger = rolling(8, replica("a"))

    later = ledger.offer(claim("other", FOUR, created="2026-11-24T00:00:00Z"))

    assert later.replicas == 0
    assert ledger.spare(M) == Spare(1)


def test_who_waits_for_more_than_is_free_holds_nobody_up() -> None:
    ledger = Ledger()
    ledger.upsert_node(node("n", 8))
    ledger.upsert_pod(replica("a"))
    first = ledger.offer(claim("first", amount(8), created="2026-11-22T00:00:00Z"))
    ledger.offer(claim("m", FOUR, plan_hash="h2"))

    assert first.replicas == 0
    assert ledger.spare(M) == Spare(1)


def test_gpus_that_somebody_else_was_promised_are_not_spare() -> None:
    ledger = Ledger()
    ledger.upsert_node(node("n", 8))
    ledger.upsert_pod(replica("a"))
    other = ledger.offer(claim("other", FOUR))
    ledger.offer(claim("m", FOUR, plan_hash="h2"))

    assert other.replicas == 1
    assert ledger.spare(M) == Spare(0)


def test_the_quota_of_the_namespace_counts() -> None:
    ledger = rolling(8, replica("a"))
    ledger.upsert_quota(Quota("default", "gpus", ((GPU, 7),), ((GPU, 4),)))
    assert ledger.spare(M) == Spare(0)

    ledger.upsert_quota(Quota("default", "gpus", ((GPU, 8),), ((GPU, 4),)))
    assert ledger.spare(M) == Spare(1)


def test_a_pod_that_waits_within_the_quota_needs_no_more_of_it() -> None:
    ledger = rolling(8, replica("a"), replica("b", plan_hash="h2", where=None))
    ledger.upsert_quota(Quota("default", "gpus", ((GPU, 8),), ((GPU, 8),)))

    assert ledger.spare(M) == Spare(1)


def test_replicas_that_grow_do_not_fit_where_the_old_ones_are() -> None:
    ledger = rolling(16, replica("a"), replica("b"), need=8, wanted=2)

    assert ledger.spare(M) == Spare(1, fits_in_place=False)


def test_of_a_resource_that_nobody_claims_nothing_is_known() -> None:
    assert Ledger().spare(M) == Spare(0)
