"""Measured rows as values; their form is stated in tests/unit/planner/accuracy/README.md."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N = TypeVar("N", int, float)

FOLDER = Path(__file__).resolve().parents[2] / "unit" / "planner" / "accuracy"

LAUNCH_COLUMNS = (
    "id", "engine", "version", "model", "quantization", "checkpoint", "kv_cache_dtype",
    "accelerator", "device_gib", "tensor", "pipeline", "data", "expert", "utilization",
    "max_model_len", "max_num_seqs", "max_num_batched_tokens", "enforce_eager",
    "compiled", "kv_cache_memory_bytes", "concurrency", "request_tokens", "assumed",
    "weights_gib", "kv_gib", "kv_tokens", "activation_gib", "graphs_gib", "non_torch_gib",
    "outcome", "note", "source",
)  # fmt: skip
FILE_COLUMNS = (
    "id", "model", "quantization", "checkpoint", "measure", "bytes", "size_gib", "size_gb",
    "fitted", "note", "source",
)  # fmt: skip
EXCLUSION_COLUMNS = ("id", "parts", "reason")
FITTED_COLUMNS = ("id", "parts", "constants")

OUTCOMES = ("", "starts", "refuses")
COMPILED = {"": None, "before": True, "first": False}
MEASURES = ("file", "tensors")
PARTS = ("weights", "kv", "token", "activation", "graphs", "non_torch", "verdict", "size")
"""What a row may be compared in; ``excluded.csv`` names them."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of an engine; None and the empty text mean that it is not stated."""

    id: str
    engine: str
    version: str
    model: str
    quantization: str
    checkpoint: str
    kv_cache_dtype: str
    accelerator: str
    device_gib: float | None
    tensor: int | None
    pipeline: int | None
    data: int | None
    expert: int | None
    utilization: float | None
    max_model_len: int | None
    max_num_seqs: int | None
    max_num_batched_tokens: int | None
    enforce_eager: bool | None
    compiled: bool | None
    kv_cache_memory_bytes: int | None
    concurrency: int | None
    request_tokens: int | None
    assumed: tuple[str, ...]
    weights_gib: float | None
    kv_gib: float | None
    kv_tokens: int | None
    activation_gib: float | None
    graphs_gib: float | None
    non_torch_gib: float | None
    outcome: str
    note: str
    source: str

    @property
    def is_for_fitting(self) -> bool:
        """Whether its log states a term apart, so that a constant may be read off it."""
        stated = (self.activation_gib, self.non_torch_gib, self.graphs_gib)
        return any(term is not None for term in stated)

    @property
    def states_how_it_ran(self) -> bool:
        """Whether nothing that the KV pool depends on had to be inferred."""
        return not {"version", "accelerator", "device_gib", "utilization"} & set(self.assumed)

    @property
    def gpus(self) -> int:
        """GPUs of the replica, one where no group is stated."""
        return (self.tensor or 1) * (self.pipeline or 1) * (self.data or 1)


@dataclass(frozen=True, slots=True)
class WeightFile:
    """The size of one checkpoint."""

    id: str
    model: str
    quantization: str
    checkpoint: str
    measure: str
    bytes: int | None
    size_gib: float | None
    size_gb: float | None
    fitted: str
    note: str
    source: str

    @property
    def is_for_fitting(self) -> bool:
        """Whether the size of a header was solved from this one."""
        return self.fitted == "yes"

    @property
    def n_bytes(self) -> float:
        """The size, as exact as it is stated."""
        if self.bytes is not None:
            return self.bytes
        if self.size_gib is not None:
            return self.size_gib * 2**30
        return (self.size_gb or 0.0) * 1e9


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a row, or parts of it, are not compared."""

    id: str
    parts: tuple[str, ...]
    reason: str

    def holds(self, part: str) -> bool:
        """Whether that part of the row is left out."""
        return part in self.parts or "all" in self.parts


def launches(folder: Path = FOLDER) -> tuple[Launch, ...]:
    """Read every launch, in the order of the files' names.

    Raises:
        ValueError: a header or a value is not what the README says, or an id occurs twice.
    """
    rows = tuple(
        _launch(row)
        for path in sorted((folder / "launches").glob("*.csv"))
        for row in _rows(path, LAUNCH_COLUMNS)
    )
    _refuse_twins([row.id for row in rows])
    return rows


def weight_files(folder: Path = FOLDER) -> tuple[WeightFile, ...]:
    """Read every file size, in the order of the files' names.

    Raises:
        ValueError: as for :func:`launches`.
    """
    rows = tuple(
        _weight_file(row)
        for path in sorted((folder / "files").glob("*.csv"))
        for row in _rows(path, FILE_COLUMNS)
    )
    _refuse_twins([*(row.id for row in rows), *(row.id for row in launches(folder))])
    return rows


def exclusions(folder: Path = FOLDER) -> tuple[Exclusion, ...]:
    """Read what is not compared.

    Raises:
        ValueError: a part has no such name, or a reason is missing.
    """
    found = []
    for row in _rows(folder / "excluded.csv", EXCLUSION_COLUMNS):
        parts = tuple(row["parts"].split())
        unknown = set(parts) - {*PARTS, "all"}
        if unknown or not parts or len(row["reason"]) < 10:
            raise ValueError(f"excluded.csv: {row['id']}: parts {row['parts']!r} or its reason")
        found.append(Exclusion(row["id"], parts, row["reason"]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which constants are fitted to a launch, and which of its parts they decide."""

    id: str
    parts: tuple[str, ...]
    constants: str

    def decides(self, part: str) -> bool:
        """Whether that part of the row is no test."""
        return part in self.parts or "all" in self.parts


def fitted(folder: Path = FOLDER) -> dict[str, Fitted]:
    """Read to which launches constants are fitted: by id.

    Raises:
        ValueError: a row names no constant or no part, or states no term apart.
    """
    able = {launch.id for launch in launches(folder) if launch.is_for_fitting}
    found = {}
    for row in _rows(folder / "fitted.csv", FITTED_COLUMNS):
        one = Fitted(row["id"], tuple(row["parts"].split()), row["constants"])
        if one.id not in able or not one.constants or not set(one.parts) <= {*PARTS, "all"}:
            raise ValueError(f"fitted.csv: {one.id}: no term apart, no constant or a wrong part")
        found[one.id] = one
    return found


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != columns:
            raise ValueError(f"{path.name}: its columns must be {', '.join(columns)}")
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"{path.name}: {row['id']}: more or fewer cells than columns")
            yield row


def _launch(row: dict[str, str]) -> Launch:
    if row["outcome"] not in OUTCOMES:
        raise ValueError(f"{row['id']}: outcome {row['outcome']!r}")
    assumed = tuple(row["assumed"].split())
    if set(assumed) - set(LAUNCH_COLUMNS):
        raise ValueError(f"{row['id']}: assumed {row['assumed']!r} names no column")
    if not row["source"]:
        raise ValueError(f"{row['id']}: no source")
    cells: dict[str, Any] = {name: row[name] for name in _TEXTS}
    cells |= {name: _number(row, name, int) for name in _COUNTS}
    cells |= {name: _number(row, name, float) for name in _SIZES}
    if row["compiled"] not in COMPILED:
        raise ValueError(f"{row['id']}: compiled {row['compiled']!r}")
    cells["compiled"] = COMPILED[row["compiled"]]
    cells["enforce_eager"] = {"": None, "true": True, "false": False}[row["enforce_eager"]]
    return Launch(**cells, assumed=assumed)


_TEXTS = (
    "id", "engine", "version", "model", "quantization", "checkpoint", "kv_cache_dtype",
    "accelerator", "outcome", "note", "source",
)  # fmt: skip
_COUNTS = (
    "tensor", "pipeline", "data", "expert", "max_model_len", "max_num_seqs",
    "max_num_batched_tokens", "kv_cache_memory_bytes", "concurrency", "request_tokens", "kv_tokens",
)  # fmt: skip
_SIZES = (
    "device_gib", "utilization", "weights_gib", "kv_gib", "activation_gib", "graphs_gib",
    "non_torch_gib",
)  # fmt: skip


def _weight_file(row: dict[str, str]) -> WeightFile:
    if row["measure"] not in MEASURES:
        raise ValueError(f"{row['id']}: measure {row['measure']!r}")
    if row["fitted"] not in ("", "yes"):
        raise ValueError(f"{row['id']}: fitted {row['fitted']!r}")
    texts = ("id", "model", "quantization", "checkpoint", "measure", "fitted", "note", "source")
    cells: dict[str, Any] = {name: row[name] for name in texts}
    cells |= {name: _number(row, name, float) for name in ("size_gib", "size_gb")}
    found = WeightFile(**cells, bytes=_number(row, "bytes", int))
    if found.n_bytes <= 0 or not found.source:
        raise ValueError(f"{row['id']}: no size or no source")
    return found


def _number(row: dict[str, str], name: str, kind: Callable[[str], N]) -> N | None:
    try:
        return kind(row[name]) if row[name] else None
    except ValueError:
        raise ValueError(f"{row['id']}: {name} is {row[name]!r}") from None


def _refuse_twins(ids: list[str]) -> None:
    twins = sorted({name for name in ids if ids.count(name) > 1})
    if twins:
        raise ValueError(f"these ids occur twice: {', '.join(twins)}")
