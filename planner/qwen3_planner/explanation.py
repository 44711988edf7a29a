"""A plan's memory term by term: frozen values whose sums are the plan's own figures.

Made by :mod:`qwen3_planner.explaining` for the GPU with the least room. All sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.plan import Basis


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of a figure.

    Attributes:
        name: what it is (``attention``).
        n_bytes: how much; negative where it is taken off.
        formula: how that comes about, with the numbers put in; empty where it is the figure's own.
        basis: where it differs from that of the whole figure.
        source: likewise.
    """

    name: str
    n_bytes: int
    formula: str = ""
    basis: Basis | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One figure of a GPU's memory with its addends.

    Attributes:
        name: what it is (``weights``).
        figure: its name in the plan's ``provenance`` (``memory.weights``).
        n_bytes: what the plan says of this GPU.
        terms: addends; their sum is ``n_bytes``.
        basis: how the figure comes about.
        relative_error: one standard deviation.
        source: where it was read.
    """

    name: str
    figure: str
    n_bytes: int
    terms: tuple[Term, ...]
    basis: Basis
    relative_error: float
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the memory of one GPU goes.

    Attributes:
        rank: of the GPU with the least room.
        gpus: of the replica.
        budget: what the engine may take; its terms start from the device.
        parts: what it takes, the KV cache last.
    """

    rank: int
    gpus: int
    budget: Part
    parts: tuple[Part, ...]

    @property
    def left_bytes(self) -> int:
        """What no part takes: less than a KV block where the engine takes all that it may."""
        return self.budget.n_bytes - sum(part.n_bytes for part in self.parts)
