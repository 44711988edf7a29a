"""What the header of a checkpoint says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeaderTensor:
    """One tensor of the files.

    Attributes:
        name: as the file spells it.
        dtype: element type as the file names it (``BF16``).
        shape: in elements of that type.
        n_bytes: that it takes in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    n_bytes: int


@dataclass(frozen=True, slots=True)
class CheckpointHeader:
    """The tensors of a checkpoint, of one file or of several.

    Attributes:
        place: file or folder, as it was named.
        tensors: all of them, in the order of the files.
    """

    place: str
    tensors: tuple[HeaderTensor, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of all tensors together, without the headers."""
        return sum(tensor.n_bytes for tensor in self.tensors)
