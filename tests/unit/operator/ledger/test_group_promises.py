"""Replicas of several pods in the books: admitted whole, lifted whole, nothing promised twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import GROUP_GATE, Key, Pod, Quota
from support.values import amount, claim, node, pod, selector

if TYPE_CHECKING:
    from qwen3_operator.decisions.admission import Claim

NODE = amount(8, cpu=8)


def ledger(*names: str) -> Ledger:
    books = Ledger()
    for name in names:
        books.upsert_node(node(name))
    return books


def group(name: str, replicas: int = 1, size: int = 2, **fields: object) -> Claim:
    made = claim(name, NODE, replicas, **fields)  # type: ignore[arg-type]  # by name
    return replace(made, demand=replace(made.demand, group_size=size))


def ranks(owner: str, size: int = 2) -> list[Pod]:
    made = (pod(f"{owner}-0-{n}", NODE, owner=owner, plan_hash="h1") for n in range(size))
    return [replace(each, gates=(GROUP_GATE,), group="0") for each in made]


def uids(pods: list[Pod]) -> set[str]:
    return {each.uid for each in pods}


def test_a_replica_is_admitted_whole_or_not() -> None:
    admission = ledger("a", "b", "c").offer(group("m", replicas=2))

    assert (admission.wanted, admission.replicas) == (2, 1)


def test_of_two_that_want_the_same_nodes_the_second_holds_nothing() -> None:
    books = ledger("a", "b")
    books.offer(group("first"))

    second = books.offer(group("second"))

    assert (second.replicas, second.may_apply) == (0, False)
    assert second.verdict is not None
    assert "8 x H100-SXM-80GB (nvidia.com/gpu) on each of 2 nodes at once" in second.verdict.message


def test_a_small_model_gets_the_node_that_a_group_cannot_use() -> None:
    books = ledger("a")

    assert books.offer(group("large", created="2026-11-23T00:00:01Z")).replicas == 0
    assert books.offer(claim("small", NODE, created="2026-11-23T00:00:00Z")).replicas == 1


def test_a_quota_counts_all_pods_of_a_replica() -> None:
    books = ledger("a", "b", "c", "d")
    gpus = (("nvidia.com/gpu", 24),)
    books.upsert_quota(Quota("default", "gpus", gpus, (("nvidia.com/gpu", 0),)))

    assert books.offer(group("m", replicas=2)).replicas == 1


def test_gates_are_lifted_where_all_pods_surely_fit() -> None:
    books = ledger("a", "b")
    books.offer(group("m"))
    pods = ranks("m")
    for each in pods:
        books.upsert_pod(each)

    assert books.places(Key("default", "m")) == 2
    assert books.lift(Key("default", "m"), uids(pods))
    assert books.lift(Key("default", "m"), uids(pods)), "asked again, it is still so"
    assert books.places(Key("default", "m")) == 0


def test_no_gate_is_lifted_while_one_node_is_short() -> None:
    books = ledger("a", "b")
    books.offer(group("m"))
    pods = ranks("m")
    for each in pods:
        books.upsert_pod(each)
    stranger = pod("stranger", NODE, node="b", namespace="elsewhere")
    books.upsert_pod(stranger)

    assert not books.lift(Key("default", "m"), uids(pods))
    assert books.places(Key("default", "m")) == 1
    books.delete_pod(stranger.uid)
    assert books.lift(Key("default", "m"), uids(pods))


def test_of_two_groups_behind_their_gates_only_one_is_let_through() -> None:
    """Both were admitted; then two of the four nodes went."""
    books = ledger("a", "b", "c", "d")
    groups = {name: ranks(name) for name in ("first", "second")}
    for name, pods in groups.items():
        assert books.offer(group(name)).replicas == 1
        for each in pods:
            books.upsert_pod(each)
    for name in "cd":
        books.delete_node(name)

    lifted = [books.lift(Key("default", name), uids(pods)) for name, pods in groups.items()]

    assert lifted == [True, False]


def test_pods_of_others_that_are_being_placed_count_before_a_gate_is_lifted() -> None:
    books = ledger("a", "b", "c")
    books.offer(claim("small", NODE))
    books.offer(group("m"))
    pods = ranks("m")
    for each in pods:
        books.upsert_pod(each)
    books.delete_node("c")

    assert not books.lift(Key("default", "m"), uids(pods))


def test_no_gate_is_lifted_at_the_cost_of_a_pod_with_fewer_nodes_to_choose_from() -> None:
    books = ledger("b", "c")
    for name in "ade":
        books.upsert_node(node(name, labels={"zone": "z"}))
    books.offer(claim("choosy", NODE, where=selector(zone="z")))
    assert books.offer(group("m")).replicas == 1
    pods = ranks("m")
    for each in pods:
        books.upsert_pod(each)
    for name in "de":
        books.delete_node(name)

    assert books.places(Key("default", "m")) == 2
    assert not books.lift(Key("default", "m"), uids(pods))


def test_a_replica_that_was_taken_back_is_judged_anew() -> None:
    books = ledger("a", "b")
    books.offer(group("m"))
    pods = ranks("m")
    for each in pods:
        books.upsert_pod(each)
    assert books.lift(Key("default", "m"), uids(pods))
    for each in pods:
        books.delete_pod(each.uid)
    again = [replace(each, uid=f"{each.uid}-again") for each in pods]
    for each in again:
        books.upsert_pod(each)
    books.upsert_pod(pod("stranger", NODE, node="b", namespace="elsewhere"))

    assert not books.lift(Key("default", "m"), uids(again))
