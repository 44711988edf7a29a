"""Rows that help to choose: published scores, licences, export rules; each with source and date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Score:
    """What a variant reached on a benchmark, as its publisher says; of 16-bit weights.

    Attributes:
        variant: catalog name.
        mode: ``thinking``, ``non-thinking``, or ``reading`` of what yields no text.
        benchmark: with its version; only scores of one benchmark are comparable.
        score: the higher, the better.
        source: where it was read.
        as_of: ISO date on which it was read.
    """

    variant: str
    mode: str
    benchmark: str
    score: float
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Licence:
    """On what terms a publisher's checkpoints may be used.

    Attributes:
        publisher: organisation on the hub.
        licence: SPDX name.
        source: where it was read.
        as_of: ISO date.
    """

    publisher: str
    licence: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class ExportRule:
    """A rule that keeps accelerators from a region; no legal advice.

    Rules change, and depend on who buys for what.

    Attributes:
        name: of the rule.
        regions: ISO country codes that its source names.
        accelerators: catalog names that its source names.
        min_total_processing_performance: TOPS times bits of the operation from which any other
            accelerator falls under it; 0: none does.
        status: what it asks for.
        source: where it was read.
        as_of: ISO date up to which it was followed.
        note: what a reader should know.
    """

    name: str
    regions: tuple[str, ...]
    accelerators: tuple[str, ...]
    min_total_processing_performance: float
    status: str
    source: str
    as_of: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choosing:
    """All of them.

    Attributes:
        scores: of variants.
        licences: of publishers.
        export_rules: of regions.
    """

    scores: tuple[Score, ...]
    licences: tuple[Licence, ...]
    export_rules: tuple[ExportRule, ...]


@cache
def load_choosing() -> Choosing:
    """Read what ships with the package; plans do not need it.

    >>> max(row.score for row in load_choosing().scores if row.benchmark == "AIME25")
    92.3
    """
    rules = (
        {**row, "regions": tuple(row["regions"]), "accelerators": tuple(row["accelerators"])}
        for row in _rows("export_rules.json")
    )
    return Choosing(
        scores=tuple(Score(**row) for row in _rows("benchmarks.json")),
        licences=tuple(Licence(**row) for row in _rows("licences.json")),
        export_rules=tuple(ExportRule(**row) for row in rules),
    )


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((_FOLDER / name).read_bytes())
    return rows
