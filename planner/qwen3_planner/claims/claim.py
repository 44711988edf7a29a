"""A claim, taken apart into what can be checked, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from qwen3_planner.request import PlanRequest


class Verdict(StrEnum):
    """How true a claim is, truest first."""

    TRUE = "true"
    ONLY_IF = "only-if"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class FitsCheck:
    """A model runs on some hardware.

    Attributes:
        request: the question; what the claim leaves out is left to the planner.
        hardware: short form.
        spare_share: share of the GPU's budget that must be left beside what the load needs.
        ttft_ms: mean time to the first token that the claim promises; None: it promises none.
        tpot_ms: mean time per token after it, likewise.
        output_tokens_per_second: that one replica generates, likewise.
    """

    request: PlanRequest
    hardware: str
    spare_share: float = 0.0
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    output_tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class FootprintCheck:
    """A model takes about the memory of a dense one of some size, at the same precision.

    Attributes:
        model: catalog name.
        like_parameters: of the dense model it is compared with.
        tolerance: relative difference up to which the two are alike.
    """

    model: str
    like_parameters: int
    tolerance: float = 0.25


@dataclass(frozen=True, slots=True)
class ExistsCheck:
    """There is a dense model of the family of some size.

    Attributes:
        parameters: stated size.
        tolerance: relative difference up to which a size counts as that one; names are rounded.
    """

    parameters: int
    tolerance: float = 0.1


@dataclass(frozen=True, slots=True)
class ArchitectureCheck:
    """There is a mixture-of-experts model of such a shape; what is None is not claimed.

    Attributes:
        experts: routed experts of a layer.
        experts_per_token: that one token visits.
        parameters: all of them.
        active_parameters: that one token passes through.
        tolerance: of the two counts of parameters, relative; names are rounded.
    """

    experts: int | None = None
    experts_per_token: int | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    tolerance: float = 0.1


Check: TypeAlias = FitsCheck | FootprintCheck | ExistsCheck | ArchitectureCheck


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody said.

    Attributes:
        name: its id.
        text: in their words.
        checks: what it comes to; all must hold.
    """

    name: str
    text: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check, or a whole claim, comes to.

    Attributes:
        verdict: how true it is.
        why: in a sentence or two.
        arithmetic: the sums behind it, one a line.
    """

    verdict: Verdict
    why: str
    arithmetic: tuple[str, ...]
