"""Safetensors files made by hand: a true header, and data of the true size that takes no disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from qwen3_planner.sizing.files import DTYPE_BITS, FileTensor, checkpoint_tensors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.sizing.formats import WeightFormat


def each(tensors: Iterable[FileTensor]) -> Iterator[FileTensor]:
    """Write every expert's tensor apart."""
    for tensor in tensors:
        if "*" not in tensor.name:
            yield tensor
            continue
        for index in range(tensor.copies):
            yield FileTensor(tensor.name.replace("*", str(index)), tensor.dtype, tensor.shape)


def header_of(tensors: Iterable[FileTensor]) -> dict[str, object]:
    """Place tensors one after the other."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for tensor in tensors:
        end = place + tensor.n_bytes
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [place, end],
        }
        place = end
    return header


def write_file(path: Path, tensors: Iterable[FileTensor]) -> Path:
    """Write one file."""
    tensors = list(tensors)
    data_bytes = sum(tensor.n_bytes for tensor in tensors)
    return write_raw(path, json.dumps(header_of(tensors)).encode(), data_bytes)


def write_raw(path: Path, text: bytes, data_bytes: int, *, claimed: int | None = None) -> Path:
    """Write a header as it is, before that many bytes of data."""
    length = len(text) if claimed is None else claimed
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + data_bytes)
    return path


def write_folder(folder: Path, tensors: Iterable[FileTensor], shards: int = 1) -> Path:
    """Write a checkpoint of one file, or of several with their index."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = list(tensors)
    if shards == 1:
        write_file(folder / "model.safetensors", tensors)
        return folder
    places: dict[str, str] = {}
    for shard in range(shards):
        name = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = tensors[shard::shards]
        write_file(folder / name, part)
        places |= {tensor.name: name for tensor in part}
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def checkpoint_of(model: ModelArchitecture, fmt: WeightFormat) -> list[FileTensor]:
    """List every tensor of a checkpoint of this format."""
    return list(each(checkpoint_tensors(model, fmt)))


def bits_of(dtype: str) -> int:
    """Return the width of an element type."""
    return DTYPE_BITS[dtype]
