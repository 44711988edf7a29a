"""Pods are made anew when what they come from changes; what fails is undone once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_operator.decisions.rollout import (
    Decision,
    Failed,
    Inputs,
    Kept,
    Memory,
    Move,
    Wish,
    decide,
)

ASKED = Inputs("spec-1", "plan-1")
RUNS = Kept("made-then", ASKED, "made-then")
WORKED = Kept("made-before", Inputs("spec-0", "plan-0"), "made-before")


def look(
    wish: Wish, memory: Memory, *, is_late: bool = False, may_go_back: bool = True
) -> Decision:
    return decide(wish, memory, is_late=is_late, may_go_back=may_go_back)


def test_the_first_pods_are_made_as_they_are_rendered() -> None:
    decision = look(Wish("h1", ASKED), Memory())

    assert (decision.move, decision.plan_hash) == (Move.RENDER, "h1")


def test_another_release_that_renders_the_same_wish_differently_changes_nothing() -> None:
    decision = look(Wish("made-now", ASKED), Memory(RUNS, RUNS))

    assert (decision.move, decision.plan_hash) == (Move.KEEP, "made-then")
    assert decision.kept == Kept("made-then", ASKED, "made-now")


def test_what_is_asked_for_anew_is_made_anew() -> None:
    decision = look(Wish("made-now", Inputs("spec-2", "plan-1")), Memory(RUNS, RUNS))

    assert (decision.move, decision.plan_hash) == (Move.RENDER, "made-now")


def test_a_specification_that_changes_no_pod_changes_no_pod_after_an_upgrade_either() -> None:
    upgraded = look(Wish("made-now", ASKED), Memory(RUNS, RUNS)).kept
    wished = Inputs("spec-2", "plan-1")

    decision = look(Wish("made-now", wished), Memory(upgraded, upgraded))

    assert (decision.move, decision.plan_hash) == (Move.KEEP, "made-then")
    assert decision.kept == Kept("made-then", wished, "made-now")


def test_another_plan_for_the_same_specification_is_another_wish() -> None:
    decision = look(Wish("made-now", Inputs("spec-1", "plan-2")), Memory(RUNS, RUNS))

    assert decision.move is Move.RENDER


def test_what_misses_its_time_is_given_up_and_then_undone() -> None:
    wish = Wish("made-then", ASKED)

    given_up = look(wish, Memory(RUNS, WORKED), is_late=True)
    undone = look(wish, Memory(RUNS, WORKED, given_up.failed), is_late=True)

    assert (given_up.move, given_up.plan_hash) == (Move.GIVE_UP, "made-then")
    assert given_up.failed == Failed("made-then", ASKED)
    assert (undone.move, undone.plan_hash) == (Move.GO_BACK, "made-before")


@pytest.mark.parametrize(
    ("memory", "may_go_back"),
    [
        pytest.param(Memory(RUNS, None), True, id="nothing ever worked"),
        pytest.param(Memory(RUNS, RUNS), True, id="it is what worked last"),
        pytest.param(Memory(RUNS, WORKED), False, id="the user wants to look at it"),
    ],
)
def test_without_anything_to_return_to_what_is_late_stays(
    memory: Memory,
    may_go_back: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    decision = look(Wish("made-then", ASKED), memory, is_late=True, may_go_back=may_go_back)

    assert (decision.move, decision.failed) == (Move.KEEP, None)


FAILED = Failed("made-then", ASKED)


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(Wish("made-then", ASKED), id="the same"),
        pytest.param(Wish("made-now", ASKED), id="as another release renders it"),
        pytest.param(Wish("made-then", Inputs("spec-9", "plan-1")), id="that makes the same pods"),
        pytest.param(Wish("other", Inputs("spec-1", "plan-0")), id="with the plan that runs again"),
    ],
)
def test_what_failed_is_not_tried_again(wish: Wish) -> None:
    decision = look(wish, Memory(WORKED, WORKED, FAILED))

    assert (decision.move, decision.plan_hash) == (Move.GO_BACK, "made-before")
    assert decision.failed == replace(FAILED, inputs=Inputs(wish.inputs.spec, "plan-1"))


def test_what_failed_is_not_tried_again_by_an_upgrade_under_another_name() -> None:
    alike = Inputs("spec-9", ASKED.plan)
    before = look(Wish("made-then", alike), Memory(WORKED, WORKED, FAILED))

    after = look(Wish("rendered-anew", alike), Memory(WORKED, WORKED, before.failed))

    assert (after.move, after.plan_hash) == (Move.GO_BACK, "made-before")


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param(Inputs("spec-2", "plan-1"), id="another specification"),
        pytest.param(Inputs("spec-1", "plan-3"), id="a plan for other hardware"),
    ],
)
def test_what_failed_is_forgotten_once_something_else_is_asked_for(inputs: Inputs) -> None:
    decision = look(Wish("other", inputs), Memory(WORKED, WORKED, FAILED))

    assert decision == Decision(Move.RENDER, "other")


def test_asking_for_what_runs_again_settles_it() -> None:
    decision = look(Wish("made-before", WORKED.inputs), Memory(WORKED, WORKED, FAILED))

    assert (decision.move, decision.failed) == (Move.KEEP, None)


# -- laws, over any history ---------------------------------------------------------------------


@dataclass
class House:
    """One resource as rollouts see it: releases render, users ask, pods succeed or do not."""

    release: int = 0
    spec: int = 0
    memory: Memory = field(default_factory=Memory)
    lives: str = ""

    def wish(self) -> Wish:
        """Render as this release does; two releases never agree, some specifications do."""
        return Wish(f"r{self.release}s{self.spec // 2}", Inputs(f"spec-{self.spec}", "plan"))

    def reconcile(self, *, is_late: bool = False) -> Decision:
        wish = self.wish()
        decision = look(wish, self.memory, is_late=is_late)
        kept = decision.kept
        if decision.move is Move.RENDER:
            kept = Kept(wish.plan_hash, wish.inputs, wish.plan_hash)
        elif decision.move is Move.GO_BACK:
            kept = self.memory.working
        self.memory = replace(self.memory, current=kept, failed=decision.failed)
        self.lives = decision.plan_hash
        return decision

    def succeed(self) -> None:
        if self.memory.failed is None:
            self.memory = replace(self.memory, working=self.memory.current)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 5)),
        st.sampled_from([("upgrade", 1), ("restart", 0), ("succeed", 0), ("late", 0)]),
    ),
    max_size=30,
)


@given(EVENTS)
def test_only_asking_or_failing_replaces_pods_and_nothing_goes_to_and_fro(
    events: list[tuple[str, int]],
) -> None:
    house = House()
    house.reconcile()
    for event, value in events:
        before = house.lives
        if event == "ask":
            house.spec = value
        elif event == "upgrade":
            house.release += value
        elif event == "succeed":
            house.succeed()
        for turn in range(3):
            house.reconcile(is_late=event == "late" and turn == 0)
        settled = house.lives
        house.reconcile()
        assert house.lives == settled, "a decision that is taken stays"
        if event in ("upgrade", "restart", "succeed"):
            assert settled == before, f"{event} replaces no pod"
        if event == "late" and settled != before:
            assert house.memory.working is not None
            assert settled == house.memory.working.plan_hash
        if house.memory.failed is not None:
            assert settled != house.memory.failed.plan_hash


def test_inputs_survive_being_written_down() -> None:
    assert Inputs.of(str(ASKED)) == ASKED
    assert Inputs.of("") != ASKED
