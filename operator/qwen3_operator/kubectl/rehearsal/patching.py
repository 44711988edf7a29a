"""Patches as the API server takes them: JSON patch (RFC 6902) and merge patch (RFC 7386)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFLICT = 409


def patched(raw: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an object changed by a JSON patch.

    >>> patched({"a": {"b": [1]}}, [{"op": "add", "path": "/a/b/-", "value": 2},
    ...                             {"op": "add", "path": "/c", "value": 3}])
    {'a': {'b': [1, 2]}, 'c': 3}

    Raises:
        ClusterError: a test fails, or there is nothing at a path.
    """
    new: dict[str, Any] = copy.deepcopy(dict(raw))
    for operation in operations:
        *steps, last = [_unescaped(step) for step in operation["path"].split("/")[1:]]
        holder: Any = new
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        _do(operation, holder, last)
    return new


def _do(operation: Mapping[str, Any], holder: Any, last: str) -> None:  # noqa: ANN401 - any JSON
    place: Any = last
    if isinstance(holder, list):
        place = len(holder) if last == "-" else int(last)
    value = operation.get("value")
    match operation["op"]:
        case "test":
            held = holder[place] if isinstance(holder, list) else holder.get(place)
            if held != value:
                raise ClusterError(CONFLICT, "Conflict", f"{operation['path']} is not {value}")
        case "remove":
            del holder[place]
        case "add" if isinstance(holder, list):
            holder.insert(place, value)
        case _:
            holder[place] = value


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def merged(raw: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object changed by a merge patch; None takes a field away.

    >>> merged({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    new = dict(raw)
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        elif isinstance(value, dict):
            held = new.get(name)
            new[name] = merged(held if isinstance(held, dict) else {}, value)
        else:
            new[name] = value
    return new
