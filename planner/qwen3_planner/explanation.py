"""A plan term by term: frozen values whose sums are the plan's own figures.

Made by :mod:`qwen3_planner.explaining`: the memory of the GPU with the least room, in bytes, and
the speed of one replica, in milliseconds.
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
class TimeTerm:
    """One addend of a time.

    Attributes:
        name: what takes it (``reading weights``).
        milliseconds: how long.
        formula: how that comes about, with the numbers put in.
    """

    name: str
    milliseconds: float
    formula: str


@dataclass(frozen=True, slots=True)
class TimePart:
    """One time of a plan with its addends.

    Attributes:
        name: what it is (``a token``).
        figure: its name in the plan's ``provenance`` (``performance.tpotMs``).
        milliseconds: what the plan says.
        terms: addends; their sum is ``milliseconds``.
        basis: how the figure comes about.
        relative_error: one standard deviation.
        source: of the efficiencies behind it.
    """

    name: str
    figure: str
    milliseconds: float
    terms: tuple[TimeTerm, ...]
    basis: Basis
    relative_error: float
    source: str


@dataclass(frozen=True, slots=True)
class ReachedRate:
    """A rate of the hardware, and how much of it is reached.

    Attributes:
        name: what is done at this rate.
        nominal: of the data sheet.
        share: that is reached.
        unit: of the nominal rate.
    """

    name: str
    nominal: float
    share: float
    unit: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where the memory of one GPU goes.

    Attributes:
        rank: of the GPU with the least room.
        gpus: of the replica.
        budget: what the engine may take; its terms start from the device.
        parts: what it takes, the KV cache last.
        times: the plan's time per token and to the first one; empty where no speed is known.
        rates: the hardware's rates behind them.
    """

    rank: int
    gpus: int
    budget: Part
    parts: tuple[Part, ...]
    times: tuple[TimePart, ...] = ()
    rates: tuple[ReachedRate, ...] = ()

    @property
    def left_bytes(self) -> int:
        """What no part takes: less than a KV block where the engine takes all that it may."""
        return self.budget.n_bytes - sum(part.n_bytes for part in self.parts)
