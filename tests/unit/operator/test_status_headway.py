"""Those who wait for a resource learn from its conditions whether to wait on."""

from __future__ import annotations

import pytest

from qwen3_operator.status.headway import ENDS_BY_ITSELF, TRIED_FOR_A_TIME
from qwen3_planner.api.reasons import Reason
from support.standings import CURRENT, FAILED, IN_PROGRESS, Case, cases

TOLD = {
    IN_PROGRESS: {"Ready": "False", "Reconciling": "True"},
    CURRENT: {"Ready": "True"},
    FAILED: {"Ready": "False", "Stalled": "True"},
}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_conditions_say_whether_to_wait_on(case: Case) -> None:
    status, metadata = case.body["status"], case.body["metadata"]
    if status["observedGeneration"] != metadata["generation"] or "deletionTimestamp" in metadata:
        return  # told by the resource itself
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    told = {
        kind: conditions[kind]["status"]
        for kind in ("Ready", "Reconciling", "Stalled")
        if kind in conditions
    }

    if case.name == "paused before it ran":
        assert told == {"Ready": "False"}, "nothing moves, and nothing is wrong"
        return
    assert told == TOLD[case.kstatus]
    for kind in {"Reconciling", "Stalled"} & told.keys():
        same = ("reason", "message", "observedGeneration")
        assert {name: conditions[kind][name] for name in same} == {
            name: conditions["Ready"][name] for name in same
        }


def test_a_reason_is_sorted_once_and_what_is_not_sorted_needs_somebody() -> None:
    assert not ENDS_BY_ITSELF & TRIED_FOR_A_TIME
    final = set(Reason) - ENDS_BY_ITSELF - TRIED_FOR_A_TIME
    assert {
        Reason.INVALID_SPEC,
        Reason.NO_FEASIBLE_PLAN,
        Reason.INSUFFICIENT_GPU_MEMORY,
        Reason.PROGRESS_DEADLINE_EXCEEDED,
        Reason.ROLLED_BACK,
        Reason.HUB_OFFLINE,
        Reason.MODEL_SOURCE_UNAUTHORIZED,
        Reason.POD_SECURITY_DENIED,
        Reason.ADAPTER_UNUSABLE,
    } <= final
