"""The CustomResourceDefinition, made from the models. Pure and deterministic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.api.legality import legality_rules
from qwen3_planner.api.plan_document import PlanDocument
from qwen3_planner.api.schema import VALIDATIONS
from qwen3_planner.api.status import NOT_SEEN, Qwen3DeploymentStatus
from qwen3_planner.api.structural import JsonSchema, in_one_line, structural
from qwen3_planner.api.v1alpha1 import (
    GROUP,
    KIND,
    PLURAL,
    SHORT_NAME,
    SINGULAR,
    VERSION,
    Qwen3Deployment,
    Qwen3DeploymentSpec,
)

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog

CRD_NAME = f"{PLURAL}.{GROUP}"

_READY = '.status.conditions[?(@.type=="Ready")]'

PRINTER_COLUMNS: tuple[tuple[str, str, str, str, int], ...] = (
    ("Model", "string", ".spec.model.variant", "Variant of the model.", 0),
    ("Engine", "string", ".status.plan.engine.name", "Planned model server.", 0),
    ("Quant", "string", ".status.plan.quantization", "Planned format of the weights.", 0),
    ("Layout", "string", ".status.layout", "Planned spread of one replica over GPUs.", 0),
    ("Ready", "string", f"{_READY}.status", "Whether every wanted replica answers.", 0),
    ("Reason", "string", f"{_READY}.reason", "Why it is ready or not.", 0),
    ("Replicas", "string", ".status.available", "Replicas that answer of those wanted.", 0),
    ("Age", "date", ".metadata.creationTimestamp", "Time since it was created.", 0),
    ("URL", "string", ".status.endpoint", "Where clients reach the API.", 1),
    ("Context", "integer", ".status.plan.maxModelLen", "Longest sequence in tokens.", 1),
    ("GPU", "string", ".status.gpu", "GPUs of one replica.", 1),
    ("Memory", "string", ".status.memory", "Planned memory of the fullest GPU.", 1),
)
"""Name, type, JSONPath, description and priority (1: only with ``-o wide``)."""


def custom_resource_definition(catalog: Catalog) -> dict[str, Any]:
    """Make the CRD; the catalog's shapes become rules of the API server.

    Raises:
        ValueError: a model has a field that a CRD cannot express or that has no bound.
    """
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD_NAME},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": ["all"],
            },
            "versions": [_version(catalog)],
        },
    }


def _version(catalog: Catalog) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _document_schema(catalog)},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [_column(*column) for column in PRINTER_COLUMNS],
    }


def _column(name: str, kind: str, path: str, description: str, priority: int) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "jsonPath": path,
        "description": description,
        "priority": priority,
    }


def _document_schema(catalog: Catalog) -> JsonSchema:
    spec = structural(Qwen3DeploymentSpec.model_json_schema(by_alias=True))
    spec[VALIDATIONS] = [*spec.get(VALIDATIONS, []), *legality_rules(catalog.models)]
    return {
        "description": in_one_line(Qwen3Deployment.__doc__ or ""),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _status_schema(),
        },
        VALIDATIONS: [rule.as_validation() for rule in Qwen3Deployment.rules],
    }


def _status_schema() -> JsonSchema:
    """Describe the status; the plan in it is a free document whose main fields are described."""
    status = structural(Qwen3DeploymentStatus.model_json_schema(by_alias=True), with_defaults=False)
    plan = structural(PlanDocument.model_json_schema(by_alias=True), with_defaults=False)
    status["properties"]["plan"] = {**plan, **status["properties"]["plan"]}
    return {"default": {"observedGeneration": NOT_SEEN}, **status}
