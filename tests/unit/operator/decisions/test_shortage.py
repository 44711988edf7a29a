"""The numbers and the words for a shortage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_operator.decisions.shortage import Holder, Shortage, Unhealthy, explain, missing_gpus
from qwen3_planner.api.reasons import Reason

SHORTAGE = Shortage(
    resource="nvidia.com/gpu",
    gpus_per_replica=4,
    missing_replicas=2,
    nodes=3,
    gpus_total=24,
    gpus_free=5,
    gpus_free_on_one_node=3,
    gpus_promised=0,
    other_resource="",
    holders=(Holder("qwen3-8b", 8), Holder("pod trainer", 4)),
    other_holders=2,
    other_gpus=7,
    position=1,
    waiting=4,
)


@pytest.mark.parametrize(
    ("shortage", "words"),
    [
        pytest.param(SHORTAGE, "2 of 3 replicas wait, each for 4 x nvidia.com/gpu", id="who"),
        pytest.param(
            SHORTAGE, "3 nodes of the pool have 5 of 24 free, at most 3 on one node", id="where"
        ),
        pytest.param(
            SHORTAGE,
            "Held by qwen3-8b (8), pod trainer (4), 2 workloads of other namespaces (7).",
            id="own namespace by name, others as a count",
        ),
        pytest.param(SHORTAGE, "Position 1 of 4 in the queue.", id="queue"),
        pytest.param(
            replace(SHORTAGE, missing_replicas=3), "All 3 replicas wait, each for", id="all"
        ),
        pytest.param(
            replace(SHORTAGE, other_resource="memory"),
            "where GPUs are free, memory is not",
            id="not GPUs but memory",
        ),
        pytest.param(
            replace(SHORTAGE, gpus_promised=6),
            "6 are promised to pods that are being placed",
            id="promised",
        ),
        pytest.param(
            replace(SHORTAGE, nodes_to_come=2),
            ", 2 of the nodes yet to come",
            id="to come",
        ),
        pytest.param(
            replace(SHORTAGE, nodes=0),
            "No node of the pool takes pods now: all are cordoned, NotReady or gone.",
            id="no node",
        ),
        pytest.param(
            replace(SHORTAGE, holders=tuple(Holder(f"h{i}", 1) for i in range(9))),
            "h4 (1), 4 more here (4)",
            id="many holders",
        ),
        pytest.param(
            replace(SHORTAGE, accelerator="H100-SXM-80GB"),
            "each for 4 x H100-SXM-80GB (nvidia.com/gpu) on one node",
            id="what they are",
        ),
        pytest.param(
            replace(SHORTAGE, gpus_missing=3), "on one node: 3 more must be free.", id="how many"
        ),
        pytest.param(
            replace(SHORTAGE, unhealthy=(Unhealthy("h100-1", 2, 8),)),
            "Unhealthy GPUs: 2 of 8 on h100-1.",
            id="unhealthy",
        ),
    ],
)
def test_a_shortage_is_told_with_numbers(shortage: Shortage, words: str) -> None:
    verdict = explain(3, shortage)

    assert verdict.reason is Reason.INSUFFICIENT_GPU
    assert words in verdict.message


def test_a_single_replica_is_told_as_one() -> None:
    verdict = explain(1, replace(SHORTAGE, missing_replicas=1))

    assert verdict.message.startswith("The replica waits for 4 x nvidia.com/gpu on one node.")


def test_a_quota_is_told_by_its_name() -> None:
    quota = "gpus (requests.nvidia.com/gpu: 6 of 8 used)"
    verdict = explain(1, replace(SHORTAGE, missing_replicas=1, quota=quota))

    assert verdict.reason is Reason.QUOTA_EXCEEDED
    assert quota in verdict.message


@given(
    free=st.lists(st.integers(0, 8), min_size=1, max_size=6),
    per_replica=st.integers(1, 8),
    replicas=st.integers(1, 4),
)
def test_so_many_gpus_more_on_the_right_nodes_are_enough_and_one_less_is_not(
    free: list[int], per_replica: int, replicas: int
) -> None:
    def fit(counts: list[int]) -> int:
        return sum(count // per_replica for count in counts)

    missing = missing_gpus(free, per_replica, replicas)
    filled = list(free)
    for _ in range(missing):  # each goes where the least is missing for another replica
        best = min(range(len(filled)), key=lambda n: -(filled[n] % per_replica))
        filled[best] += 1

    assert fit(filled) >= replicas or missing == 0
    assert (missing == 0) == (fit(free) >= replicas)
    if missing:
        filled[best] -= 1
        assert fit(filled) < replicas


@pytest.mark.parametrize(
    ("short", "nodes", "words"),
    [
        ("cpu", 2, "of 2 nodes of the pool each has too few cores free"),
        ("memory", 1, "of 1 node of the pool each has too little memory free"),
        ("", 0, "of 0 nodes of the pool none takes pods now"),
    ],
)
def test_what_computes_on_cpus_waits_for_cores_and_memory(
    short: str, nodes: int, words: str
) -> None:
    on_cpus = replace(
        SHORTAGE, resource="", gpus_per_replica=0, other_resource=short, nodes=nodes, quota=""
    )

    verdict = explain(1, on_cpus)

    assert verdict.reason is Reason.INSUFFICIENT_CPU
    assert words in verdict.message
    assert "GPU" not in verdict.message
