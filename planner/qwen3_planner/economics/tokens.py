"""What a million tokens cost and how much energy they take, at a planned load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.economics.power import DEFAULT_PUE, drawn_watts
from qwen3_planner.performance.load import added_seconds

if TYPE_CHECKING:
    from qwen3_planner.performance.load import Load, Server, Service

MILLION = 1e6
SECONDS_PER_HOUR = 3600.0
JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True)
class TokenCost:
    """Prices of tokens at a load, in dollars.

    Attributes:
        usd_per_hour: of the GPUs of all replicas.
        per_million_output: all that is paid, over the tokens that are generated.
        per_million_input: the part of it that computing prompts takes, over their tokens.
        per_million_output_only: the rest, over the tokens that are generated.
    """

    usd_per_hour: float
    per_million_output: float
    per_million_input: float
    per_million_output_only: float


def token_cost(
    usd_per_hour: float, server: Server, load: Load, service: Service, replicas: int = 1
) -> TokenCost:
    """Return what tokens cost while every replica carries this load.

    Prompts and answers share the GPUs; a prompt is charged the time by which it lengthens the
    steps that it is computed in.

    Args:
        usd_per_hour: of the GPUs of all replicas.
        server: one replica.
        load: that each of them carries.
        service: what each of them delivers.
        replicas: of the deployment.
    """
    usd_per_request = usd_per_hour / SECONDS_PER_HOUR / (replicas * service.requests_per_s)
    prompt = added_seconds(server, load.input_tokens)
    share = min(1.0, prompt * service.requests_per_s)
    return TokenCost(
        usd_per_hour=usd_per_hour,
        per_million_output=MILLION * usd_per_request / load.output_tokens,
        per_million_input=MILLION * share * usd_per_request / load.input_tokens,
        per_million_output_only=MILLION * (1.0 - share) * usd_per_request / load.output_tokens,
    )


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy at a load.

    Attributes:
        watts: of all replicas, their servers' share and cooling included.
        kwh_per_million_output: over the tokens that are generated.
    """

    watts: float
    kwh_per_million_output: float

    def usd_per_million_output(self, usd_per_kwh: float) -> float:
        """Return what the electricity of a million generated tokens costs."""
        return self.kwh_per_million_output * usd_per_kwh


def energy(
    board_watts: float, gpus: int, output_tokens_per_s: float, pue: float = DEFAULT_PUE
) -> Energy:
    """Return the energy that a load takes.

    Args:
        board_watts: of one GPU (its TDP).
        gpus: of all replicas.
        output_tokens_per_s: of all replicas.
        pue: power of the building for each watt of the servers.

    >>> energy(700.0, 8, 2000.0)
    Energy(watts=6720.0, kwh_per_million_output=0.9333333333333333)
    """
    watts = drawn_watts(board_watts, gpus) * pue
    joules = watts / output_tokens_per_s * MILLION
    return Energy(watts, joules / JOULES_PER_KWH)
