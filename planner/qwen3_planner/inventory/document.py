"""The inventory file: nodes, and accelerators of one's own. Pydantic is imported here only."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from qwen3_planner.catalog.resolving import resolve_accelerator
from qwen3_planner.catalog.rows import Accelerator, AcceleratorClass
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.inventory.derived import interconnect_of, unknown_gpu, with_memory
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.inventory.short_form import MAX_NODES, MAX_PER_NODE
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from qwen3_planner.catalog.rows import Catalog

INTERCONNECTS = ("nvlink", "pcie", "xgmi", "unified")
_OWN_SOURCE = "inventory file"
_CAPABILITY_PARTS = 2


def _capability(value: object) -> object:
    """Read ``8.9``, ``"8.9"`` or ``[8, 9]``; YAML takes the first for a fraction."""
    if isinstance(value, str | float):
        parts = str(value).split(".")
        if len(parts) == _CAPABILITY_PARTS and all(part.isdigit() for part in parts):
            return [int(part) for part in parts]
    return value


Positive = Annotated[float, Field(gt=0)]
Mebibytes = Annotated[int, Field(ge=1024, le=2**31, strict=True)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AcceleratorEntry(_Entry):
    """An accelerator of one's own: a row of the catalog with other figures, or a new one."""

    name: Annotated[
        str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][-._A-Za-z0-9]*$")
    ]
    like: str | None = None
    memory_mib: Mebibytes | None = None
    usable_memory_mib: Mebibytes | None = None
    compute_capability: Annotated[
        tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=0)]] | None,
        BeforeValidator(_capability),
    ] = None
    memory_gb_per_s: Positive | None = None
    bf16_tflops: Positive | None = None
    fp16_tflops: Positive | None = None
    fp8_tflops: Positive | None = None
    int8_tops: Positive | None = None
    fp4_tflops: Positive | None = None
    link_gb_per_s: Annotated[float, Field(ge=0)] | None = None
    pcie_gb_per_s: Positive | None = None
    tdp_w: Positive | None = None


class NodeEntry(_Entry):
    """Nodes of one kind; cpu, memory and price are of one node."""

    accelerator: str
    accelerators_per_node: Annotated[int, Field(ge=1, le=MAX_PER_NODE, strict=True)] = 1
    count: Annotated[int, Field(ge=1, le=MAX_NODES, strict=True)] = 1
    name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    interconnect: str | None = None
    cpu: Positive | None = None
    memory_gib: Positive | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    usd_per_hour: Annotated[float, Field(ge=0)] | None = None


class InventoryDocument(_Entry):
    """The whole file."""

    accelerators: list[AcceleratorEntry] = Field(default_factory=list)
    nodes: Annotated[list[NodeEntry], Field(min_length=1)]


_LISTS: dict[str, type[_Entry]] = {"accelerators": AcceleratorEntry, "nodes": NodeEntry}


def parse_inventory(document: Mapping[str, Any], catalog: Catalog) -> Inventory:
    """Read an inventory document, as YAML or JSON gives it.

    Raises:
        SpecError: names the path (``nodes[0].accelerator``), the value and the choices.
    """
    if not isinstance(document, dict):
        raise SpecError("(document)", _shown(document), "must be a mapping with nodes")
    try:
        parsed = InventoryDocument.model_validate(document)
    except ValidationError as error:
        raise _most_telling(error.errors(include_url=False), document) from None
    own = _own_accelerators(parsed.accelerators, catalog)
    rows = (*own, *catalog.accelerators)
    return Inventory(tuple(_group(node, i, rows) for i, node in enumerate(parsed.nodes)))


def _own_accelerators(entries: list[AcceleratorEntry], catalog: Catalog) -> tuple[Accelerator, ...]:
    rows: list[Accelerator] = []
    for index, entry in enumerate(entries):
        path = f"accelerators[{index}]"
        if entry.name.lower() in {row.name.lower() for row in rows}:
            raise SpecError(f"{path}.name", entry.name, "is given twice")
        known = (*rows, *catalog.accelerators)
        base = _base(entry, path, known)
        rows.append(_overlaid(base, entry, path))
    return tuple(rows)


def _base(entry: AcceleratorEntry, path: str, known: tuple[Accelerator, ...]) -> Accelerator:
    """Return the row to change; without ``like`` one that claims only what is stated."""
    if entry.like is not None:
        return resolve_accelerator(entry.like, known, field=f"{path}.like")
    for key in ("memory_mib", "compute_capability", "memory_gb_per_s"):
        if getattr(entry, key) is None:
            reason = "is required where there is no like"
            raise SpecError(f"{path}.{key}", "(missing)", reason)
    assert entry.memory_mib is not None  # noqa: S101 - the loop above has seen to it
    assert entry.compute_capability is not None  # noqa: S101 - likewise
    return unknown_gpu(entry.name, entry.memory_mib, entry.compute_capability, ())


def _overlaid(base: Accelerator, entry: AcceleratorEntry, path: str) -> Accelerator:
    row = base if entry.memory_mib is None else with_memory(base, entry.memory_mib)
    given = entry.model_dump(exclude_none=True, exclude={"name", "like", "memory_mib"})
    if entry.usable_memory_mib is not None:
        given |= {"usable_relative_error": 0.0, "usable_source": _OWN_SOURCE}
    row = replace(row, **given, name=entry.name, product_labels=(), source=_source(base, entry))
    if not 0 < row.usable_memory_mib <= row.memory_mib:
        reason = f"must be above 0 and at most memory_mib, {row.memory_mib}"
        raise SpecError(f"{path}.usable_memory_mib", row.usable_memory_mib, reason)
    return row


def _source(base: Accelerator, entry: AcceleratorEntry) -> str:
    return _OWN_SOURCE if entry.like is None else f"{_OWN_SOURCE}; else {base.name}: {base.source}"


def _group(node: NodeEntry, index: int, rows: tuple[Accelerator, ...]) -> NodeGroup:
    path = f"nodes[{index}]"
    accelerator = resolve_accelerator(node.accelerator, rows, field=f"{path}.accelerator")
    if node.name is not None and node.count > 1:
        raise SpecError(f"{path}.name", node.name, f"cannot name {node.count} nodes", ["count: 1"])
    if accelerator.device_class is not AcceleratorClass.GPU and node.accelerators_per_node > 1:
        reason = f"a machine has one {accelerator.name}"
        raise SpecError(f"{path}.accelerators_per_node", node.accelerators_per_node, reason, ["1"])
    if node.interconnect is not None and node.interconnect not in INTERCONNECTS:
        choices = nearest_first(node.interconnect, INTERCONNECTS)
        raise SpecError(f"{path}.interconnect", node.interconnect, "is not known", choices)
    return NodeGroup(
        accelerator=accelerator,
        accelerators_per_node=node.accelerators_per_node,
        count=node.count,
        name=node.name,
        interconnect=node.interconnect or interconnect_of(accelerator),
        cpu=node.cpu,
        memory_bytes=None if node.memory_gib is None else int(node.memory_gib * GIB),
        labels=node.labels,
        usd_per_hour=node.usd_per_hour,
    )


_REASONS: dict[str, str] = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be text; put it in quotes",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "too_short": "must have at least one entry",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must be letters, digits, '-', '_' and '.'",
}


def _most_telling(errors: list[ErrorDetails], document: Mapping[str, Any]) -> SpecError:
    """Take the first error; a misspelt field before the one that is then missing."""
    error = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    location = error["loc"]
    if error["type"] == "extra_forbidden":
        fields = _fields_beside(location)
        choices = nearest_first(str(location[-1]), fields)
        value = _shown(_look_up(document, location))
        return SpecError(_path(location), value, "is no field of an inventory", choices)
    template = _REASONS.get(error["type"])
    reason = error["msg"] if template is None else template.format(**error.get("ctx", {}))
    return SpecError(_path(location), _shown(_look_up(document, location)), reason)


def _fields_beside(location: tuple[int | str, ...]) -> list[str]:
    entry = (
        _LISTS.get(str(location[0]), InventoryDocument) if len(location) > 1 else InventoryDocument
    )
    return list(entry.model_fields)


_ABSENT = object()


def _look_up(document: object, location: tuple[int | str, ...]) -> object:
    value: Any = document
    for step in location:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return value


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "(missing)"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _path(location: tuple[int | str, ...]) -> str:
    """Write a path as users do.

    >>> _path(("nodes", 0, "accelerator"))
    'nodes[0].accelerator'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".")
