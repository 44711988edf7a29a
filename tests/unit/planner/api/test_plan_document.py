from __future__ import annotations

from typing import Any

import pytest

from qwen3_planner.api.crd import custom_resource_definition
from qwen3_planner.api.plan_document import PlanDocument
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.request import Adapter
from support.real_plans import status_plan

A_PLAN = status_plan(
    "Qwen3-32B", "2xH100-SXM-80GB", adapters=(Adapter("a", "hf://team/a", rank=8),)
)
NO_PLAN = status_plan("Qwen3-235B-A22B", "4xA100-SXM-80GB", "bf16")
UNDESCRIBED = {"schema"}
"""One constant; and a field of that name would hide a method of the models."""


def aliases(model: Any) -> set[str]:  # noqa: ANN401 - a pydantic model class
    return {field.alias for field in model.model_fields.values()}


@pytest.mark.parametrize("document", [A_PLAN, NO_PLAN], ids=["feasible", "infeasible"])
def test_what_the_planner_writes_is_what_is_described(document: dict[str, Any]) -> None:
    read = PlanDocument.model_validate(document, by_alias=True, by_name=False)

    assert set(document) - aliases(PlanDocument) == UNDESCRIBED
    assert read.feasible is document["feasible"]


def test_every_field_that_is_described_is_written() -> None:
    assert aliases(PlanDocument) <= set(A_PLAN) | set(NO_PLAN)


@pytest.mark.parametrize(
    "part", ["model", "engine", "layout", "placement", "memory", "performance", "cost", "lora"]
)
def test_every_part_that_is_described_is_written(part: str) -> None:
    described = PlanDocument.model_validate(A_PLAN, by_alias=True, by_name=False)

    assert aliases(type(getattr(described, part))) <= set(A_PLAN[part])


def test_nothing_of_a_plan_is_ever_pruned() -> None:
    crd = custom_resource_definition(load_catalog())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    plan = schema["properties"]["status"]["properties"]["plan"]

    def pruning(part: dict[str, Any], path: str) -> list[str]:
        own = part.get("type") == "object" and not part.get("x-kubernetes-preserve-unknown-fields")
        inner = [
            name
            for key, member in part.get("properties", {}).items()
            for name in pruning(member, f"{path}.{key}")
        ]
        items = pruning(part["items"], f"{path}[]") if "items" in part else []
        return [*([path] if own else []), *inner, *items]

    assert pruning(plan, "plan") == []
