"""Reading the catalog's data files: JSON, because it parses a hundred times faster than YAML."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.figures import ApiPrice, Efficiency, GpuPrice, PurchasePrice
from qwen3_planner.catalog.rows import (
    Accelerator,
    AcceleratorClass,
    Catalog,
    Checkpoint,
    EngineRelease,
    LinearAttention,
    ModelArchitecture,
    VisionEncoder,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA_FOLDER = Path(__file__).with_name("data")
"""Beside this module, so that the files travel with the package in a wheel or an image."""


@cache
def load_catalog() -> Catalog:
    """Read the catalog that ships with the package, once per process.

    >>> load_catalog().model("Qwen3-32B").hidden_size
    5120
    """
    return read_catalog(DATA_FOLDER)


def load_claims() -> Any:  # noqa: ANN401 - a document, read by qwen3_planner.claims.reading
    """Read the claims that ship with the package."""
    return json.loads((DATA_FOLDER / "claims.json").read_bytes())


@cache
def load_api_prices() -> tuple[ApiPrice, ...]:
    """Read what hosts ask for tokens of the family; plans do not need it.

    >>> min(row.usd_per_million_input for row in load_api_prices()) > 0
    True
    """
    return tuple(ApiPrice(**row) for row in _rows(DATA_FOLDER / "prices_api.json"))


@cache
def load_purchase_prices() -> tuple[PurchasePrice, ...]:
    """Read what accelerators cost to buy; plans do not need it.

    >>> all(row.usd_low <= row.usd_high for row in load_purchase_prices())
    True
    """
    return tuple(PurchasePrice(**row) for row in _rows(DATA_FOLDER / "prices_purchase.json"))


def read_catalog(folder: Path) -> Catalog:
    """Read ``models``, ``checkpoints``, ``accelerators`` and ``engines`` (``.json``) of a folder.

    Fitted efficiencies and prices are read where the folder has them.

    Raises:
        ValueError: two rows of one file have the same name.
        TypeError: a row lacks a field or has one that is not known.
    """
    models = tuple(_model(row) for row in _rows(folder / "models.json"))
    checkpoints = tuple(_checkpoint(row) for row in _rows(folder / "checkpoints.json"))
    accelerators = tuple(_accelerator(row) for row in _rows(folder / "accelerators.json"))
    engines = tuple(_engine(row) for row in _rows(folder / "engines.json"))
    _refuse_duplicates("models.json", (row.name for row in models))
    _refuse_duplicates("checkpoints.json", (f"{row.uri} {row.file}".strip() for row in checkpoints))
    _refuse_duplicates("accelerators.json", (row.name for row in accelerators))
    _refuse_duplicates("engines.json", (row.name for row in engines))
    efficiencies = tuple(_efficiency(row) for row in _optional(folder / "efficiencies.json"))
    prices = tuple(GpuPrice(**row) for row in _optional(folder / "prices_gpu.json"))
    return Catalog(models, checkpoints, accelerators, engines, efficiencies, prices)


def _optional(path: Path) -> list[dict[str, Any]]:
    return _rows(path) if path.exists() else []


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_bytes())
    return rows


def _model(row: dict[str, Any]) -> ModelArchitecture:
    fields = dict(row)
    if row.get("vision"):
        layers = tuple(row["vision"]["deepstack_layers"])
        fields["vision"] = VisionEncoder(**{**row["vision"], "deepstack_layers": layers})
    if row.get("linear_attention"):
        fields["linear_attention"] = LinearAttention(**row["linear_attention"])
    return ModelArchitecture(**fields)


def _checkpoint(row: dict[str, Any]) -> Checkpoint:
    rows, columns = row["block_size"]
    patterns = tuple(row.get("unquantized", ()))
    return Checkpoint(**{**row, "block_size": (rows, columns), "unquantized": patterns})


def _accelerator(row: dict[str, Any]) -> Accelerator:
    capability = row["compute_capability"]
    return Accelerator(
        **{
            **row,
            "device_class": AcceleratorClass(row["device_class"]),
            "compute_capability": None if capability is None else (capability[0], capability[1]),
            "product_labels": tuple(row["product_labels"]),
        }
    )


def _engine(row: dict[str, Any]) -> EngineRelease:
    lists = ("images", "images_since", "image_builds")
    return EngineRelease(**{**row, **{n: tuple(map(tuple, row.get(n, ()))) for n in lists}})


def _efficiency(row: dict[str, Any]) -> Efficiency:
    seen = tuple((model, device) for model, device in row.get("seen", ()))
    return Efficiency(**{**row, "seen": seen})


def _refuse_duplicates(file: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ValueError(f"{file}: two rows are called {name}; names differ in more than case")
        seen.add(name.lower())
