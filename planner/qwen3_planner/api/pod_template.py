"""The escape hatch: a part of a pod template that is merged into what the operator makes.

What the plan decides, or what has a field of its own that the planner reads, is refused here with
the name of the field and of the one to use: a pod that differs from its plan behind the planner's
back would be promised GPUs that it does not take, or the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from qwen3_planner.api.schema import RULE_ERROR, Labels, Struct
from qwen3_planner.api.surroundings import (
    Annotations,  # noqa: TC001 - pydantic evaluates annotations
)

ENGINE_CONTAINER: Final = "engine"
"""Name of the container with the model server."""

WEIGHTS_VOLUME: Final = "weights"

OWN_PREFIX: Final = "serving.qwen3.dev/"

_OWN_LABELS: Final = frozenset({"app.kubernetes.io/name", "app.kubernetes.io/instance"})
"""Of the selector, which finds the pods again."""

_GPU_VENDORS: Final = ("nvidia.com/", "amd.com/", "gpu.intel.com/")

_ELSEWHERE: Final = {
    "nodeName": "pods choose nodes by labels: use spec.nodeSelector",
    "nodeSelector": "the planner has to know it: use spec.nodeSelector",
    "affinity": "the planner has to know it: use spec.affinity",
    "tolerations": "the planner has to know them: use spec.tolerations",
    "priority": "it decides who gets GPUs first: use spec.priorityClassName",
    "priorityClassName": "it decides who gets GPUs first: use spec.priorityClassName",
    "runtimeClassName": "use spec.runtimeClassName",
    "schedulerName": "use spec.schedulerName",
    "imagePullSecrets": "use spec.imagePullSecrets",
    "restartPolicy": "a model server is always started again",
    "schedulingGates": "the operator sets and lifts them itself",
    "$patch": "the template cannot be replaced as a whole",
}
"""Fields of the pod that are not the template's, and why or where instead."""

_ENGINE_ELSEWHERE: Final = {
    "image": "use spec.engine.image",
    "command": "the plan decides the command",
    "args": "the plan decides them: use spec.engine.extraArgs for more",
    "env": "use spec.engine.env",
    "$patch": "the engine's container cannot be replaced or deleted",
}

_HOST_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")


class PodTemplateMetadata(Struct):
    """Labels and annotations of the pods."""

    labels: Labels | None = None
    """Labels beside the operator's own. Default: none."""

    annotations: Annotations | None = None
    """Annotations. Default: none. Example: {reloader.stakater.com/auto: "true"}."""


class PodTemplate(Struct):
    """Anything else about the pods, merged into what the operator makes of them."""

    metadata: PodTemplateMetadata | None = None
    """Labels and annotations of the pods."""

    spec: (
        Annotated[
            dict[str, Any],
            Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True}),
        ]
        | None
    ) = None
    """A part of a pod's spec, merged as kubectl's strategic merge patch does: lists of containers,
    volumes, mounts and the like by their names. The engine's container is called engine. What the
    plan decides, and what has a field of its own in this resource, is refused."""

    @field_validator("metadata")
    @classmethod
    def _leaves_our_names_alone(
        cls, metadata: PodTemplateMetadata | None
    ) -> PodTemplateMetadata | None:
        for field, names in (
            ("labels", (metadata and metadata.labels) or {}),
            ("annotations", (metadata and metadata.annotations) or {}),
        ):
            for name in names:
                if name.startswith(OWN_PREFIX) or name in _OWN_LABELS:
                    raise _refusal(field, f"{name} is the operator's: by it pods are found again")
        return metadata

    @field_validator("spec")
    @classmethod
    def _overrides_no_plan(cls, spec: dict[str, Any] | None) -> dict[str, Any] | None:
        for field, reason in _refusals(spec or {}):
            raise _refusal(field, reason)
        return spec


def _refusal(field: str, reason: str) -> PydanticCustomError:
    """Say what is refused; conversion adds the path of the struct before the field."""
    return PydanticCustomError(RULE_ERROR, "{message}", {"message": reason, "field": field})


def _refusals(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find what may not be overridden: its path within the spec, and why."""
    for name, reason in _ELSEWHERE.items():
        if name in spec:
            yield name, reason
    if not isinstance(spec.get("containers", []), list):
        yield "containers", "must be a list"
    for group in ("containers", "initContainers"):
        for path, container in _entries(spec, group):
            yield from _container_refusals(path, container)
    for path, volume in _entries(spec, "volumes"):
        if volume.get("name") == WEIGHTS_VOLUME:
            yield f"{path}.name", "the weights are where spec.model.source and spec.cache say"


def _entries(spec: Mapping[str, Any], group: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through a list of objects; anything else is refused when it is merged."""
    entries = spec.get(group)
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield f"{group}.{index}", entry


def _container_refusals(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    is_engine = container.get("name") == ENGINE_CONTAINER
    if container.get("$patch") == "replace" and path.startswith("containers."):
        yield f"{path}.$patch", _ENGINE_ELSEWHERE["$patch"]
    if is_engine:
        for name, reason in _ENGINE_ELSEWHERE.items():
            if name in container:
                yield f"{path}.{name}", reason
        for port_path, port in _entries(container, "ports"):
            if port.get("name") == "http":
                yield f"{path}.{port_path}.name", "the engine's port is the plan's"
    for kind, name in _amounts(container):
        if name.startswith(_GPU_VENDORS):
            yield f"{path}.resources.{kind}", f"{name} is counted by the plan"
        if is_engine and name in _HOST_RESOURCES:
            yield f"{path}.resources.{kind}", f"{name}: use spec.resources.{kind}"


def _amounts(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Go through what a container requests and is limited to, by name."""
    resources = container.get("resources")
    for kind in ("requests", "limits"):
        amounts = resources.get(kind) if isinstance(resources, Mapping) else None
        for name in amounts if isinstance(amounts, Mapping) else ():
            yield kind, str(name)
