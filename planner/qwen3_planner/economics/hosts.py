"""Own GPUs against hosts that sell tokens: from which volume on the GPUs are cheaper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import ApiPrice

MILLION = 1e6
HOURS_PER_DAY = 24.0
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests of one kind.

    Attributes:
        input_tokens: of each prompt.
        output_tokens: of each answer, thinking left out.
        thinking_tokens: generated before the answer; hosts bill them as output, some dearer.
    """

    input_tokens: int
    output_tokens: int
    thinking_tokens: int = 0

    @property
    def generated_tokens(self) -> int:
        """Tokens that the model generates for one request."""
        return self.output_tokens + self.thinking_tokens


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where the bills of own GPUs and of a host are equal.

    Attributes:
        usd_per_request: that the host asks.
        requests_per_hour: at which its bill is that of the GPUs.
        tokens_per_day: input and generated tokens together at that volume.
        share_of_capacity: of what the GPUs can serve; above 1 they never pay.
    """

    usd_per_request: float
    requests_per_hour: float
    tokens_per_day: float
    share_of_capacity: float

    @property
    def is_reachable(self) -> bool:
        """Whether the GPUs can serve the volume from which they are cheaper."""
        return self.share_of_capacity <= 1.0


def usd_per_request(price: ApiPrice, usage: Usage) -> float:
    """Return what a host asks for one request.

    With thinking, the whole output is billed at the price for it where the host has one.

    >>> from qwen3_planner.catalog.figures import ApiPrice
    >>> price = ApiPrice("m", "h", 0.1, 0.4, "", "", usd_per_million_reasoning=4.0)
    >>> 1e6 * usd_per_request(price, Usage(1000, 500)), usd_per_request(price, Usage(0, 1, 999))
    (300.0, 0.004)
    """
    output = price.usd_per_million_output
    if usage.thinking_tokens and price.usd_per_million_reasoning is not None:
        output = price.usd_per_million_reasoning
    return (
        usage.input_tokens * price.usd_per_million_input + usage.generated_tokens * output
    ) / MILLION


def break_even(
    usd_per_hour: float, requests_per_s: float, price: ApiPrice, usage: Usage
) -> BreakEven:
    """Return the volume from which own GPUs are cheaper than a host.

    Args:
        usd_per_hour: of the GPUs, whether they are busy or not.
        requests_per_s: that they can serve at the most.
        price: of the host.
        usage: of each request; the same on both sides.
    """
    asked = usd_per_request(price, usage)
    per_hour = usd_per_hour / asked
    tokens = usage.input_tokens + usage.generated_tokens
    return BreakEven(
        usd_per_request=asked,
        requests_per_hour=per_hour,
        tokens_per_day=per_hour * tokens * HOURS_PER_DAY,
        share_of_capacity=per_hour / (requests_per_s * SECONDS_PER_HOUR),
    )
