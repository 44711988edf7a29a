"""What the status and the Events say of scaling, where it was asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.scaling.sleeping import ASLEEP
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.observed import Key
from qwen3_operator.status import Facts, derive, events
from qwen3_planner.api.conversion import parse, parse_status
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus, Qwen3DeploymentStatus

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
KEY = Key("team-a", "m")
LIMITED = Finding(ConditionStatus.TRUE, Verdict(Reason.SCALING_LIMITED, "More than 2."))
ON_TARGET = Finding(ConditionStatus.TRUE, Verdict(Reason.SCALING_ON_TARGET, "2 replicas."))
SLOW = Finding(ConditionStatus.FALSE, Verdict(Reason.METRICS_TOO_SLOW, "Not within 5 s."))
LEFT = Finding(ConditionStatus.FALSE, Verdict(Reason.SCALING_DELEGATED, "An HPA decides."))


def facts(finding: Finding | None, **spec: Any) -> Facts:  # noqa: ANN401 - JSON
    wish = {"maxReplicas": 4}
    resource = parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": KEY.name, "namespace": KEY.namespace},
            "spec": {"model": {"variant": "Qwen3-32B"}, "scaling": wish, **spec},
        }
    )
    return Facts(key=KEY, generation=1, resource=resource, scaling=finding)


def conditions(given: Facts) -> dict[str, dict[str, str]]:
    document = derive(given, Qwen3DeploymentStatus(), NOW)
    return {condition["type"]: condition for condition in document["conditions"]}


def test_a_resource_that_does_not_scale_says_nothing_about_it() -> None:
    assert "ScalingActive" not in conditions(facts(None, scaling=None))


def test_before_anything_runs_scaling_waits() -> None:
    told = conditions(facts(None))["ScalingActive"]
    assert (told["status"], told["reason"]) == ("Unknown", "Pending")


@pytest.mark.parametrize("finding", [LIMITED, ON_TARGET, SLOW, LEFT])
def test_what_was_found_is_told_and_makes_nothing_unready(finding: Finding) -> None:
    told = conditions(facts(finding))
    assert told["ScalingActive"]["status"] == finding.status.value
    assert told["ScalingActive"]["message"] == finding.verdict.message
    without = conditions(facts(ON_TARGET))
    assert told["Ready"] == without["Ready"]


def test_a_model_that_sleeps_says_how_it_wakes() -> None:
    given = facts(Finding(ConditionStatus.TRUE, ASLEEP), replicas=0)
    ready = conditions(given)["Ready"]
    assert (ready["status"], ready["reason"]) == ("True", "ScaledToZero")
    assert "wakeQuery" in ready["message"]
    notes = events(Qwen3DeploymentStatus(), derive(given, Qwen3DeploymentStatus(), NOW))
    asleep = [note for note in notes if note.reason == "ScaledToZero"]
    assert [note.type for note in asleep] == ["Normal"], "told once, and no warning"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(ON_TARGET, SLOW, [("Warning", "MetricsTooSlow")], id="metrics fail"),
        pytest.param(SLOW, SLOW, [], id="they still fail"),
        pytest.param(SLOW, ON_TARGET, [], id="all is well again"),
        pytest.param(ON_TARGET, LIMITED, [("Normal", "ScalingLimited")], id="a limit is reached"),
        pytest.param(ON_TARGET, LEFT, [("Normal", "ScalingDelegated")], id="somebody else decides"),
    ],
)
def test_what_changes_is_an_event_once(
    before: Finding, after: Finding, told: list[tuple[str, str]]
) -> None:
    earlier = derive(facts(before), Qwen3DeploymentStatus(), NOW)
    previous = parse_status({"status": earlier})
    notes = events(previous, derive(facts(after), previous, NOW))
    assert [(note.type, note.reason) for note in notes] == told
