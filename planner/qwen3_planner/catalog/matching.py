"""Names as people type them, compared with names as the catalog writes them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.rows import Accelerator

_GIGABYTES = re.compile(r"(\d+)(?:g|gib)")
_SEPARATORS = re.compile(r"[-_\s]+")

MEMORY_TOLERANCE = 0.03
"""Drivers move what a node label shows by less than that (24564 against 24576 MiB); other sizes of
a product, and its memory without ECC (49140 against 46068 MiB), lie further apart."""

_OTHER_PRODUCT = frozenset(
    {"ti", "d", "super", "laptop", "mobile", "max", "nvl", "pcie", "sxm", "sxm2", "sxm4", "sxm5"}
)
"""Words that, after the name of a product, name another product (RTX 4090, RTX 4090 D)."""


def words(name: str) -> tuple[str, ...]:
    """Split a name at dashes, underscores and blanks; case does not matter, nor GB against GiB.

    >>> words("RTX 4090"), words("A100_80g"), words("H100-SXM-80GB")
    (('rtx', '4090'), ('a100', '80gb'), ('h100', 'sxm', '80gb'))
    """
    parts = [part for part in _SEPARATORS.split(name.strip().lower()) if part]
    return tuple(_GIGABYTES.sub(r"\1gb", part) if _is_size(part) else part for part in parts)


def _is_size(part: str) -> bool:
    return _GIGABYTES.fullmatch(part) is not None


def is_short_for(typed: str, name: str) -> bool:
    """Whether every typed word occurs in the name, in order; words may be joined when typed.

    >>> is_short_for("a100-80gb", "A100-SXM-80GB"), is_short_for("rtx4090", "RTX-4090-24GB")
    (True, True)
    >>> is_short_for("L4", "L40S-48GB"), is_short_for("80gb-h100", "H100-SXM-80GB")
    (False, False)
    """
    return bool(words(typed)) and _in_order(words(typed), words(name))


def _in_order(typed: Sequence[str], name: Sequence[str]) -> bool:
    if not typed:
        return True
    for start in range(len(name)):
        joined = ""
        for end in range(start, len(name)):
            joined += name[end]
            if joined == typed[0] and _in_order(typed[1:], name[end + 1 :]):
                return True
    return False


def plain_products(typed: str, rows: Sequence[Accelerator]) -> tuple[Accelerator, ...]:
    """Leave out the rows whose name adds a word for another product: a 4070 is no 4070 Ti.

    All rows, where every one of them does.
    """
    others = _OTHER_PRODUCT.difference(words(typed)) & {"ti", "super", "d"}
    plain = tuple(row for row in rows if not others.intersection(words(row.name)))
    return plain or tuple(rows)


def names_product(label: str, product: str) -> bool:
    """Whether a node label's value names this product, be it with words after it.

    >>> names_product("NVIDIA-H100-80GB-HBM3", "NVIDIA-H100-80GB-HBM3")
    True
    >>> names_product("NVIDIA-L40S", "NVIDIA-L40"), names_product("NVIDIA-H200-NVL", "NVIDIA-H200")
    (False, False)
    >>> names_product("NVIDIA-RTX-4090-OEM", "NVIDIA-RTX-4090")
    True
    """
    if not label.lower().startswith(product.lower()):
        return False
    rest = label[len(product) :]
    if rest and not rest.startswith(("-", "_")):
        return False
    return not _OTHER_PRODUCT.intersection(words(rest))


def by_product(
    rows: Sequence[Accelerator], label: str, memory_mib: int | None
) -> tuple[Accelerator, ...]:
    """Return the rows that a product label names, the longest match only, of about that memory.

    Args:
        rows: of the catalog.
        label: ``NVIDIA-H100-80GB-HBM3``, as GPU Feature Discovery or AMD's labeller writes it.
        memory_mib: of one device as the label beside it says; None if there is none.
    """
    found = [
        (len(product), row)
        for row in rows
        for product in row.product_labels
        if names_product(label, product)
    ]
    longest = max((length for length, _ in found), default=0)
    return tuple(
        row
        for length, row in found
        if length == longest and (memory_mib is None or _about(memory_mib, row.memory_mib))
    )


def _about(seen_mib: int, known_mib: int) -> bool:
    return abs(seen_mib - known_mib) <= MEMORY_TOLERANCE * known_mib
