"""From what a user types to rows of the catalog.

Nothing is guessed: what fits several rows is an error that lists them, what fits none an error
that lists the choices, nearest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.catalog.matching import by_product, is_short_for, plain_products
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import Quantization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.rows import Accelerator, Catalog, Checkpoint

MAX_CHOICES = 12
"""Choices named in a message; the catalog command lists all."""

_HUB = "hf://"


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """What a MODEL argument stands for.

    Attributes:
        name: name of a row of ``catalog``.
        catalog: the one given, or that with the rows of a local folder added.
        quantization: if the argument fixes it (``Qwen/Qwen3-32B-FP8``); else None.
        source: of the weights, if the argument fixes it; else None.
    """

    name: str
    catalog: Catalog
    quantization: Quantization | None = None
    source: str | None = None


def resolve_model(typed: str, catalog: Catalog, *, field: str = "MODEL") -> ResolvedModel:
    """Find the model that is meant: a catalog name, a Hugging Face id or a local folder.

    Case does not matter. The id of a quantized checkpoint fixes the quantization; one of a
    repository with several files takes a type behind it (``Qwen/Qwen3-8B-GGUF:Q8_0``), else its
    Q4_K_M as llama.cpp does.

    Raises:
        SpecError: no such model; or a folder whose config.json cannot be planned.
    """
    wanted = typed.strip().removeprefix(_HUB).lower()
    for row in catalog.models:
        if row.name.lower() == wanted:
            return ResolvedModel(row.name, catalog)
    known = [row for row in catalog.checkpoints if _is_meant(row, wanted)]
    if known:
        return _from_checkpoint(_usual(known), catalog)
    from qwen3_planner.catalog import local_folder  # noqa: PLC0415 - rare, and reads files

    if local_folder.looks_like_folder(typed):
        name, extended, checkpoint = local_folder.add_folder(typed, catalog, field=field)
        fixed = _fixed_by(checkpoint)
        return ResolvedModel(name, extended, fixed, None if fixed is None else checkpoint.uri)
    ids = list(dict.fromkeys(row.uri.removeprefix(_HUB) for row in catalog.checkpoints))
    names = ids if "/" in typed else [row.name for row in catalog.models]
    reason = "is no model of the catalog, no checkpoint it knows and no folder with a config.json"
    raise SpecError(field, typed or "(empty)", reason, _nearest(typed, names))


def _is_meant(checkpoint: Checkpoint, wanted: str) -> bool:
    """Whether an id means this checkpoint: its repository, with or without a type or a file."""
    repository, file = checkpoint.uri.removeprefix(_HUB).lower(), checkpoint.file.lower()
    _, _, kind = checkpoint.quantization.lower().partition(":")
    ids = {repository, f"{repository}:{kind}" if kind else repository, f"{repository}/{file}"}
    return wanted in ids


def _usual(rows: Sequence[Checkpoint]) -> Checkpoint:
    """Choose among the files of one repository as llama.cpp does: Q4_K_M, else the first."""
    return next((row for row in rows if row.quantization == Quantization.GGUF_Q4_K_M), rows[0])


def _from_checkpoint(checkpoint: Checkpoint, catalog: Catalog) -> ResolvedModel:
    fixed = _fixed_by(checkpoint)
    source = None if fixed is None else checkpoint.uri
    return ResolvedModel(checkpoint.variant, catalog, fixed, source)


def _fixed_by(checkpoint: Checkpoint) -> Quantization | None:
    """Say what a checkpoint fixes: one of 16 bit leaves the choice open, a quantized one does not.

    Other formats of a 16-bit model are other checkpoints, or made while it is loaded.
    """
    quantization = Quantization(checkpoint.quantization)
    return None if quantization is Quantization.BF16 else quantization


def agree_on_quantization(
    resolved: ResolvedModel, wished: Quantization, *, typed_model: str, field: str
) -> Quantization:
    """Join what the model's id fixes with what the user asks for.

    Raises:
        SpecError: both are given and differ.
    """
    if resolved.quantization is None or wished in (Quantization.AUTO, resolved.quantization):
        return resolved.quantization or wished
    reason = f"contradicts {typed_model}, whose weights are {resolved.quantization}"
    raise SpecError(field, wished, reason, (resolved.quantization, Quantization.AUTO))


def resolve_accelerator(
    typed: str, rows: Sequence[Accelerator], *, field: str = "accelerator"
) -> Accelerator:
    """Find the accelerator that is meant: its name, a short form of it, or its node label.

    Raises:
        SpecError: none is meant, or more than one; the choices are then the matches.
    """
    wanted = typed.strip().lower()
    for row in rows:
        if row.name.lower() == wanted:
            return row
    matches = [row for row in rows if is_short_for(typed, row.name)]
    matches = list(plain_products(typed, matches))
    matches = matches or list(by_product(rows, typed.strip(), memory_mib=None))
    if len(matches) == 1:
        return matches[0]
    if matches:
        reason = "could be any of several accelerators, write one of them in full"
        raise SpecError(field, typed, reason, [row.name for row in matches])
    reason = "is no accelerator of the catalog (qwen3 catalog accelerators lists all)"
    raise SpecError(field, typed, reason, _nearest(typed, [row.name for row in rows]))


def resolve_engine(typed: str, catalog: Catalog, *, field: str = "engine") -> str:
    """Find the engine that is meant; ``auto`` stays ``auto``.

    Raises:
        SpecError: no such engine.
    """
    names = ["auto", *(row.name for row in catalog.engines)]
    wanted = typed.strip().lower()
    if wanted in names:
        return wanted
    raise SpecError(field, typed, "is no engine that is planned", nearest_first(typed, names))


def _nearest(typed: str, names: Sequence[str]) -> tuple[str, ...]:
    return nearest_first(typed, names)[:MAX_CHOICES]
