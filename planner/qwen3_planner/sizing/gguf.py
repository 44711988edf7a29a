"""The size of a GGUF file: every tensor in the type llama-quantize gives it, and the header.

Exact to the byte for Qwen's own dense files, to a few kB for other stock files. Files whose tensors
were given other types by hand (Unsloth's UD files), or with another importance matrix, follow no
rule: their header says what they hold (:mod:`qwen3_planner.checkpoints.gguf`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.request import Quantization
from qwen3_planner.sizing.ggml_types import TYPES, GgmlType
from qwen3_planner.sizing.gguf_mixes import (
    MIXES,
    UNQUANTIZED_ROLES,
    Place,
    fitting_type,
    head_type,
    meant_type,
    needs_importance_matrix,
)
from qwen3_planner.sizing.gguf_tensors import OUTSIDE, GgufTensor, gguf_tensors
from qwen3_planner.units import round_up

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

ALIGNMENT: Final = 32
"""Multiple that the header and each tensor are padded to. Source: ggml-org/llama.cpp b11549
ggml/include/gguf.h GGUF_DEFAULT_ALIGNMENT."""

TENSOR_INFO_BYTES: Final = 24
"""Of one tensor description besides its name (length, dimension count, type, offset)."""

DIMENSION_BYTES: Final = 8
"""Of one dimension in a tensor description."""

PREAMBLE_BYTES: Final = 24
"""Magic, version, and the counts of tensors and of metadata."""

METADATA_BYTES: Final = 5_932_858
"""Metadata of a dense Qwen3: the tokenizer's 151,936 tokens with their types, its merges, the chat
template, and some fifty short values.

Solved from the sizes of Qwen/Qwen3-{0.6B,1.7B}-GGUF Q8_0 (639,446,688 and 1,834,426,016 bytes) and
Qwen/Qwen3-{4B,8B,14B}-GGUF Q4_K_M (2,497,280,256, 5,027,783,488 and 9,001,752,960 bytes), which
admit 5,932,855 to 5,932,859; uploads with another chat template differ by about 1 kB."""

COMMON_VOCABULARY: Final = 151_936
"""Tokens that the metadata above has."""

PADDING_TOKEN_BYTES: Final = 23
"""Of a further token that only fills up the vocabulary: length, text, type."""

EXPERT_METADATA_BYTES: Final = 160
"""Of what a mixture of experts states besides: three keys, and a longer name of architecture in
each of the others."""

SCALES_ARE_F32: Final = "F32"


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor in the type it is stored in.

    Attributes:
        tensor: name and shape.
        kind: element type.
    """

    tensor: GgufTensor
    kind: GgmlType

    @property
    def n_bytes(self) -> int:
        """Bytes of its data."""
        return self.kind.n_bytes(self.tensor.elements)


def file_type_of(quantization: Quantization) -> str:
    """Return the file type's own name.

    >>> from qwen3_planner.request import Quantization
    >>> file_type_of(Quantization.GGUF_Q4_K_M)
    'Q4_K_M'

    Raises:
        ValueError: the format is no GGUF file type.
    """
    if not quantization.is_gguf:
        raise ValueError(quantization)
    return quantization.value.removeprefix("gguf:")


def type_in_name(file: str) -> Quantization | None:
    """Find the type that the name of a GGUF file says.

    >>> [str(type_in_name(name)) for name in ("Qwen3-8B-q4_k_m.gguf", "Qwen3-8B-Q4_K_S.gguf")]
    ['gguf:Q4_K_M', 'gguf:Q4_K_S']
    >>> type_in_name("mine.gguf") is None
    True
    """
    words = file.lower().removesuffix(".gguf").replace(".", "-").split("-")
    types = (each for each in Quantization if each.is_gguf)
    return next((each for each in types if each.value.partition(":")[2].lower() in words), None)


@lru_cache(maxsize=256)
def stored_tensors(
    model: ModelArchitecture, file_type: str, *, with_imatrix: bool | None = None
) -> tuple[StoredTensor, ...]:
    """List the tensors of a stock file with their types.

    Args:
        model: the architecture.
        file_type: ``Q4_K_M``; a name of :data:`qwen3_planner.sizing.gguf_mixes.MIXES`.
        with_imatrix: whether it was made with an importance matrix; None: only where the type
            cannot be made without.
    """
    given = needs_importance_matrix(file_type) if with_imatrix is None else with_imatrix
    tensors = gguf_tensors(model)
    is_tied = all(tensor.role != "output" for tensor in tensors)
    visits: Counter[str] = Counter()
    stored = []
    for tensor in tensors:
        role = _shared_role(tensor.role)
        place = Place(
            index=tensor.layer,
            count=model.layers,
            ratio=model.attention_heads // model.kv_heads,
            with_imatrix=given,
            visited=visits[role],
            has_experts=model.experts >= 4,  # noqa: PLR2004 - as llama-quantize asks
        )
        stored.append(StoredTensor(tensor, _type_of(file_type, tensor, role, place, is_tied)))
        visits[role] += 1
    return tuple(stored)


def _shared_role(role: str) -> str:
    """Name the role as llama-quantize groups them: by a part of the tensor's name."""
    for prefix in ("ffn_down", "ffn_up", "ffn_gate"):
        if role.startswith(prefix) and not role.startswith("ffn_gate_inp"):
            return prefix
    return "attn_v" if role == "attn_qkv" else role


def _type_of(
    file_type: str,
    tensor: GgufTensor,
    role: str,
    place: Place,
    is_tied: bool,  # noqa: FBT001 - private
) -> GgmlType:
    if len(tensor.shape) == 1 or role in UNQUANTIZED_ROLES:
        return TYPES[SCALES_ARE_F32]
    row = tensor.shape[0]
    if role == "output" or (is_tied and role == "token_embd"):
        return head_type(file_type, row)
    return fitting_type(meant_type(file_type, role, place), row)


@lru_cache(maxsize=256)
def tensor_bytes(
    model: ModelArchitecture, file_type: str, *, with_imatrix: bool | None = None
) -> int:
    """Return the bytes of all tensors of a stock file.

    Args:
        model: the architecture.
        file_type: as for :func:`stored_tensors`.
        with_imatrix: likewise.
    """
    stored = stored_tensors(model, file_type, with_imatrix=with_imatrix)
    return sum(tensor.n_bytes for tensor in stored)


@lru_cache(maxsize=64)
def header_bytes(model: ModelArchitecture) -> int:
    """Return the bytes before the first tensor: metadata and tensor descriptions, padded."""
    descriptions = sum(
        TENSOR_INFO_BYTES + len(tensor.name) + DIMENSION_BYTES * len(tensor.shape)
        for tensor in gguf_tensors(model)
    )
    metadata = METADATA_BYTES + (EXPERT_METADATA_BYTES if model.is_moe else 0)
    metadata += (model.vocab_size - COMMON_VOCABULARY) * PADDING_TOKEN_BYTES
    return round_up(PREAMBLE_BYTES + max(0, metadata) + descriptions, ALIGNMENT)


def file_bytes(
    model: ModelArchitecture, file_type: str, *, with_imatrix: bool | None = None
) -> int:
    """Return the size of a stock file, header and padding included.

    Args:
        model: the architecture.
        file_type: as for :func:`stored_tensors`.
        with_imatrix: likewise.
    """
    stored = stored_tensors(model, file_type, with_imatrix=with_imatrix)
    padded = sum(round_up(tensor.n_bytes, ALIGNMENT) for tensor in stored)
    return header_bytes(model) + padded


def layer_bytes(stored: tuple[StoredTensor, ...], layer: int) -> int:
    """Return the bytes of one layer's tensors; ``OUTSIDE`` for what is in none."""
    return sum(each.n_bytes for each in stored if each.tensor.layer == layer)


def known_file_types() -> tuple[str, ...]:
    """Return the file types whose mixes are known, most precise first."""
    return tuple(MIXES)


__all__ = [
    "OUTSIDE",
    "StoredTensor",
    "file_bytes",
    "file_type_of",
    "header_bytes",
    "known_file_types",
    "layer_bytes",
    "needs_importance_matrix",
    "stored_tensors",
    "tensor_bytes",
]
