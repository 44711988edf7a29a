"""The planner's rendered commands, made askable: hub ids become folders on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.engines.sources import LEADER_ADDRESS
from qwen3_planner.sizing.formats import BF16, format_of

from .model_folders import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.plan import Plan

PROGRAM = ("vllm", "serve")
DRAFT = "--speculative-config"


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as the engine's parser gets it.

    Attributes:
        words: after `vllm serve`.
        env: that the plan sets.
    """

    words: tuple[str, ...]
    env: dict[str, str]


def askable(plan: Plan, catalog: Catalog, folder: Path) -> Asked:
    """Put local folders in the place of hub ids and an address in the leader's; no more."""
    assert plan.command[:2] == PROGRAM, plan.command
    model = catalog.model(plan.variant)
    row = next(row for row in catalog.checkpoints if row.uri == plan.source)
    made_online = "--quantization" in plan.command
    fmt = BF16 if made_online else format_of(row)
    here = write_model(folder / plan.source.rpartition("/")[2], model, fmt)
    rest = [word.replace(LEADER_ADDRESS, "127.0.0.1") for word in plan.command[3:]]
    if DRAFT in rest:
        place = rest.index(DRAFT) + 1
        rest[place] = _with_local_draft(rest[place], catalog, folder)
    return Asked((str(here), *rest), dict(plan.env))


def _with_local_draft(speculation: str, catalog: Catalog, folder: Path) -> str:
    """Put a local folder in the place of the draft model's hub id."""
    config = json.loads(speculation)
    row = next(row for row in catalog.checkpoints if row.uri == f"hf://{config['model']}")
    draft = catalog.model(row.variant)
    return json.dumps(config | {"model": str(write_model(folder / draft.name, draft))})


def folder_of(variant: str, named: str, catalog: Catalog, folder: Path) -> Path:
    """Write the model that a command names, by a hub's id or a path, into a folder; return it."""
    rows = [row for row in catalog.checkpoints_of(variant) if row.uri.partition("://")[2] in named]
    rows.sort(key=lambda row: len(row.uri))  # Qwen3-8B is the beginning of Qwen3-8B-FP8
    fmt = format_of(rows[-1]) if rows else BF16
    return write_model(folder / variant, catalog.model(variant), fmt)
