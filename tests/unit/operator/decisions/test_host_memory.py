"""Who was killed for its memory is told what it may use and which limit helps."""

from __future__ import annotations

import pytest

from qwen3_operator.decisions.failures import explain_pod
from qwen3_operator.decisions.host_memory import advice, with_advice
from qwen3_planner.api.reasons import Reason
from qwen3_planner.units import GIB
from support.values import amount, pod


@pytest.mark.parametrize(
    ("limit_gib", "planned_gib", "words"),
    [
        pytest.param(4, 10, "leave spec.resources.limits.memory out, or set 10Gi", id="too small"),
        pytest.param(10, 10, "set spec.resources.limits.memory to 15Gi", id="as planned"),
        pytest.param(20, 10, "set spec.resources.limits.memory to 30Gi", id="more than planned"),
        pytest.param(0, 10, "more host memory than its node has", id="no limit"),
        pytest.param(4, None, "Raise spec.resources.limits.memory", id="no plan"),
    ],
)
def test_the_limit_that_helps_follows_from_the_plan(
    limit_gib: int, planned_gib: int | None, words: str
) -> None:
    assert words in advice(limit_gib * GIB, planned_gib and planned_gib * GIB)


def test_only_pods_that_were_killed_for_it_are_advised() -> None:
    killed = pod("a", amount(1), problem="OOMKilled", phase="Running")
    crashed = pod("b", amount(1), problem="CrashLoopBackOff", problem_message="exit code 1")

    told = with_advice((killed, crashed), 10 * GIB)

    found = explain_pod(told[0])
    assert found is not None
    assert found[1].reason is Reason.CONTAINER_OOM_KILLED
    assert "The planner counts 10.0 GiB" in found[1].message
    assert told[1] == crashed
