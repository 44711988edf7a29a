"""When the pods of a replica over several nodes start, are taken back, or start anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qwen3_operator.decisions.gangs import (
    Act,
    Gang,
    next_step,
    replicas_of,
    say_held,
    to_replace,
)
from qwen3_operator.observed import GROUP_GATE, KUEUE_GATE, WAITING_FOR_NODES, Pod
from support.values import amount, pod

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
OURS = Gang(size=2, plan_hash="new", restarts_itself=False, limit_s=300.0)
LWS = replace(OURS, restarts_itself=True)


def rank(number: int, group: str = "0", **fields: object) -> Pod:
    made = pod(f"m-{group}-{number}", amount(8), owner="m")
    return replace(made, group=group, rank=number, plan_hash="new", **fields)  # type: ignore[arg-type]  # by name


def gated(number: int, group: str = "0", **fields: object) -> Pod:
    return rank(number, group, gates=(GROUP_GATE,), **fields)


def running(number: int, group: str = "0", **fields: object) -> Pod:
    kept = {"node": f"n{number}", "phase": "Running", "ready": True, "bound_at": ago(600)} | fields
    return rank(number, group, **kept)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- the gate -----------------------------------------------------------------------------------


@pytest.mark.parametrize("gang", [OURS, LWS])
def test_the_gate_is_lifted_from_all_pods_at_once(gang: Gang) -> None:
    step = next_step([gated(0), gated(1)], gang, NOW)

    assert (step.act, [pod.rank for pod in step.pods]) == (Act.LIFT, [0, 1])


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([gated(0)], id="one is still to be made"),
        pytest.param([gated(0), gated(1, terminating=True)], id="one is on its way out"),
        pytest.param([gated(0), gated(1), gated(1)], id="one is still there from before"),
    ],
)
def test_the_gate_stays_until_exactly_all_are_there(members: list[Pod]) -> None:
    assert next_step(members, OURS, NOW).act is Act.NOTHING


def test_lifting_that_was_cut_short_goes_on() -> None:
    step = next_step([rank(0), gated(1)], LWS, NOW)

    assert (step.act, [pod.rank for pod in step.pods]) == (Act.LIFT, [1])


# -- all start anew when one does -----------------------------------------------------------------


@pytest.mark.parametrize("gang", [OURS, LWS])
def test_ranks_that_ran_make_way_when_one_was_replaced(gang: Gang) -> None:
    step = next_step([running(0), gated(1)], gang, NOW)

    assert (step.act, [pod.rank for pod in step.pods]) == (Act.RESTART, [0])


def test_leaderworkerset_starts_a_replica_anew_by_itself_when_a_container_did() -> None:
    assert next_step([running(0), running(1, restarts=1)], LWS, NOW).act is Act.NOTHING


def test_all_ranks_start_anew_when_a_container_did() -> None:
    step = next_step([running(0), running(1, restarts=1)], OURS, NOW)

    assert (step.act, len(step.pods)) == (Act.RESTART, 2)


def test_a_replica_that_runs_is_left_alone() -> None:
    assert next_step([running(0), running(1)], OURS, NOW).act is Act.NOTHING


# -- bound in part ------------------------------------------------------------------------------


def test_a_replica_bound_in_part_is_taken_back_after_the_limit() -> None:
    bound = running(0, bound_at=ago(301))

    step = next_step([bound, rank(1)], OURS, NOW)

    assert (step.act, len(step.pods)) == (Act.RELEASE, 2)


def test_until_then_it_is_looked_at_again_in_time() -> None:
    step = next_step([running(0, bound_at=ago(100)), rank(1)], OURS, NOW)

    assert (step.act, step.again_s) == (Act.NOTHING, 200.0)


def test_nodes_that_are_to_come_are_waited_for_longer() -> None:
    waits = rank(1, problem=WAITING_FOR_NODES)

    assert next_step([running(0, bound_at=ago(301)), waits], OURS, NOW).act is Act.NOTHING
    assert next_step([running(0, bound_at=ago(1801)), waits], OURS, NOW).act is Act.RELEASE


def test_what_kueue_holds_back_is_kueues() -> None:
    held = rank(1, gates=(KUEUE_GATE,))

    assert next_step([running(0, bound_at=ago(999)), held], LWS, NOW).act is Act.NOTHING


# -- another template -----------------------------------------------------------------------------


def replicas(*pods: Pod) -> dict[str, tuple[Pod, ...]]:
    return replicas_of(pods)


def old(number: int, group: str, **fields: object) -> Pod:
    return replace(running(number, group, **fields), plan_hash="old")


def test_one_replica_that_answers_makes_way_at_a_time() -> None:
    both = replicas(*(old(n, g) for g in "01" for n in (0, 1)))

    step = to_replace(both, OURS, 2)

    assert (step.act, {pod.group for pod in step.pods}) == (Act.REPLACE, {"1"})
    assert len(step.pods) == 2


def test_the_next_waits_until_the_one_before_answers() -> None:
    first = [running(n, "1", ready=False) for n in (0, 1)]

    assert to_replace(replicas(*first, old(0, "0"), old(1, "0")), OURS, 2).act is Act.NOTHING
    assert to_replace(replicas(old(0, "0"), old(1, "0")), OURS, 2).act is Act.NOTHING


def test_what_answers_nobody_makes_way_at_once() -> None:
    idle = [old(n, g, ready=False) for g in "01" for n in (0, 1)]

    step = to_replace(replicas(*idle, *(old(n, "2") for n in (0, 1))), OURS, 3)

    assert (step.act, {pod.group for pod in step.pods}) == (Act.REPLACE, {"0", "1"})


def test_leaderworkerset_rolls_out_by_itself() -> None:
    assert to_replace(replicas(old(0, "0"), old(1, "0")), LWS, 1).act is Act.NOTHING


def test_replicas_are_in_the_order_of_their_numbers() -> None:
    pods = [running(0, group) for group in ("10", "9", "2")]

    assert list(replicas_of([*pods, running(0, "3", phase="Failed")])) == ["2", "9", "10"]


# -- told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (0, "none of these places is free now"),
        (1, "1 of these places is free now"),
        (2, "2 of these places are free now"),
    ],
)
def test_a_held_replica_says_what_it_takes_and_what_is_free(places: int, told: str) -> None:
    sentence = say_held([gated(n, "3") for n in range(3)], places)

    assert sentence.startswith("Replica 3 takes 8 x nvidia.com/gpu on each of 3 nodes at once")
    assert told in sentence
