from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.api.crd import PRINTER_COLUMNS, custom_resource_definition
from qwen3_planner.api.v1alpha1 import Qwen3Deployment
from qwen3_planner.catalog.loading import load_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def version() -> Schema:
    crd = custom_resource_definition(load_catalog())
    result: Schema = crd["spec"]["versions"][0]
    return result


@pytest.fixture(scope="module")
def document(version: Schema) -> Schema:
    result: Schema = version["schema"]["openAPIV3Schema"]
    return result


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    for name, member in schema.get("properties", {}).items():
        yield f"{path}.{name}", member
        yield from fields(member, f"{path}.{name}")
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from fields(schema["items"], f"{path}[]")


def ours(document: Schema) -> list[tuple[str, Schema]]:
    return [
        (path, schema)
        for part in ("spec", "status")
        for path, schema in fields(document["properties"][part], part)
    ]


def test_every_field_explains_itself(document: Schema) -> None:
    silent = [
        path for path, schema in ours(document) if not schema.get("description") and path[-1] != "]"
    ]

    assert silent == []


def test_every_variant_of_the_catalog_can_be_asked_for(document: Schema) -> None:
    variant = document["properties"]["spec"]["properties"]["model"]["properties"]["variant"]

    assert variant["enum"] == [model.name for model in load_catalog().models]


def test_the_default_that_is_documented_is_the_one_that_applies(document: Schema) -> None:
    told = {
        path: match.group(1)
        for path, schema in ours(document)
        if schema.get("type") != "object"
        and "default" in schema
        and (match := re.search(r"Default: ([-\w./]+?)[.,;]?( |$)", schema["description"]))
    }
    with_default = {
        path: str(schema["default"]).replace("False", "false")
        for path, schema in ours(document)
        if schema.get("type") != "object" and "default" in schema
    }

    assert told == with_default
    assert "spec.replicas" in told


def test_a_status_has_no_defaults_the_operator_would_fight(document: Schema) -> None:
    status = document["properties"]["status"]

    assert [path for path, schema in fields(status) if "default" in schema] == []
    # Always written by the operator, so never fought over: until then nobody shall think it done.
    assert status["default"] == {"observedGeneration": -1}


def test_replicas_are_always_there_for_the_scale_subresource(version: Schema) -> None:
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]

    assert spec["properties"]["replicas"]["default"] == 1
    assert version["subresources"]["scale"]["specReplicasPath"] == ".spec.replicas"


@pytest.mark.parametrize("column", PRINTER_COLUMNS, ids=lambda column: column[0])
def test_a_printer_column_shows_a_field_that_exists(
    document: Schema, column: tuple[str, str, str, str, int]
) -> None:
    path = re.sub(r"\[.*?\]", "[]", column[2].lstrip("."))
    known = {path for path, _ in ours(document)} | {"metadata.creationTimestamp"}

    assert path in known or path.startswith("status.plan.")


def test_lists_of_named_things_merge_by_name(document: Schema) -> None:
    keys = {
        path: schema["x-kubernetes-list-map-keys"]
        for path, schema in ours(document)
        if schema.get("x-kubernetes-list-type") == "map"
    }

    assert keys == {
        "spec.engine.env": ["name"],
        "spec.imagePullSecrets": ["name"],
        "spec.lora.adapters": ["name"],
        "status.conditions": ["type"],
    }


def test_every_rule_of_a_model_reaches_the_api_server(document: Schema) -> None:
    told = {rule["message"] for rule in document["x-kubernetes-validations"]}

    assert told == {rule.message for rule in Qwen3Deployment.rules}


def test_the_same_catalog_gives_the_same_definition() -> None:
    catalog = load_catalog()

    assert custom_resource_definition(catalog) == custom_resource_definition(catalog)
