"""The operator as a later release might be: the same wish gives another command and other pods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.__main__ import main
from qwen3_operator.desired import container, pod_template
from qwen3_planner import planning
from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from qwen3_planner.plan import PlanResult

FLAG = "--flag-of-a-newer-release"
VARIABLE = "OF_A_NEWER_RELEASE"


def render_differently() -> None:
    """Have every plan carry one more flag, and every container one more variable."""
    make_container, plan = container.make_container, planning.plan

    def make_another(*args: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401 - as it was
        made = make_container(*args, **named)
        return {**made, "env": [*made["env"], {"name": VARIABLE, "value": "1"}]}

    def plan_another(*args: Any, **named: Any) -> PlanResult:  # noqa: ANN401 - as it was
        answer = plan(*args, **named)
        if isinstance(answer, Plan):
            return replace(answer, command=(*answer.command, FLAG))
        return answer

    pod_template.make_container = make_another  # type: ignore[attr-defined] # its own name for it
    planning.plan = plan_another


if __name__ == "__main__":
    render_differently()
    main()
