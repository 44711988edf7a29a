"""What may be used: sources, licences, and accelerators that export rules keep from a region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.engines.sources import HUGGING_FACE, MODELSCOPE
from qwen3_planner.inventory.hardware import Inventory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.choosing import ExportRule, Licence
    from qwen3_planner.catalog.rows import Accelerator, Catalog, Checkpoint

CAUTION = (
    "Export rules are a dated summary of public sources, no legal advice: they change, and depend"
    " on who buys for what. Ask counsel."
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a user's rules allow; empty: anything.

    Attributes:
        sources: hubs that weights may come from (``hf``, ``modelscope``).
        licences: SPDX names of licences that are accepted.
        region: ISO country code of where the hardware stands.
        licensed: catalog names of accelerators for which an export licence is held.
    """

    sources: frozenset[str] = frozenset()
    licences: frozenset[str] = frozenset()
    region: str = ""
    licensed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Barred:
    """An accelerator that a rule keeps from the region.

    Attributes:
        accelerator: catalog name.
        rule: that bars it.
        why: named in it, or by which figure.
    """

    accelerator: str
    rule: ExportRule
    why: str


def total_processing_performance(card: Accelerator) -> float:
    """Return the figure by which the rule of October 2023 measures: operations times their bits.

    Dense TOPS (two operations a multiply-add) x bits, the largest over the formats.

    >>> from qwen3_planner.catalog.loading import load_catalog
    >>> total_processing_performance(load_catalog().accelerator("A100-SXM-80GB"))
    4992.0
    """
    rates = (
        (card.bf16_tflops, 16),
        (card.fp16_tflops, 16),
        (card.fp8_tflops, 8),
        (card.int8_tops, 8),
        (card.fp4_tflops, 4),
    )
    return max((rate * bits for rate, bits in rates if rate is not None), default=0.0)


def barred(
    cards: Sequence[Accelerator], rules: Sequence[ExportRule], policy: Policy
) -> tuple[Barred, ...]:
    """Return what export rules keep from the region, with the first rule that does."""
    found = []
    for card in cards:
        for rule in rules:
            why = _why(card, rule, policy)
            if why:
                found.append(Barred(card.name, rule, why))
                break
    return tuple(found)


def _why(card: Accelerator, rule: ExportRule, policy: Policy) -> str:
    if policy.region not in rule.regions or card.name in policy.licensed:
        return ""
    if card.name in rule.accelerators:
        return "named in it"
    limit = rule.min_total_processing_performance
    performance = total_processing_performance(card)
    if limit and performance >= limit:
        return f"its total processing performance of {performance:,.0f} is above {limit:,.0f}"
    return ""


def without(inventory: Inventory, names: frozenset[str]) -> Inventory:
    """Return the hardware without accelerators of these names."""
    return Inventory(tuple(g for g in inventory.groups if g.accelerator.name not in names))


def publisher_of(checkpoint: Checkpoint) -> str:
    """Return the organisation that published a checkpoint."""
    return checkpoint.uri.partition("://")[2].partition("/")[0]


def allowed_catalog(catalog: Catalog, policy: Policy, licences: Sequence[Licence]) -> Catalog:
    """Return the catalog with the checkpoints that may be used, from where they may come.

    Qwen's own checkpoints lie on ModelScope under the same names; whether others' do was not
    checked.
    """
    rows = catalog.checkpoints
    if policy.licences:
        wanted = {name.lower() for name in policy.licences}
        free = {row.publisher for row in licences if row.licence.lower() in wanted}
        rows = tuple(row for row in rows if publisher_of(row) in free)
    if policy.sources and HUGGING_FACE not in policy.sources:
        rows = tuple(_from_modelscope(row) for row in rows if row.official)
    return catalog if rows is catalog.checkpoints else replace(catalog, checkpoints=rows)


def _from_modelscope(row: Checkpoint) -> Checkpoint:
    return replace(row, uri=f"{MODELSCOPE}://{row.uri.partition('://')[2]}")


def licence_of(source: str, licences: Sequence[Licence]) -> Licence | None:
    """Return the licence of a checkpoint by its URL; None where none was read."""
    publisher = source.partition("://")[2].partition("/")[0]
    return next((row for row in licences if row.publisher == publisher), None)
