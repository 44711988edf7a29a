from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
from pydantic import Field, ValidationError

from qwen3_planner.api.schema import Matches, Rule, Struct
from qwen3_planner.api.v1alpha1 import Qwen3Deployment, Qwen3DeploymentSpec


class Pair(Struct):
    first_part: int = 0
    second_part: int = 0
    name: Annotated[str, Field(max_length=9), Matches("[a-z]+|[0-9]+", "must be tidy")] = "a"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.firstPart <= self.secondPart",
            "first is not above second",
            lambda p: p.first_part <= p.second_part,
            "firstPart",
        ),
    )


def test_a_rule_is_told_to_kubernetes_and_kept_by_python() -> None:
    schema = Pair.model_json_schema(by_alias=True)

    assert schema["x-kubernetes-validations"] == [
        {
            "rule": "self.firstPart <= self.secondPart",
            "message": "first is not above second",
            "fieldPath": ".firstPart",
        }
    ]
    assert Pair(first_part=1, second_part=1)
    with pytest.raises(ValidationError, match="first is not above second"):
        Pair(first_part=2, second_part=1)


@pytest.mark.parametrize("text", ["a1", "a\n", "", "A", "1a"])
def test_a_pattern_holds_from_end_to_end_for_each_of_its_choices(text: str) -> None:
    with pytest.raises(ValidationError, match="must be tidy"):
        Pair(name=text)


def test_a_pattern_is_told_to_kubernetes_with_its_words() -> None:
    rules = Pair.model_json_schema()["properties"]["name"]["x-kubernetes-validations"]

    assert rules == [{"rule": "self.matches(r'^([a-z]+|[0-9]+)$')", "message": "must be tidy"}]


def test_a_resource_cannot_be_changed_once_it_is_read() -> None:
    resource = Qwen3Deployment.model_validate(
        {"metadata": {"name": "q"}, "spec": {"model": {"variant": "Qwen3-8B"}}}
    )

    with pytest.raises(ValidationError, match="frozen"):
        resource.spec.replicas = 2  # type: ignore[misc] - what is tested


def test_what_is_absent_is_not_written() -> None:
    spec = Qwen3DeploymentSpec.model_validate({"model": {"variant": "Qwen3-8B"}})

    assert spec.to_kubernetes()["model"] == {"variant": "Qwen3-8B"}
    assert "affinity" not in spec.to_kubernetes()
