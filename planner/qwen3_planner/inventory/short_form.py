"""Hardware in one word: ``2x8xH100-SXM-80GB``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwen3_planner.catalog.resolving import resolve_accelerator
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.derived import interconnect_of
from qwen3_planner.inventory.hardware import Inventory, NodeGroup

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog

MAX_NODES = 10_000
MAX_PER_NODE = 64
"""Above any machine that is built; a larger number is a slip of the keyboard."""

_MAX_DIGITS = 9

_POOL = re.compile(r"(?:(\d+)\s*[x×]\s*)?(?:(\d+)\s*[x×]\s*)?(\S.*)", re.IGNORECASE)  # noqa: RUF001 - people type the sign too
_COUNT_ALONE = re.compile(r"(\d+\s*[x×]\s*)+|\d{1,3}", re.IGNORECASE)  # noqa: RUF001 - as above
_FORM = "[NODESx]COUNTxPRODUCT, such as 8xH100-SXM-80GB or 2x8xH100-SXM-80GB"


def parse_hardware(typed: str, catalog: Catalog, *, field: str = "--hardware") -> Inventory:
    """Read ``[NODESx]COUNTxPRODUCT`` or ``PRODUCT``; several pools are separated by commas.

    Raises:
        SpecError: the form is not met, a number is out of range, or a product is unknown.
    """
    if not typed.strip():
        raise SpecError(field, typed or "(empty)", f"must be {_FORM}")
    groups = []
    for part in typed.split(","):
        try:
            groups.append(_pool(part.strip(), catalog))
        except SpecError as error:
            # the whole value as typed, the pool that is wrong in the reason
            where = f"{error.value}: " if error.value != typed else ""
            raise SpecError(field, typed, f"{where}{error.reason}", error.choices) from None
    return Inventory(tuple(groups))


def _pool(typed: str, catalog: Catalog) -> NodeGroup:
    match = _POOL.fullmatch(typed)
    if match is None or _COUNT_ALONE.fullmatch(typed):
        raise SpecError("", typed or "(empty)", f"must be {_FORM}")
    first, second, product = match.groups()
    nodes, per_node = (first, second) if second else ("1", first or "1")
    try:
        accelerator = resolve_accelerator(product, catalog.accelerators)
    except SpecError as error:
        counts = typed[: len(typed) - len(product)]
        choices = tuple(f"{counts}{choice}" for choice in error.choices)
        raise SpecError("", typed, f"{product} {error.reason}", choices) from None
    group = NodeGroup(
        accelerator=accelerator,
        accelerators_per_node=_number(per_node),
        count=_number(nodes),
        interconnect=interconnect_of(accelerator),
    )
    reason, choices = _objection(group)
    if reason:
        raise SpecError("", typed, reason, choices)
    return group


def _number(digits: str) -> int:
    # int() of a number with thousands of digits is itself an error; this many are too many anyway
    return int(digits[-_MAX_DIGITS:]) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _objection(group: NodeGroup) -> tuple[str, tuple[str, ...]]:
    """Say what is wrong with the numbers, and what to write instead; empty where nothing is."""
    name, per_node = group.accelerator.name, group.accelerators_per_node
    if not 1 <= group.count <= MAX_NODES:
        return f"NODES must be 1 to {MAX_NODES}", ()
    if not 1 <= per_node <= MAX_PER_NODE:
        return f"COUNT, the accelerators of one node, must be 1 to {MAX_PER_NODE}", ()
    if group.accelerator.device_class is not AcceleratorClass.GPU and per_node > 1:
        return f"a machine has one {name}", (f"{per_node}x1x{name}",)
    return "", ()
