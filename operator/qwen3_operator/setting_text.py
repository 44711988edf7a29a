"""Settings as text: what files, the environment and flags say, as plain values. Pure."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

import yaml

from qwen3_operator.errors import SpecError

ENVIRONMENT_PREFIX = "QWEN3_OPERATOR_"
"""``QWEN3_OPERATOR_WORKERS=4`` sets ``workers``; lists are separated by commas."""

ANY_REGISTRY = "*"
"""Stands for every registry that ``image_registries`` does not name."""

ANY_ACCOUNT = "*"
"""Stands for every ServiceAccount of a namespace."""


class PodLevel(StrEnum):
    """Levels of the Pod Security Standards, the strictest first."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"


LISTS = frozenset(
    {
        "amd_groups",
        "host_path_folders",
        "image_pull_secrets",
        "namespaces",
        "near_labels",
        "pod_template_accounts",
        "prometheus_namespaces",
    }
)
LABELS = frozenset({"image_registries", "pod_labels", "pod_monitor_labels", "prometheus_labels"})
"""Settings that are lists, and those that are pairs, in the environment with commas between."""


def values_in(text: str | None) -> dict[str, Any]:
    """Read a settings file; none says nothing.

    Raises:
        SpecError: it is no YAML, or no mapping.
    """
    if text is None:
        return {}
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError("settings file", "", f"not YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SpecError("settings file", type(values).__name__, "must be a mapping")
    return {str(name): value for name, value in values.items()}


def value_of(name: str, text: str) -> object:
    """Read one setting as the environment has it.

    Raises:
        SpecError: the text is not of the form that this setting has.
    """
    if name in LISTS:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name == "images":
        return parse_images(text.split(","))
    if name in LABELS:
        return parse_labels(text.split(","), ENVIRONMENT_PREFIX + name.upper())
    if name == "growing_pools":
        return _from_json(name, text)
    return text


def _from_json(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SpecError(ENVIRONMENT_PREFIX + name.upper(), text, f"not JSON: {error}") from None


def parse_labels(pairs: list[str] | tuple[str, ...], field: str) -> dict[str, str]:
    """Read ``key=value`` pairs; ``field`` is where they were given.

    >>> parse_labels(["release=prometheus", ""], "--pod-monitor-label")
    {'release': 'prometheus'}

    Raises:
        SpecError: where there is no ``=``.
    """
    labels = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if pair.strip() and not (equals and key.strip()):
            raise SpecError(field, pair, "must be key=value")
        if equals:
            labels[key.strip()] = value.strip()
    return labels


def parse_images(assignments: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Read ``engine=image`` pairs.

    >>> parse_images(["vllm=registry.local/vllm:v{version}"])
    {'vllm': 'registry.local/vllm:v{version}'}

    Raises:
        SpecError: where there is no ``=``.
    """
    images = {}
    for assignment in assignments:
        engine, equals, image = assignment.partition("=")
        if not equals or not engine.strip() or not image.strip():
            raise SpecError("--image", assignment, "must be engine=image")
        images[engine.strip()] = image.strip()
    return images
