"""What the ledger answers, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_operator.decisions.eligibility import Selector
from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import Key, Node, Pod, Quota
from qwen3_planner.api.reasons import Reason
from support.values import amount, claim, demand, node, pod, selector

NEED = amount(4, cpu=8)


def ledger(*nodes: Node, pods: tuple[Pod, ...] = ()) -> Ledger:
    books = Ledger()
    for each in nodes:
        books.upsert_node(each)
    for each in pods:
        books.upsert_pod(each)
    return books


def bind(books: Ledger, owner: str, name: str, where: str, **fields: object) -> Pod:
    bound = pod(name, NEED, owner=owner, node=where, **{"plan_hash": "h1", **fields})
    books.upsert_pod(bound)
    return bound


# -- fitting ----------------------------------------------------------------------------------


def test_as_many_replicas_are_admitted_as_fit() -> None:
    admission = ledger(node("a"), node("b", gpus=4)).offer(claim("m", NEED, 5))

    assert (admission.replicas, admission.may_apply) == (3, True)
    assert admission.verdict is not None
    assert admission.verdict.reason is Reason.INSUFFICIENT_GPU


def test_gpus_that_are_free_on_different_nodes_do_not_add_up() -> None:
    taken = tuple(pod(f"p{n}", amount(6), node=n, namespace="x") for n in ("a", "b"))

    admission = ledger(node("a"), node("b"), pods=taken).offer(claim("m", NEED))

    assert (admission.replicas, admission.may_apply) == (0, False)
    assert admission.shortage is not None
    assert (admission.shortage.gpus_free, admission.shortage.gpus_free_on_one_node) == (4, 2)


@pytest.mark.parametrize(
    "unusable",
    [
        pytest.param(node("a", schedulable=False), id="cordoned or NotReady"),
        pytest.param(node("a", cpu=4), id="too little CPU"),
        pytest.param(node("a", pods=0), id="no pod slot"),
        pytest.param(node("a", labels={"zone": "b"}), id="not selected"),
    ],
)
def test_a_node_that_cannot_take_the_pod_offers_nothing(unusable: Node) -> None:
    admission = ledger(unusable).offer(claim("m", NEED, where=selector(zone="a")))

    assert admission.replicas == 0


def test_where_gpus_are_free_the_shortage_names_what_is_not() -> None:
    admission = ledger(node("a", cpu=4)).offer(claim("m", NEED))

    assert admission.shortage is not None
    assert admission.shortage.other_resource == "cpu"


def test_a_terminating_pod_holds_its_gpus_until_it_is_gone() -> None:
    books = ledger(node("a", gpus=4))
    leaving = bind(books, "old", "p", "a", terminating=True)

    assert books.offer(claim("m", NEED)).replicas == 0
    books.delete_pod(leaving.uid)
    assert books.settle() == [Key("default", "m")]
    assert books.offer(claim("m", NEED)).replicas == 1


def test_what_is_promised_is_not_promised_again() -> None:
    books = ledger(node("a"))

    assert books.offer(claim("first", NEED, 2)).replicas == 2
    second = books.offer(claim("second", NEED))

    assert second.replicas == 0
    assert second.shortage is not None
    assert second.shortage.gpus_promised == 8


def test_a_bound_pod_is_not_counted_twice() -> None:
    books = ledger(node("a"))
    books.offer(claim("first", NEED))
    bind(books, "first", "p", "a")

    assert books.offer(claim("second", NEED)).replicas == 1


def test_a_large_claim_waits_for_a_small_pod_that_could_take_its_place() -> None:
    books = ledger(node("a", gpus=8), node("b", gpus=1))
    books.offer(claim("small", amount(1)))

    assert books.offer(claim("large", amount(8))).replicas == 0

    books.upsert_pod(pod("p", amount(1), owner="small", node="b", plan_hash="h1"))
    assert books.settle() == [Key("default", "large")]


def test_a_small_claim_waits_where_it_could_take_the_place_of_a_large_pod() -> None:
    books = ledger(node("a", gpus=8), node("b", gpus=4))
    books.offer(claim("large", amount(8)))

    assert books.offer(claim("small", amount(1))).replicas == 0

    books.upsert_pod(pod("p", amount(8), owner="large", node="a", plan_hash="h1"))
    assert books.settle() == [Key("default", "small")]


def test_pods_of_other_nodes_do_not_matter() -> None:
    books = ledger(node("a", labels={"zone": "a"}), node("b", labels={"zone": "b"}))
    books.offer(claim("there", amount(1), 8, where=selector(zone="b")))

    assert books.offer(claim("here", amount(8), where=selector(zone="a"))).replicas == 1


# -- order ------------------------------------------------------------------------------------


def full(*names: str, priority: dict[str, int] | None = None) -> Ledger:
    """A node that one pod fills, with claims that wait in the order given."""
    books = ledger(node("a", gpus=4))
    bind(books, "holder", "p", "a")
    for number, name in enumerate(names):
        books.offer(claim(name, NEED, priority=(priority or {}).get(name, 0), created=f"{number}"))
    return books


def freed(books: Ledger) -> list[str]:
    books.delete_pod("uid-default-p")
    return [key.name for key in books.settle()]


def test_age_decides() -> None:
    assert freed(full("old", "young")) == ["old"]


def test_priority_comes_before_age() -> None:
    assert freed(full("old", "urgent", priority={"urgent": 10})) == ["urgent"]


def test_the_name_decides_between_equals() -> None:
    books = full()
    for name in ("b", "a"):
        books.offer(claim(name, NEED))

    assert freed(books) == ["a"]


def test_a_new_claim_does_not_overtake_one_that_waits() -> None:
    books = full("old")
    books.delete_pod("uid-default-p")

    assert books.offer(claim("new", NEED, created="9")).replicas == 0
    assert books.settle() == [Key("default", "old")]


def test_a_new_claim_that_comes_first_is_served_first() -> None:
    books = full("old")
    books.delete_pod("uid-default-p")

    assert books.offer(claim("urgent", NEED, priority=5, created="9")).replicas == 1
    assert books.settle() == []


def test_a_small_claim_behind_a_large_one_that_does_not_fit_is_admitted() -> None:
    books = ledger(node("a", gpus=4))
    books.offer(claim("large", amount(8), created="0"))

    assert books.offer(claim("small", amount(2), created="1")).replicas == 1


def test_a_claim_that_may_fit_in_a_moment_is_not_overtaken() -> None:
    books = ledger(node("a", gpus=8), node("b", gpus=1))
    books.offer(claim("tiny", amount(1), created="0"))
    books.offer(claim("large", amount(8), created="1"))

    assert books.offer(claim("small", amount(1), created="2")).replicas == 0

    books.upsert_pod(pod("p", amount(1), owner="tiny", node="b", plan_hash="h1"))
    assert books.settle() == [Key("default", "large")]


def test_the_place_in_the_queue_counts_claims_for_the_same_nodes() -> None:
    books = ledger(node("a", gpus=1, labels={"zone": "a"}), node("b", labels={"zone": "b"}))
    here, there = selector(zone="a"), selector(zone="b")
    books.offer(claim("elsewhere", amount(16), where=there, created="0"))
    books.offer(claim("first", NEED, where=here, created="1"))
    books.offer(claim("larger", amount(8), where=here, created="2"))

    third = books.offer(claim("third", NEED, where=here, created="3"))

    assert third.shortage is not None
    assert (third.shortage.position, third.shortage.waiting) == (3, 3)
    assert [key.name for key in books.waiting()] == ["elsewhere", "first", "larger", "third"]


# -- scaling and changing ---------------------------------------------------------------------


def test_scaling_up_admits_only_what_is_added() -> None:
    books = ledger(node("a"))
    books.offer(claim("m", NEED))
    bind(books, "m", "p", "a")

    admission = books.offer(claim("m", NEED, 3))

    assert (admission.replicas, admission.wanted) == (2, 3)


def test_what_could_run_is_what_is_admitted_when_it_is_asked_for() -> None:
    books = ledger(node("a"), node("b"))
    books.offer(claim("m", NEED, 1))
    bind(books, "m", "m-0", "a")
    books.upsert_pod(pod("x", amount(2), node="b", namespace="x"))

    assert books.could_run(Key("default", "m")) == 3
    assert books.could_run(Key("default", "m")) == 3, "nothing is booked"
    assert books.offer(claim("m", NEED, 9)).replicas == 3


def test_who_sleeps_could_run_and_who_is_unknown_could_not() -> None:
    books = ledger(node("a"))
    books.offer(claim("m", NEED, 0))

    assert books.could_run(Key("default", "m")) == 2
    assert books.could_run(Key("default", "other")) == 0


def test_what_could_run_is_not_what_others_wait_for_or_the_quota_forbids() -> None:
    books = ledger(node("a"), node("b"))
    books.offer(claim("m", NEED, 3, created="2026-11-22T00:00:00Z"))
    books.offer(claim("first", amount(8), 1, priority=9))

    assert books.could_run(Key("default", "m")) == 3

    books = ledger(node("a"))
    books.upsert_quota(Quota("default", "gpus", (("nvidia.com/gpu", 4),), (("nvidia.com/gpu", 0),)))
    books.offer(claim("m", NEED, 1))

    assert books.could_run(Key("default", "m")) == 1


def test_scaling_down_frees_at_once_what_is_not_bound() -> None:
    books = ledger(node("a"))
    books.offer(claim("m", NEED, 2))

    books.offer(claim("m", NEED, 1))

    assert books.offer(claim("other", NEED)).replicas == 1


def test_what_runs_is_never_taken_back() -> None:
    books = ledger(node("a"))
    books.offer(claim("m", NEED, 2))
    for name in ("p", "q"):
        bind(books, "m", name, "a")
    books.upsert_node(node("a", schedulable=False))

    assert books.offer(claim("m", NEED, 2)).replicas == 2


def test_zero_replicas_are_applied() -> None:
    admission = ledger(node("a")).offer(claim("m", NEED, 0))

    assert (admission.replicas, admission.may_apply, admission.verdict) == (0, True, None)


def test_a_new_template_of_the_same_size_takes_the_place_of_its_own_pods() -> None:
    books = ledger(node("a", gpus=4))
    books.offer(claim("m", NEED))
    bind(books, "m", "p", "a")

    assert books.offer(claim("m", NEED, plan_hash="h2")).replicas == 1


def test_a_larger_template_counts_what_its_own_pods_give_back() -> None:
    books = ledger(node("a", gpus=6))
    books.offer(claim("m", NEED))
    bind(books, "m", "p", "a")

    assert books.offer(claim("m", amount(6), plan_hash="h2")).replicas == 1


def test_a_template_that_does_not_fit_leaves_what_runs_alone() -> None:
    books = ledger(node("a"))
    books.offer(claim("m", NEED))
    bind(books, "m", "p", "a")

    admission = books.offer(claim("m", amount(16), plan_hash="h2"))

    assert (admission.replicas, admission.may_apply) == (0, False)
    assert books.offer(claim("other", NEED, 2)).replicas == 1


def test_a_promise_that_was_never_told_does_not_stand_in_the_way() -> None:
    books = full("m", priority={"m": 0})
    books.delete_pod("uid-default-p")
    books.settle()  # admits m; before it is told, its template changes and somebody comes first

    books.offer(claim("urgent", NEED, priority=5, created="8"))
    changed = books.offer(claim("m", NEED, plan_hash="h2", created="0"))

    urgent = books.offer(claim("urgent", NEED, priority=5, created="8"))
    assert (changed.replicas, urgent.replicas) == (0, 1)


# -- deployments and restarts -----------------------------------------------------------------


def test_deployments_that_live_count_before_anything_is_decided() -> None:
    books = ledger(node("a"))
    books.see_deployment(demand("running", NEED, 2))

    assert books.offer(claim("new", NEED)).replicas == 0
    assert books.offer(claim("running", NEED, 2)).replicas == 2


def test_an_old_view_of_a_deployment_does_not_undo_a_decision() -> None:
    books = ledger(node("a"))
    books.see_deployment(demand("m", NEED, 1))
    books.offer(claim("m", NEED, 2))

    books.see_deployment(demand("m", NEED, 1))

    assert books.offer(claim("other", NEED)).replicas == 0


def test_a_withdrawn_claim_counts_while_its_deployment_lives() -> None:
    books = ledger(node("a", gpus=4))
    books.offer(claim("m", NEED))
    books.see_deployment(demand("m", NEED))
    books.withdraw(Key("default", "m"))

    assert books.offer(claim("other", NEED)).replicas == 0
    books.forget_deployment(Key("default", "m"))
    assert books.settle() == [Key("default", "other")]


def test_a_withdrawn_claim_that_was_never_applied_is_free_at_once() -> None:
    books = ledger(node("a", gpus=4))
    books.offer(claim("m", NEED))
    books.withdraw(Key("default", "m"))

    assert books.offer(claim("other", NEED)).replicas == 1


def test_a_withdrawn_claim_waits_no_longer() -> None:
    books = full("m")
    books.withdraw(Key("default", "m"))

    assert books.waiting() == []
    assert freed(books) == []


def test_a_deployment_deleted_by_hand_stays_promised_to_be_made_again() -> None:
    books = ledger(node("a", gpus=4))
    books.offer(claim("m", NEED))
    books.see_deployment(demand("m", NEED))
    books.forget_deployment(Key("default", "m"))

    assert books.offer(claim("other", NEED)).replicas == 0


# -- quota ------------------------------------------------------------------------------------


def quota(hard: int, used: int = 0, namespace: str = "default") -> Quota:
    return Quota(namespace, "gpus", (("nvidia.com/gpu", hard),), (("nvidia.com/gpu", used),))


def test_the_quota_of_the_namespace_binds() -> None:
    books = ledger(node("a"))
    books.upsert_quota(quota(6))

    admission = books.offer(claim("m", NEED, 2))

    assert admission.replicas == 1
    assert admission.verdict is not None
    assert admission.verdict.reason is Reason.QUOTA_EXCEEDED
    assert "gpus (requests.nvidia.com/gpu: 4 of 6 used)" in admission.verdict.message


def test_replicas_whose_pods_are_not_made_yet_use_the_quota() -> None:
    books = ledger(node("a"))
    books.upsert_quota(quota(4))
    books.offer(claim("m", NEED))

    assert books.offer(claim("other", NEED)).replicas == 0


def test_a_pod_is_not_counted_against_the_quota_twice() -> None:
    books = ledger(node("a"))
    books.upsert_quota(quota(8))
    books.offer(claim("m", NEED))
    bind(books, "m", "p", "a")
    books.upsert_quota(quota(8, used=4))

    assert books.offer(claim("other", NEED)).replicas == 1


def test_the_quota_of_another_namespace_does_not_matter() -> None:
    books = ledger(node("a"))
    books.upsert_quota(quota(0, namespace="other"))

    assert books.offer(claim("m", NEED)).replicas == 1


def test_a_raised_quota_wakes_who_waits() -> None:
    books = ledger(node("a"))
    books.upsert_quota(quota(0))
    books.offer(claim("m", NEED))

    books.upsert_quota(quota(4))

    assert books.settle() == [Key("default", "m")]


def test_who_waits_for_quota_holds_nobody_up() -> None:
    books = ledger(node("a"))
    books.upsert_quota(quota(0, namespace="poor"))
    books.offer(claim("m", NEED, namespace="poor", created="0"))

    assert books.offer(claim("other", NEED, created="1")).replicas == 1


# -- who holds what ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names_all", "told"),
    [
        pytest.param(
            False, "mine (4), pod job (2), 1 workload of other namespaces (8).", id="but counted"
        ),
        pytest.param(True, "other/secret (8), mine (4), pod job (2).", id="or the settings say so"),
    ],
)
def test_holders_are_named_in_the_own_namespace_only(*, names_all: bool, told: str) -> None:
    books = Ledger(names_all_holders=names_all)
    books.upsert_node(node("a", gpus=16))
    bind(books, "mine", "p", "a")
    books.upsert_pod(pod("job", amount(2), node="a"))
    books.upsert_pod(pod("theirs", amount(8), node="a", namespace="other", owner="secret"))

    admission = books.offer(claim("m", NEED))

    assert admission.verdict is not None
    assert f"Held by {told}" in admission.verdict.message
    assert ("secret" in admission.verdict.message) is names_all


# -- what changed -----------------------------------------------------------------------------


def test_what_is_as_before_is_no_change() -> None:
    books = ledger(node("a"))
    bound = bind(books, "m", "p", "a")
    books.upsert_quota(quota(4))
    books.see_deployment(demand("m", NEED))

    assert not books.upsert_node(node("a"))
    assert not books.upsert_pod(bound)
    assert not books.upsert_quota(quota(4))
    assert not books.see_deployment(demand("m", NEED))
    assert not books.delete_node("gone")
    assert not books.delete_pod("gone")
    assert not books.forget_deployment(Key("default", "gone"))
    assert not books.delete_quota("default", "gone")


def test_a_pod_that_becomes_ready_moves_no_gpus() -> None:
    books = ledger(node("a"))
    bound = bind(books, "m", "p", "a")

    assert books.upsert_pod(replace(bound, ready=True))
    books.delete_pod(bound.uid)

    assert books.offer(claim("m", amount(8))).replicas == 1


def test_the_inventory_is_the_same_object_until_the_hardware_changes() -> None:
    books = ledger(node("a"))
    first = books.inventory(Selector())

    books.upsert_node(node("a", schedulable=False))
    assert books.inventory(Selector()) is first

    books.upsert_node(node("b"))
    assert books.inventory(Selector()) is not first
    assert books.inventory(Selector()).groups[0].count == 2
