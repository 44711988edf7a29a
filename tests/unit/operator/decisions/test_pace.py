"""A new replica comes first only while there surely is room for it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.decisions.pace import Pace, Spare, choose_pace, is_replacing
from support.values import amount, pod

if TYPE_CHECKING:
    from qwen3_operator.observed import Pod


def old(name: str, *, terminating: bool = False) -> Pod:
    return pod(name, amount(2), node="n", owner="m", plan_hash="old", terminating=terminating)


def new(name: str, *, node: str | None = "n") -> Pod:
    return pod(name, amount(2), node=node, owner="m", plan_hash="new")


def pace(pods: list[Pod], spare: int, wanted: int = 2, *, fits_in_place: bool = True) -> Pace:
    return choose_pace(pods, "new", wanted, Spare(spare, fits_in_place))


def test_with_a_spare_replicas_gpus_the_new_one_comes_first() -> None:
    assert pace([old("a"), old("b")], spare=1) is Pace.NEW_FIRST


def test_on_a_full_cluster_an_old_one_goes_first() -> None:
    assert pace([old("a"), old("b")], spare=0) is Pace.OLD_FIRST


def test_the_new_one_that_has_its_node_needs_no_more_room() -> None:
    assert pace([old("a"), old("b"), new("c")], spare=0) is Pace.NEW_FIRST


def test_when_somebody_takes_the_room_before_the_new_one_is_there_an_old_one_goes() -> None:
    assert pace([old("a"), old("b"), new("c", node=None)], spare=0) is Pace.OLD_FIRST


def test_what_is_leaving_gives_its_room_to_the_next() -> None:
    pods = [old("a", terminating=True), old("b"), new("c"), new("d", node=None)]

    assert pace(pods, spare=0) is Pace.NEW_FIRST


def test_where_new_ones_do_not_fit_in_place_all_of_them_need_room() -> None:
    assert pace([old("a"), old("b")], spare=1, fits_in_place=False) is Pace.OLD_FIRST
    assert pace([old("a"), old("b")], spare=2, fits_in_place=False) is Pace.NEW_FIRST
    assert pace([old("a"), old("b"), new("c")], spare=1, fits_in_place=False) is Pace.NEW_FIRST


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param([], id="nothing runs"),
        pytest.param([new("a"), new("b")], id="all are new"),
        pytest.param([new("a"), new("b"), old("c", terminating=True)], id="the last one leaves"),
    ],
)
def test_without_a_rollout_the_pace_is_always_the_same(pods: list[Pod]) -> None:
    assert not is_replacing(pods, "new")
    assert pace(pods, spare=5) is Pace.OLD_FIRST


def rolls_out(wanted: int, slots: int, taken_after: int | None) -> tuple[bool, int]:
    """Play a rollout on `slots` slots; somebody takes a free one after some steps.

    Returns:
        Whether all replicas are new in the end, and the fewest that answered meanwhile.
    """
    olds, loading, fresh, pending = wanted, 0, 0, 0
    fewest = wanted
    for step in range(20 * wanted):
        free = slots - olds - loading - fresh
        if step == taken_after and free > 0:
            slots, free = slots - 1, free - 1
        pods = [old(f"o{i}") for i in range(olds)]
        pods += [new(f"n{i}") for i in range(loading + fresh)]
        pods += [new(f"p{i}", node=None) for i in range(pending)]
        first = pace(pods, spare=max(0, free), wanted=wanted) is Pace.NEW_FIRST
        surge, unavailable = (1, 0) if first else (0, 1)
        # What the Deployment controller does (k8s.io/kubernetes pkg/controller/deployment).
        if olds and olds + fresh - (wanted - unavailable) > 0:
            olds -= 1
        pending += max(0, wanted + surge - olds - loading - fresh - pending) and 1
        pending = min(pending, wanted - loading - fresh)
        fresh, loading = fresh + loading, 0
        if pending and slots - olds - loading - fresh > 0:
            pending, loading = pending - 1, loading + 1
        fewest = min(fewest, olds + fresh)
    return fresh == wanted and not olds, fewest


@pytest.mark.parametrize(
    ("wanted", "spare", "taken_after"),
    [*product((1, 2, 3, 5), (0, 1, 2), (None, 0, 1, 2, 3))],
)
def test_a_rollout_ends_and_never_has_more_than_one_replica_fewer(
    wanted: int, spare: int, taken_after: int | None
) -> None:
    ended, fewest = rolls_out(wanted, wanted + spare, taken_after)

    assert ended
    assert fewest >= wanted - 1
    if spare and taken_after is None:
        assert fewest == wanted
