"""What the chart's rules for teams know of the catalog, as a file of the chart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from qwen3_planner.catalog.choosing import load_choosing
from qwen3_planner.engines.ladders import LADDERS, PRECISION, SERVED
from qwen3_planner.inventory.hardware import Inventory
from qwen3_planner.question import weight_choices
from qwen3_planner.request import EngineName, PlanRequest, Quantization

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog


def policy_catalog(catalog: Catalog) -> str:
    """Return JSON: names that rules may use, and where weights come from when nobody says.

    ``weights`` has the checkpoint that a resource without a source is served from, by variant and
    format. ``ladders`` has the formats that are tried where none is asked for, by engine.
    """
    document = {
        "variants": [model.name for model in catalog.models],
        "accelerators": [row.name for row in catalog.accelerators],
        "licences": {row.publisher: row.licence for row in load_choosing().licences},
        "ladders": _ladders(),
        "weights": {model.name: _weights(model.name, catalog) for model in catalog.models},
    }
    return json.dumps(document, indent=1) + "\n"


def _ladders() -> dict[str, list[str]]:
    """List formats by engine; ``auto`` may become any, and GPUs without bf16 units take fp16."""
    found = {name.value: [str(one) for one in ladder] for name, ladder in LADDERS.items()}
    for formats in found.values():
        if Quantization.BF16 in formats:
            formats.insert(1, Quantization.FP16.value)
    every = [one for formats in found.values() for one in formats]
    return {**found, EngineName.AUTO.value: list(dict.fromkeys(every))}


def _weights(variant: str, catalog: Catalog) -> dict[str, str]:
    """Ask the planner which checkpoint it would take of each format."""
    found = {}
    for quantization in PRECISION:
        engine = next(name for name, formats in SERVED.items() if quantization in formats)
        request = PlanRequest(model=variant, quantization=quantization)
        for choice in weight_choices(request, engine, Inventory(()), catalog):
            found[quantization.value] = choice.source
    return found
