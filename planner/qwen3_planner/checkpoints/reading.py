"""Reading the headers of safetensors files: one file, or a folder with an index of several.

A file is eight bytes of length (little endian), that many bytes of JSON, then the data. Only the
header is read, and nothing in it is trusted: sizes must be those of the shapes, and the tensors
must fill the data without gap or overlap. Source: https://github.com/huggingface/safetensors
README.md "Format" and safetensors/src/tensor.rs.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.checkpoints.header import CheckpointHeader, HeaderTensor
from qwen3_planner.errors import SpecError
from qwen3_planner.sizing.files import DTYPE_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH_BYTES = 8
LARGEST_HEADER_BYTES = 100_000_000
"""What the format's own library accepts."""

MOST_SIDES = 8
LARGEST_SIZE = 2**56
"""Bounds beyond which a header is damaged or hostile: no tensor has so many sides or elements."""

INDEX = "model.safetensors.index.json"
ENDING = ".safetensors"
_METADATA = "__metadata__"
_LARGEST_INDEX_BYTES = 200_000_000


def holds_weights(folder: Path) -> bool:
    """Whether a folder has safetensors files or an index of them."""
    return (folder / INDEX).is_file() or any(_files(folder))


def read_checkpoint(path: str | Path, *, field: str = "--from-checkpoint") -> CheckpointHeader:
    """Read the tensors of a file, or of the folder of a checkpoint.

    A folder's index decides which files belong to it; without one all its safetensors files do.

    Args:
        path: of the file or the folder.
        field: option or argument that named it, for messages.

    Raises:
        SpecError: there are no weights, a file is damaged, or the files contradict their index.
    """
    place = Path(path).expanduser()
    typed = str(path)
    if place.is_dir():
        if (place / INDEX).is_file():
            return CheckpointHeader(typed, tuple(_indexed(place, typed, field)))
        files = list(_files(place))
        if not files:
            raise SpecError(field, typed, f"holds no {ENDING} file", ("a folder with weights",))
        return CheckpointHeader(typed, _together(files, field))
    if not place.is_file():
        raise SpecError(field, typed, "is no file and no folder")
    if place.suffix != ENDING:
        reason = f"is no {ENDING} file; give one, or the folder that holds it"
        raise SpecError(field, typed, reason)
    return CheckpointHeader(typed, tuple(_read_file(place, field)))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob(f"*{ENDING}")) if path.is_file())


def _together(files: list[Path], field: str) -> tuple[HeaderTensor, ...]:
    found: dict[str, HeaderTensor] = {}
    for path in files:
        for tensor in _read_file(path, field):
            if tensor.name in found:
                reason = f"holds {tensor.name}, which another file of the folder holds as well"
                raise SpecError(field, str(path), reason)
            found[tensor.name] = tensor
    return tuple(found.values())


def _indexed(folder: Path, typed: str, field: str) -> Iterator[HeaderTensor]:
    """Yield the tensors of the files that the index names.

    Raises:
        SpecError: a file is missing, or lacks a tensor that the index promises.
    """
    promised = _read_index(folder, typed, field)
    for name in dict.fromkeys(promised.values()):
        path = folder / name
        if not path.is_file():
            reason = f"lacks {name}, which its {INDEX} names; is the download complete?"
            raise SpecError(field, typed, reason)
        held = {tensor.name: tensor for tensor in _read_file(path, field)}
        for tensor_name, file in promised.items():
            if file != name:
                continue
            if tensor_name not in held:
                reason = f"{name} lacks {tensor_name}, which {INDEX} places there"
                raise SpecError(field, typed, reason)
            yield held[tensor_name]


def _read_index(folder: Path, typed: str, field: str) -> dict[str, str]:
    path = folder / INDEX
    try:
        if path.stat().st_size > _LARGEST_INDEX_BYTES:
            raise SpecError(field, typed, f"its {INDEX} is too large to be one")
        index = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(field, typed, f"its {INDEX} cannot be read: {error}") from None
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict) or not places:
        raise SpecError(field, typed, f"its {INDEX} has no weight_map")
    for name, file in places.items():
        if not isinstance(file, str) or Path(file).name != file or not file.endswith(ENDING):
            reason = f"its {INDEX} places {name} in {json.dumps(file)}, which is no file beside it"
            raise SpecError(field, typed, reason)
    return places


def _read_file(path: Path, field: str) -> list[HeaderTensor]:
    """Read one file's header and check it against the file's size.

    Raises:
        SpecError: it cannot be read, or is no complete safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(LENGTH_BYTES), "little")
            if size < LENGTH_BYTES or length > min(LARGEST_HEADER_BYTES, size - LENGTH_BYTES):
                reason = (
                    f"is no complete {ENDING} file: it has {size} bytes and claims a header of"
                    f" {length}"
                )
                raise SpecError(field, str(path), reason)
            text = file.read(length)
    except OSError as error:
        raise SpecError(field, str(path), f"cannot be read: {error.strerror}") from None
    header = _parse(text, path, field)
    return _checked(header, size - LENGTH_BYTES - length, path, field)


def _parse(text: bytes, path: Path, field: str) -> dict[str, Any]:
    try:
        header = json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise SpecError(field, str(path), f"its header cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise SpecError(field, str(path), "its header is no JSON object")
    header.pop(_METADATA, None)
    return header


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _checked(header: dict[str, Any], data_bytes: int, path: Path, field: str) -> list[HeaderTensor]:
    """Check that the tensors fill the data: in order, without gap or overlap."""
    found = [(*_span(name, entry, path, field), name, entry) for name, entry in header.items()]
    found.sort(key=lambda item: item[:2])
    place = 0
    tensors = []
    for begin, end, name, entry in found:
        if begin != place:
            what = "overlaps the one before" if begin < place else "leaves a gap before it"
            raise SpecError(field, str(path), f"is damaged: {name} {what}")
        place = end
        tensors.append(HeaderTensor(name, entry["dtype"], tuple(entry["shape"]), end - begin))
    if place != data_bytes:
        reason = f"is not complete: its tensors take {place} bytes, it holds {data_bytes}"
        raise SpecError(field, str(path), reason)
    return tensors


def _span(name: str, entry: object, path: Path, field: str) -> tuple[int, int]:
    """Return where a tensor begins and ends, as far as its entry makes sense.

    Raises:
        SpecError: the entry lacks something, or its size is not that of its shape.
    """
    values = entry if isinstance(entry, dict) else {}
    dtype = values.get("dtype")
    shape, offsets = _sizes(values.get("shape")), _sizes(values.get("data_offsets"))
    bits = DTYPE_BITS.get(dtype) if isinstance(dtype, str) else None
    if bits is None:
        reason = f"has an element type that is not known for {name}: {json.dumps(dtype)}"
        raise SpecError(field, str(path), reason, tuple(DTYPE_BITS))
    if shape is None or offsets is None or len(offsets) != 2:  # noqa: PLR2004 - begin, end
        raise SpecError(field, str(path), f"is damaged: {name} has no shape or no place")
    begin, end = offsets
    expected = prod(shape) * bits
    if expected % 8 or end - begin != expected // 8:
        reason = f"is damaged: {name} of {dtype} {list(shape)} takes {end - begin} bytes"
        raise SpecError(field, str(path), reason)
    return begin, end


def _sizes(value: object) -> list[int] | None:
    """Return a short list of sizes that a file may have; None for anything else."""
    if not isinstance(value, list) or len(value) > MOST_SIDES:
        return None
    return value if all(type(v) is int and 0 <= v < LARGEST_SIZE for v in value) else None
