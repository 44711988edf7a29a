"""What pods come from: the same for every release, another one when the user says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.desired.pool import Pool
from qwen3_operator.rolling.inputs import inputs_of, plan_print, spec_print
from qwen3_planner.api.conversion import parse
from support.plan_builders import make_plan

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment

POOL = Pool("H100-SXM-80GB", "nvidia.com/gpu", (("nvidia.com/gpu.product", "In", ("H100",)),))


def resource(**spec: Any) -> Qwen3Deployment:  # noqa: ANN401 - as YAML has it
    return parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": "m", "namespace": "default", "generation": 1},
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"replicas": 5}, id="scaled"),
        pytest.param({"suspend": True}, id="suspended"),
        pytest.param({"service": {"port": 80}}, id="reached otherwise"),
        pytest.param({"replan": "Never"}, id="planned otherwise from now on"),
        pytest.param({"rollout": {"surge": "Never", "onFailure": "Stay"}}, id="replaced otherwise"),
        pytest.param({"quantization": "auto", "objective": "cost"}, id="a default said aloud"),
        pytest.param({"engine": {}, "workload": {"concurrency": 1}}, id="defaults inside a part"),
    ],
)
def test_what_says_nothing_about_pods_does_not_count(spec: dict[str, Any]) -> None:
    assert spec_print(resource(**spec)) == spec_print(resource())


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(
            {"engine": {"image": "example.com/vllm:mine", "version": "0.32.0"}}, id="image"
        ),
        pytest.param({"engine": {"env": [{"name": "A", "value": "b"}]}}, id="environment"),
        pytest.param({"nodeSelector": {"zone": "a"}}, id="nodes"),
        pytest.param({"maxModelLen": 8192}, id="context"),
        pytest.param({"rollout": {"restart": "please"}}, id="a restart"),
    ],
)
def test_what_says_something_about_pods_counts(spec: dict[str, Any]) -> None:
    assert spec_print(resource(**spec)) != spec_print(resource())


def test_a_specification_has_the_print_it_had_in_earlier_releases() -> None:
    wished = resource(maxModelLen=8192, quantization="bf16", nodeSelector={"zone": "a"})

    assert spec_print(resource()) == "84e315550c834b83"
    assert spec_print(wished) == "5e10e855b4bea59d"


def test_the_same_plan_with_other_figures_or_another_command_is_the_same() -> None:
    plan = make_plan()
    told_otherwise = replace(
        plan, command=(*plan.command, "--new-flag"), warnings=("new",), usd_per_hour=1.0
    )

    assert plan_print(told_otherwise, POOL) == plan_print(plan, POOL)


def test_another_plan_or_pool_is_another() -> None:
    plan = make_plan()
    prints = {
        plan_print(plan, POOL),
        plan_print(replace(plan, quantization="fp8-static"), POOL),
        plan_print(replace(plan, max_model_len=1234), POOL),
        plan_print(plan, replace(POOL, requirements=())),
    }

    assert len(prints) == 4


def test_both_prints_are_the_inputs() -> None:
    inputs = inputs_of(resource(), make_plan(), POOL)

    assert inputs == (spec_print(resource()), plan_print(make_plan(), POOL))
