"""Reference pages written from the CRD and the reasons, so that they cannot go stale. Pure."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from qwen3_planner.api.schema import VALIDATIONS
from qwen3_planner.api.structural import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTE = "<!-- Written by `make generate` from planner/qwen3_planner/api; do not edit. -->"

_OF_KUBERNETES = "spec.affinity."
"""Where objects begin that are Kubernetes' own word for word, and documented there."""


def resource_page(crd: dict[str, Any]) -> str:
    """Describe every field of the resource, one table per object, as Markdown."""
    version = crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    names = crd["spec"]["names"]
    group = crd["spec"]["group"]
    identity = (
        f"`apiVersion: {group}/{version['name']}`, `kind: {names['kind']}`, for short"
        f" `{names['shortNames'][0]}`. `kubectl explain` says the same as this page. What is left"
        " out is planned; what is given is binding."
    )
    lines = [f"# {names['kind']}", "", _NOTE, "", schema["description"], "", identity, ""]
    lines += _rules(schema, "the object")
    for part in ("spec", "status"):
        for path, struct in _structs(schema["properties"][part], part):
            if not path.startswith(_OF_KUBERNETES):
                lines += _section(path, struct)
    return "\n".join(lines).rstrip() + "\n"


def _structs(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk all objects with fields, outer before inner."""
    if "properties" in schema:
        yield path, schema
        for name, member in schema["properties"].items():
            yield from _structs(member, f"{path}.{name}")
    elif "items" in schema:
        yield from _structs(schema["items"], f"{path}[]")


def _section(path: str, struct: dict[str, Any]) -> list[str]:
    required = struct.get("required", [])
    rows = [
        f"| `{name}` | {_type(member)}{', required' if name in required else ''}"
        f" | {_cell(member.get('description', ''))} |"
        for name, member in struct["properties"].items()
    ]
    return [
        f"## {path}",
        "",
        struct.get("description", ""),
        "",
        "| field | type | meaning |",
        "|---|---|---|",
        *rows,
        "",
        *_rules(struct, path),
    ]


def _rules(struct: dict[str, Any], path: str) -> list[str]:
    """List the rules of an object and of its plain fields; inner objects have their own."""
    lines = [f"- {_cell(rule['message'])}" for rule in struct.get(VALIDATIONS, [])]
    for name, member in struct.get("properties", {}).items():
        if "properties" not in member:
            lines += [f"- `{name}`: {_cell(rule['message'])}" for rule in _all_rules(member)]
    if not lines:
        return []
    return [f"The API server refuses what breaks one of these rules of {path}:", "", *lines, ""]


def _all_rules(plain: dict[str, Any]) -> list[dict[str, str]]:
    """Rules of a plain field, or of the entries of a plain list."""
    items = plain.get("items", {})
    return [
        *plain.get(VALIDATIONS, []),
        *([] if "properties" in items else items.get(VALIDATIONS, [])),
    ]


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "x-kubernetes-int-or-string" in schema:
        return "number or string"
    match schema["type"]:
        case "array":
            return f"list of {_type(schema['items'])}"
        case "object" if "additionalProperties" in schema:
            return "map of strings"
        case "integer":
            return f"integer, {schema['minimum']} to {schema['maximum']}"
        case kind:
            return str(kind)


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")


def reasons_page(source: str) -> str:
    """List condition types and reasons with their meaning, as Markdown.

    Args:
        source: text of :mod:`qwen3_planner.api.reasons`; docstrings under the members of an enum
            exist only there.
    """
    module = ast.parse(source)
    lines = ["# Conditions and reasons", "", _NOTE, ""]
    for enum in (node for node in module.body if isinstance(node, ast.ClassDef)):
        lines += [in_one_line(ast.get_docstring(enum) or ""), "", "| name | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(doc)} |" for name, doc in _members(enum)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _members(enum: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Pair each member's value with the docstring under it.

    Raises:
        ValueError: a member has no docstring.
    """
    for member, below in zip(enum.body, [*enum.body[1:], None], strict=True):
        if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant):
            name = str(member.value.value)
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield name, in_one_line(text)
                case _:
                    raise ValueError(f"{enum.name}: {name} has no docstring")
