"""The image encoder of a model as a GGUF file of its own (``mmproj``), to the byte.

Biases, norms and positions are F32, matrices F16; in a file of type Q8_0 the patch embedding is F32
as well, and a matrix is F16 where no block of 32 divides its rows. Source: ggml-org/llama.cpp
b11549 conversion/base.py, and the sizes of Qwen's own files (tests/unit/planner/sizing).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.sizing.ggml_types import TYPES
from qwen3_planner.sizing.modules import Linear, vision_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import VisionEncoder

PREAMBLE_BYTES: Final = 2148
"""Metadata of such a file. Fitted on seven of Qwen's own; the rest is within 110 bytes."""

TENSOR_INFO_BYTES: Final = 52.4
"""Name, shape, type and offset of a tensor, on average. Fitted likewise."""


@lru_cache(maxsize=64)
def encoder_bytes(vision: VisionEncoder, file_type: str) -> int:
    """Return the bytes of the encoder's tensors in a file of type F16 or Q8_0."""
    return sum(size for size, _ in _parts(vision, file_type))


@lru_cache(maxsize=64)
def encoder_file_bytes(vision: VisionEncoder, file_type: str) -> int:
    """Return the bytes of the whole file."""
    tensors = sum(count for _, count in _parts(vision, file_type))
    return encoder_bytes(vision, file_type) + PREAMBLE_BYTES + round(TENSOR_INFO_BYTES * tensors)


def _parts(vision: VisionEncoder, file_type: str) -> Iterator[tuple[int, int]]:
    """Yield bytes and number of tensors of each module."""
    half, whole, meant = TYPES["F16"], TYPES["F32"], TYPES[file_type]
    for module in vision_modules(vision):
        if isinstance(module, Linear):
            kind = meant if module.columns % meant.block == 0 else half
            matrix = kind.n_bytes(module.rows * module.columns)
            yield matrix + whole.n_bytes(module.rows), 2
        elif module.name.endswith("patch_embed.proj.weight"):  # one tensor per frame
            kind = half if meant is half else whole
            yield kind.n_bytes(module.elements), vision.temporal_patch_size
        else:
            yield whole.n_bytes(module.elements), 1
