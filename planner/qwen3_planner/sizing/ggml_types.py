"""The element types of ggml: how many bytes a row of elements takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class GgmlType:
    """One element type.

    Attributes:
        name: as llama.cpp prints it, upper case (``Q4_K``).
        number: in a GGUF tensor description.
        block: elements that are stored together; a row is a multiple of it.
        block_bytes: bytes of one block.
    """

    name: str
    number: int
    block: int
    block_bytes: int

    @property
    def is_quantized(self) -> bool:
        """Whether elements share a scale."""
        return self.block > 1

    def n_bytes(self, elements: int) -> int:
        """Return the bytes of so many elements, a multiple of the block.

        >>> TYPES["Q4_K"].n_bytes(256), TYPES["F32"].n_bytes(128)
        (144, 512)
        """
        return elements // self.block * self.block_bytes


_ROWS: Final = (
    ("F32", 0, 1, 4),
    ("F16", 1, 1, 2),
    ("Q4_0", 2, 32, 18),
    ("Q4_1", 3, 32, 20),
    ("Q5_0", 6, 32, 22),
    ("Q5_1", 7, 32, 24),
    ("Q8_0", 8, 32, 34),
    ("Q8_1", 9, 32, 36),
    ("Q2_K", 10, 256, 84),
    ("Q3_K", 11, 256, 110),
    ("Q4_K", 12, 256, 144),
    ("Q5_K", 13, 256, 176),
    ("Q6_K", 14, 256, 210),
    ("Q8_K", 15, 256, 292),
    ("IQ2_XXS", 16, 256, 66),
    ("IQ2_XS", 17, 256, 74),
    ("IQ3_XXS", 18, 256, 98),
    ("IQ1_S", 19, 256, 50),
    ("IQ4_NL", 20, 32, 18),
    ("IQ3_S", 21, 256, 110),
    ("IQ2_S", 22, 256, 82),
    ("IQ4_XS", 23, 256, 136),
    ("I8", 24, 1, 1),
    ("I16", 25, 1, 2),
    ("I32", 26, 1, 4),
    ("I64", 27, 1, 8),
    ("F64", 28, 1, 8),
    ("IQ1_M", 29, 256, 56),
    ("BF16", 30, 1, 2),
    ("TQ1_0", 34, 256, 54),
    ("TQ2_0", 35, 256, 66),
    ("MXFP4", 39, 32, 17),
    ("NVFP4", 40, 64, 36),
)

TYPES: Final = {row[0]: GgmlType(*row) for row in _ROWS}
"""By name. Source: ggml-org/llama.cpp b11549 (PyPI xllamacpp 2026.10.11549)
gguf-py/gguf/constants.py GGML_QUANT_SIZES, ggml/src/ggml-common.h; read 2026-11-23."""

TYPES_BY_NUMBER: Final = {row.number: row for row in TYPES.values()}
"""By the number in a tensor description."""
