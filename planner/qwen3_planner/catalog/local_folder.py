"""A model in a local folder: its ``config.json`` becomes rows of the catalog.

Any fine-tune of the family's architectures is planned from its own figures; what the planner's
formulas do not cover is refused by name, never planned wrongly.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.architectures import FolderFacts, architecture_of
from qwen3_planner.catalog.config_values import ConfigValues
from qwen3_planner.catalog.quantization_config import StoredFormat, stored_format
from qwen3_planner.catalog.rows import Checkpoint, ModelArchitecture
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog

CONFIG = "config.json"
FILE = "file://"
"""Scheme of a source on the machine that plans; a cluster cannot mount it."""

INDEX = "model.safetensors.index.json"
MODELOPT_CONFIG = "hf_quant_config.json"
"""Where ModelOpt says what it quantized if config.json does not (vLLM 0.33.0
``transformers_utils/config.py`` reads it too)."""

SENTENCE_MODULES = "modules.json"
"""What sentence-transformers writes beside a model that embeds."""

_QUANTIZATION = "quantization_config"
_HEAD, _PREDICTION = "lm_head.", "mtp."


def looks_like_folder(typed: str) -> bool:
    """Whether a MODEL argument means a place on this machine rather than a name."""
    if not typed.strip() or "\x00" in typed:
        return False
    return typed.startswith(("/", "./", "../", "~")) or Path(typed).is_dir()


def add_folder(typed: str, catalog: Catalog, *, field: str) -> tuple[str, Catalog, Checkpoint]:
    """Read a model's folder and add it to the catalog.

    Returns:
        The model's name, a catalog that holds its rows, and the checkpoint row.

    Raises:
        SpecError: there is no config.json, or it describes what is not planned.
    """
    try:
        folder = Path(typed).expanduser()
    except RuntimeError:  # ~somebody, whom this machine does not know
        raise SpecError(field, typed, "is no folder") from None
    values = _read_object(folder / CONFIG, typed, field)
    config = ConfigValues(values, f"{typed.rstrip('/')}/{CONFIG}")
    model = architecture_of(config, _facts(folder, _free_name(folder.resolve().name, catalog)))
    checkpoint = _checkpoint(_format(config, folder, typed, model), model, folder)
    extended = replace(
        catalog,
        models=(*catalog.models, model),
        checkpoints=(*catalog.checkpoints, checkpoint),
    )
    return model.name, extended, checkpoint


def _read_object(path: Path, typed: str, field: str) -> dict[str, Any]:
    if not path.is_file():
        reason = f"has no {path.name}" if path.parent.is_dir() else "is no folder"
        raise SpecError(field, typed, reason)
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(field, typed, f"its {path.name} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise SpecError(field, typed, f"its {path.name} is no JSON object")
    return config


def _free_name(name: str, catalog: Catalog) -> str:
    """Name the model after its folder; a folder called like a catalog row gets ``-local``."""
    taken = {row.name.lower() for row in catalog.models}
    return f"{name}-local" if name.lower() in taken else name


def _date_of(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date().isoformat()


def _facts(folder: Path, name: str) -> FolderFacts:
    """Look at what lies beside config.json."""
    stored = _stored_names(folder)
    return FolderFacts(
        name=name,
        as_of=_date_of(folder / CONFIG),
        head_is_stored=None if stored is None else any(n.startswith(_HEAD) for n in stored),
        prediction_is_stored=(
            None if stored is None else any(n.startswith(_PREDICTION) for n in stored)
        ),
        embeds=(folder / SENTENCE_MODULES).is_file(),
    )


def _stored_names(folder: Path) -> tuple[str, ...] | None:
    """List the tensors in the index of the weights; None where there is no index."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
        return tuple(str(name) for name in index["weight_map"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _format(
    config: ConfigValues, folder: Path, typed: str, model: ModelArchitecture
) -> StoredFormat:
    """Read the quantization from config.json, or from the file that ModelOpt puts beside it."""
    beside = folder / MODELOPT_CONFIG
    if config.raw(_QUANTIZATION) is None and beside.is_file():
        values = {_QUANTIZATION: _read_object(beside, typed, "MODEL")}
        config = ConfigValues(values, f"{typed.rstrip('/')}/{MODELOPT_CONFIG}")
    return stored_format(config, model.layers, model.experts)


def _checkpoint(stored: StoredFormat, model: ModelArchitecture, folder: Path) -> Checkpoint:
    found = {field.name: getattr(stored, field.name) for field in fields(stored)}
    return Checkpoint(
        **{**found, "quantization": stored.quantization.value},
        variant=model.name,
        uri=f"{FILE}{folder.resolve()}",
        official=False,
        source=model.source,
        as_of=model.as_of,
    )
