"""The answer to "which variant?" as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.choosing import Licence, Score
    from qwen3_planner.economics.rates import GpuRate, Paying, PriceLists
    from qwen3_planner.plan import Plan
    from qwen3_planner.recommend.need import Need
    from qwen3_planner.recommend.policy import Barred, Policy


class Preference(StrEnum):
    """Which plan of a variant is told where several do what is wanted."""

    PRECISION = "precision"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted.

    Attributes:
        needs: what for; the first orders the variants, all of them must be met.
        users: requests in flight over all replicas.
        input_tokens: of each prompt; None: not stated.
        output_tokens: of each answer; None: not stated.
        thinking_tokens: generated before an answer where the variant thinks.
        thinks: whether answers may be thought about; None: as the need says.
        context: tokens of the longest request; None: as the need says, else native.
        ttft_ms: limit on the mean time to the first token.
        tpot_ms: limit on the mean time per token after it; binds no model that yields no text.
        usd_per_hour: limit on what the GPUs of all replicas cost.
        policy: what may be used.
        paying: how the GPUs are paid for.
        lists: what GPUs cost.
        prefers: the most precise weights that do, or the cheapest plan that does.
    """

    needs: tuple[Need, ...]
    policy: Policy
    paying: Paying
    lists: PriceLists
    users: int = 1
    input_tokens: int | None = None
    output_tokens: int | None = None
    thinking_tokens: int = 0
    thinks: bool | None = None
    context: int | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    usd_per_hour: float | None = None
    prefers: Preference = Preference.PRECISION


@dataclass(frozen=True, slots=True)
class Option:
    """A variant that does what is wanted.

    Attributes:
        variant: catalog name.
        mode: ``thinking``, ``non-thinking``, or ``reading`` of what yields no text.
        plan: of all its replicas.
        score: that gave it its place; None where none was published.
        rate: of one GPU; None where no price is known.
        usd_per_hour: of all GPUs; None likewise.
        licence: of the checkpoint; None where it was not read.
        reasons: what speaks for it.
        gives_up: what it does not have.
    """

    variant: str
    mode: str
    plan: Plan
    score: Score | None
    rate: GpuRate | None
    usd_per_hour: float | None
    licence: Licence | None
    reasons: tuple[str, ...]
    gives_up: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A variant that does not.

    Attributes:
        variant: catalog name.
        rule: CamelCase name of what stands against it.
        message: why, with figures.
        fix: a change that would help, as options; empty where none is known.
        score: that would give it its place; None where none was published.
    """

    variant: str
    rule: str
    message: str
    fix: str = ""
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The whole answer.

    Attributes:
        wish: what was wanted.
        options: best first.
        rejected: the others that do what is needed, best first.
        unsuited: variants that cannot do it at all.
        barred: accelerators that export rules keep from the region.
        warnings: what the reader should know.
    """

    wish: Wish
    options: tuple[Option, ...]
    rejected: tuple[Rejected, ...]
    unsuited: tuple[Rejected, ...]
    barred: tuple[Barred, ...] = ()
    warnings: tuple[str, ...] = ()
