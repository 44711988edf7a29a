"""A queue of Kueue admits in the operator's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.failures import explain_pod
from qwen3_operator.decisions.queueing import LocalQueue, admit_by_queue
from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import KUEUE_GATE
from qwen3_planner.api.reasons import Reason
from support.values import amount, claim, demand, node, pod

TEAM_A = LocalQueue("default", "team-a")


def test_all_replicas_are_made_at_once() -> None:
    admission = admit_by_queue(3, "team-a", [TEAM_A], has_kueue=True)

    assert (admission.replicas, admission.may_apply, admission.verdict) == (3, True, None)


@pytest.mark.parametrize(
    ("queues", "has_kueue", "said"),
    [
        ([], False, "the cluster has no Kueue (no API kueue.x-k8s.io). Install it, or remove"),
        ([], True, "has no LocalQueue team-a (there: it has none). Create it"),
        (
            [LocalQueue("default", "zoo"), LocalQueue("default", "team-b")],
            True,
            "(there: team-b, zoo)",
        ),
        (
            [
                replace(
                    TEAM_A, is_active=False, why_not="Can't submit new workloads to clusterQueue"
                )
            ],
            True,
            "LocalQueue team-a admits nothing: Can't submit new workloads to clusterQueue.",
        ),
    ],
)
def test_without_a_queue_that_works_nothing_is_made_and_what_is_missing_is_said(
    queues: list[LocalQueue],
    has_kueue: bool,  # noqa: FBT001 - a parameter of the table
    said: str,
) -> None:
    admission = admit_by_queue(2, "team-a", queues, has_kueue=has_kueue)

    assert (admission.replicas, admission.may_apply) == (0, False)
    assert admission.verdict is not None
    assert admission.verdict.reason is Reason.QUEUE_UNAVAILABLE
    assert said in admission.verdict.message


def test_a_pod_that_kueue_holds_back_waits_for_the_queue() -> None:
    held = replace(pod("p", amount(1), problem="SchedulingGated"), gates=(KUEUE_GATE,))

    found = explain_pod(held)
    let_go = explain_pod(replace(held, gates=(), problem="Unschedulable"))

    assert found is not None
    assert found[1].reason is Reason.WAITING_FOR_QUEUE
    assert let_go is not None
    assert let_go[1].reason is Reason.UNSCHEDULABLE


def deployment(labels: dict[str, str]) -> dict[str, object]:
    return {
        "metadata": {"name": "q", "namespace": "default", "labels": labels},
        "spec": {"replicas": 2, "template": {"metadata": {}, "spec": {"containers": []}}},
    }


def test_a_deployment_in_a_queue_is_promised_nothing_from_our_books() -> None:
    assert demand_of(deployment({})).replicas == 2
    assert demand_of(deployment({"kueue.x-k8s.io/queue-name": "team-a"})).replicas == 0


def test_pods_that_kueue_holds_back_take_nothing_and_those_it_lets_go_do() -> None:
    ledger = Ledger()
    ledger.upsert_node(node("n", gpus=8))
    ledger.see_deployment(demand("queued", amount(8), replicas=0))
    held = replace(pod("queued-0", amount(8), owner="queued", plan_hash="h1"), gates=(KUEUE_GATE,))
    ledger.upsert_pod(held)

    before = ledger.offer(claim("other", amount(8)))
    ledger.withdraw(claim("other", amount(8)).demand.key)
    ledger.upsert_pod(replace(held, gates=()))
    after = ledger.offer(claim("other", amount(8)))

    assert (before.replicas, after.replicas) == (1, 0)
