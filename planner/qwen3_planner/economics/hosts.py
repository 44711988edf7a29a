"""What hosts that sell tokens ask for a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import ApiPrice

MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests of one kind.

    Attributes:
        input_tokens: of each prompt.
        output_tokens: of each answer, thinking left out; 0 where the model yields no text.
        thinking_tokens: generated before the answer; hosts bill them as output, some dearer.
    """

    input_tokens: int
    output_tokens: int
    thinking_tokens: int = 0

    @property
    def generated_tokens(self) -> int:
        """Tokens that the model generates for one request."""
        return self.output_tokens + self.thinking_tokens

    @property
    def counted_tokens(self) -> int:
        """Tokens of one request that a price per token is told over: generated, or else read."""
        return self.generated_tokens or self.input_tokens


def usd_per_request(price: ApiPrice, usage: Usage) -> float:
    """Return what a host asks for one request.

    With thinking, the whole output is billed at the price for it where the host has one.

    >>> from qwen3_planner.catalog.figures import ApiPrice
    >>> price = ApiPrice("m", "h", 0.1, 0.4, "", "", usd_per_million_reasoning=4.0)
    >>> 1e6 * usd_per_request(price, Usage(1000, 500)), usd_per_request(price, Usage(0, 1, 999))
    (300.0, 0.004)
    """
    output = price.usd_per_million_generated(is_thinking=usage.thinking_tokens > 0)
    return (
        usage.input_tokens * price.usd_per_million_input + usage.generated_tokens * output
    ) / MILLION
