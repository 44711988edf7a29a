"""A user's part of a pod template, merged into ours the way kubectl's strategic merge patch does.

Objects are merged field by field, lists of named things by their names, everything else is taken
from the user. ``null`` and ``$patch: delete`` take something away, ``$patch: replace`` gives
something as a whole. What may be touched at all was judged before (:mod:`qwen3_planner.api`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_planner.api.pod_template import PodTemplate

MERGE_KEYS = {
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ports": "containerPort",
    "resourceClaims": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists that are merged, and what tells their entries apart (``patchMergeKey`` in k8s.io/api
@v0.37.2 core/v1/types.go, read 2026-11-23)."""

ONE_OF = frozenset({"env", "volumes"})
"""Lists whose entries are one of several kinds: what the user does not name is dropped, as
``patchStrategy: retainKeys`` does."""

HANDLED = frozenset({"livenessProbe", "postStart", "preStop", "readinessProbe", "startupProbe"})
HANDLERS = frozenset({"exec", "grpc", "httpGet", "sleep", "tcpSocket"})
"""Objects with one of several handlers; another one takes the place of ours."""

DIRECTIVE = "$patch"
DELETE, REPLACE = "delete", "replace"

FIELD = "spec.podTemplate.spec"


def with_user_template(template: Mapping[str, Any], wanted: PodTemplate | None) -> dict[str, Any]:
    """Merge what the user wants into a pod template.

    Raises:
        SpecError: a value has another shape than what it is to be merged into.
    """
    if wanted is None:
        return dict(template)
    metadata, theirs = dict(template["metadata"]), wanted.metadata
    if theirs is not None and theirs.labels:
        metadata["labels"] = {**theirs.labels, **metadata["labels"]}
    if theirs is not None and theirs.annotations:
        metadata["annotations"] = {**theirs.annotations, **metadata.get("annotations", {})}
    spec = merged(template["spec"], wanted.spec or {}, FIELD)
    return {**template, "metadata": metadata, "spec": spec}


def merged(ours: Mapping[str, Any], theirs: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Merge an object; ``field`` says where it stands.

    >>> merged({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}, "a": None}, "")
    {'b': {'c': 2, 'd': 3}}
    """
    directive = theirs.get(DIRECTIVE)
    if directive not in (None, DELETE, REPLACE):
        choices = f"must be {DELETE} or {REPLACE}"
        raise SpecError(f"{field}.{DIRECTIVE}", directive, choices)
    result = {} if directive == REPLACE else dict(ours)
    for name, value in theirs.items():
        if name == DIRECTIVE:
            continue
        if value is None or (isinstance(value, dict) and value.get(DIRECTIVE) == DELETE):
            result.pop(name, None)
        else:
            result[name] = _merged_value(name, result.get(name), value, f"{field}.{name}")
    return result


def _merged_value(name: str, ours: object, theirs: object, field: str) -> object:
    key = MERGE_KEYS.get(name)
    if key is not None:
        entries = ours if isinstance(ours, list | tuple) else ()
        return _merged_list(key, entries, _as(list, theirs, field), field)
    if isinstance(ours, dict):
        patch = _as(dict, theirs, field)
        return merged(_without_other_handlers(name, ours, patch), patch, field)
    if isinstance(theirs, dict):
        return merged({}, theirs, field)
    return theirs


def _merged_list(
    key: str, ours: Sequence[Any], theirs: Sequence[Any], field: str
) -> list[dict[str, Any]]:
    """Merge a list of named things; ours come first, in our order."""
    entries = {} if {DIRECTIVE: REPLACE} in theirs else {entry[key]: entry for entry in ours}
    for index, entry in enumerate(theirs):
        where = f"{field}[{index}]"
        patch: dict[str, Any] = _as(dict, entry, where)
        if patch == {DIRECTIVE: REPLACE}:
            continue
        if key not in patch:
            raise SpecError(f"{where}.{key}", "(missing)", "is required: entries are merged by it")
        if patch.get(DIRECTIVE) == DELETE:
            entries.pop(patch[key], None)
            continue
        before = entries.get(patch[key], {})
        if field.rpartition(".")[2] in ONE_OF:
            before = {name: value for name, value in before.items() if name in patch}
        entries[patch[key]] = merged(before, patch, where)
    return list(entries.values())


def _without_other_handlers(
    name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Mapping[str, Any]:
    if name not in HANDLED or not HANDLERS & theirs.keys():
        return ours
    return {field: value for field, value in ours.items() if field not in HANDLERS - theirs.keys()}


def _as(shape: type, value: object, field: str) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, shape):
        noun = "a list" if shape is list else "an object with fields"
        raise SpecError(field, str(value), f"must be {noun}")
    return value
