"""Typed access to the JSON documents of a model's folder; errors name the file and the key."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from qwen3_planner.errors import SpecError

T = TypeVar("T", bool, int, float, str)


class ConfigValues:
    """One object of a ``config.json``.

    Args:
        values: the object.
        path: of the file and of the object in it, for messages.
    """

    def __init__(self, values: dict[str, Any], path: str) -> None:
        self._values = values
        self.path = path

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Return a value of that kind; whole numbers pass as fractions, never the reverse."""
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        if kind is float and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            shown = "(missing)" if value is None else json.dumps(value)
            raise SpecError(f"{self.path}: {key}", shown, f"must be a {kind.__name__}")
        return value

    def size(self, key: str, default: int | None = None) -> int:
        """Return a whole number of at least 1."""
        value = self.get(key, int, default)
        if value < 1:
            raise SpecError(f"{self.path}: {key}", value, "must be at least 1")
        return value

    def keys(self) -> tuple[str, ...]:
        """Return the keys in the document's order."""
        return tuple(self._values)

    def raw(self, key: str) -> Any:  # noqa: ANN401 - the value of a foreign document
        """Return whatever is there, or None."""
        return self._values.get(key)

    def inner(self, key: str) -> ConfigValues:
        """Return the object under a key.

        Raises:
            SpecError: there is none.
        """
        value = self._values.get(key)
        if not isinstance(value, dict):
            shown = "(missing)" if value is None else json.dumps(value)
            raise SpecError(f"{self.path}: {key}", shown, "must be an object")
        return ConfigValues(value, f"{self.path}: {key}")

    def names(self, key: str) -> tuple[str, ...]:
        """Return a list of strings; absent and null are empty."""
        value = self._values.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise SpecError(f"{self.path}: {key}", json.dumps(value), "must be a list of names")

    def refuse_unless(self, key: str, planned: object) -> None:
        """Refuse a value that the formulas do not cover; absent and null are the planned one."""
        value = self._values.get(key)
        if value not in (None, planned):
            reason = "is not planned: the formulas cover Qwen3 as published"
            raise SpecError(f"{self.path}: {key}", json.dumps(value), reason, [str(planned)])
