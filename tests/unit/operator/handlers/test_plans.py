"""The planner is asked once for equal questions about the same hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.handlers.plans import PlanCache
from qwen3_planner.inventory.hardware import Inventory
from qwen3_planner.request import PlanRequest

if TYPE_CHECKING:
    from qwen3_planner.plan import PlanResult


class Counting:
    """Stands for the planner; every answer is told apart."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: PlanRequest, _inventory: Inventory) -> PlanResult:
        self.asked.append(request.model)
        answer: Any = f"{request.model} #{len(self.asked)}"
        return answer


def test_equal_questions_are_answered_once_and_other_hardware_is_another_question() -> None:
    planner = Counting()
    outcomes: list[str] = []
    ask = PlanCache(planner, lambda outcome, _seconds: outcomes.append(outcome))
    here, there = Inventory(()), Inventory(())
    first = ask(PlanRequest("Qwen3-32B"), here)
    assert ask(PlanRequest("Qwen3-32B"), here) is first
    assert ask(PlanRequest("Qwen3-32B"), there) is not first
    assert ask(PlanRequest("Qwen3-8B"), here) is not first
    assert planner.asked == ["Qwen3-32B", "Qwen3-32B", "Qwen3-8B"]
    assert outcomes == ["infeasible", "remembered", "infeasible", "infeasible"]


def test_the_oldest_answer_goes_when_there_are_too_many() -> None:
    planner = Counting()
    ask = PlanCache(planner, lambda _outcome, _seconds: None, size=2)
    hardware = Inventory(())
    for model in ("a", "b", "a", "c", "a", "b"):
        ask(PlanRequest(model), hardware)
    assert planner.asked == ["a", "b", "c", "b"]
