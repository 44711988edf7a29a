"""JSON schema as pydantic writes it -> the structural schema that a CRD must have.

Pydantic's schema has ``$ref``, ``title``, ``anyOf`` with null and nested defaults, all of which
the API server refuses or misreads. It also demands a bound for every string, list and map, else
its estimate of what a CEL rule may cost refuses the CRD; a missing bound is an error here.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

JsonSchema: TypeAlias = dict[str, Any]

_RULES = "x-kubernetes-validations"

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    _RULES,
)
"""What is taken over as it is, in the order in which it is written."""

_INT32_MAX = 2**31 - 1

_LARGEST_BOUND = 2**53 - 1
"""The API server reads bounds as floating point: a larger one is rounded beyond int64 and then
refuses every value ("Maximum boundary value must be of type integer", seen with 1.37)."""


def structural(schema: JsonSchema, *, with_defaults: bool = True) -> JsonSchema:
    """Convert the schema of a whole document.

    Args:
        schema: as ``model_json_schema(by_alias=True)`` returns it.
        with_defaults: whether the API server shall fill in defaults (of a specification: yes).

    Raises:
        ValueError: something is not bounded, or has a form that no structural schema can have.
    """
    return _Conversion(schema.get("$defs", {}), with_defaults=with_defaults).convert(schema, "")


class _Conversion:
    """One conversion: the shared definitions, and whether defaults are wanted."""

    def __init__(self, definitions: JsonSchema, *, with_defaults: bool) -> None:
        self._definitions = definitions
        self._with_defaults = with_defaults

    def convert(self, schema: JsonSchema, path: str) -> JsonSchema:
        source = self._inlined(schema)
        result = {key: source[key] for key in _KEPT if key in source}
        if "description" in result:
            result["description"] = in_one_line(result["description"])
        self._add_default(result, source)
        match source.get("type"):
            case "object":
                self._add_members(result, source, path)
            case "array":
                result["items"] = self.convert(source["items"], f"{path}[]")
                result.setdefault("x-kubernetes-list-type", "atomic")
            case "integer":
                small = source.get("maximum", _INT32_MAX + 1) <= _INT32_MAX
                result["format"] = "int32" if small else "int64"
            case _:
                pass
        _refuse_unbounded(result, path)
        return result

    def _inlined(self, schema: JsonSchema) -> JsonSchema:
        """Follow ``$ref`` and drop the null of an optional field; what stands outside wins."""
        outer = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
        inner: JsonSchema = {}
        if "$ref" in schema:
            inner = self._inlined(self._definitions[schema["$ref"].rpartition("/")[2]])
        elif "anyOf" in schema:
            inner = self._inlined(_without_null(schema["anyOf"]))
        rules = [*inner.get(_RULES, []), *outer.get(_RULES, [])]
        merged = {**inner, **outer}
        if rules:
            merged[_RULES] = [_in_order(rule) for rule in rules]
        return merged

    def _add_default(self, result: JsonSchema, source: JsonSchema) -> None:
        """Write scalar defaults; an object's is ``{}``, which its fields' own then fill."""
        default = source.get("default")
        if not self._with_defaults or default is None or default == []:
            return
        result["default"] = {} if isinstance(default, dict) else default

    def _add_members(self, result: JsonSchema, source: JsonSchema, path: str) -> None:
        if "properties" in source:
            result["properties"] = {
                name: self.convert(member, f"{path}.{name}")
                for name, member in source["properties"].items()
            }
        elif isinstance(source.get("additionalProperties"), dict):
            values = source["additionalProperties"]
            result["additionalProperties"] = self.convert(values, f"{path}{{}}")


def _in_order(rule: dict[str, str]) -> dict[str, str]:
    """Undo pydantic's sorting of keys: a rule first, then what it says."""
    return {key: rule[key] for key in ("rule", "message", "fieldPath") if key in rule}


def _without_null(choices: list[JsonSchema]) -> JsonSchema:
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) != 1:
        raise ValueError(f"a structural schema has no choice between types: {choices}")
    return others[0]


def _refuse_unbounded(schema: JsonSchema, path: str) -> None:
    bounded = {
        "string": {"maxLength", "enum", "format"},
        "array": {"maxItems"},
        "integer": {"maximum"},
        "boolean": {"type"},
        "number": {"type"},
        "object": {"properties", "maxProperties", "x-kubernetes-preserve-unknown-fields"},
        None: {"x-kubernetes-int-or-string"},
    }
    kind = schema.get("type")
    if not bounded.get(kind, set()) & set(schema):
        raise ValueError(f"{path or 'the document'}: a {kind} without a bound")
    if schema.get("maximum", 0) > _LARGEST_BOUND:
        raise ValueError(f"{path}: a bound above 2**53 - 1 does not work")


def in_one_line(text: str) -> str:
    r"""Join the lines of a docstring's paragraphs; ``kubectl explain`` wraps them itself.

    >>> in_one_line("One\n    two.\n\nThree.")
    'One two.\n\nThree.'
    """
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
