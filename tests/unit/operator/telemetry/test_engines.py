"""Which pods are asked for their engine's figures."""

from __future__ import annotations

from dataclasses import replace

from qwen3_operator.telemetry.engines import sources
from support.plan_builders import make_plan
from support.values import amount, pod


def test_only_leaders_of_the_current_template_that_answer_are_asked() -> None:
    leader = replace(
        pod("leader", amount(8), node="n", ready=True, plan_hash="h"), address="10.0.0.1"
    )
    others = [
        replace(leader, uid="rank", rank=1, address="10.0.0.2"),
        replace(leader, uid="old", plan_hash="before", address="10.0.0.3"),
        replace(leader, uid="loads", ready=False, address="10.0.0.4"),
        replace(leader, uid="goes", terminating=True, address="10.0.0.5"),
        replace(leader, uid="new", address=""),
    ]

    asked = sources([leader, *others], make_plan(), "h")

    assert [each.url for each in asked] == ["http://10.0.0.1:8000/metrics"]
