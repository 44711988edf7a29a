"""What speaks for an option, and what it gives up, in short sentences with figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.ladders import ladder_of
from qwen3_planner.recommend.need import READING
from qwen3_planner.request import EngineName
from qwen3_planner.units import format_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.choosing import Licence, Score
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.recommend.search import Found, Terms


def reasons_of(found: Found, score: Score | None, benchmark: str) -> Iterator[str]:
    """Yield what speaks for an option, the deciding thing first.

    Args:
        found: the way to serve it.
        score: that gave it its place.
        benchmark: that decides first.
    """
    plan = found.plan
    if score is None:
        yield f"no published score on {benchmark} is known here"
    else:
        by = "" if score.benchmark == benchmark else f", placed by it for want of {benchmark}"
        mode = "" if score.mode == READING else f"{score.mode}{by}"
        yield f"{score.benchmark} {score.score:g}{f' ({mode})' if mode else ''}"
    speed = plan.performance
    if speed is not None:
        each = "one request" if speed.concurrency == 1 else f"{speed.concurrency:,} requests"
        where = "" if plan.replicas == 1 else " a replica"
        yield (
            f"{format_ms(speed.tpot_ms)} a token, first after {format_ms(speed.ttft_ms)},"
            f" at {each} in flight{where}"
        )
    elif plan.reading is not None:
        read = plan.reading
        each = "one request" if read.concurrency == 1 else f"{read.concurrency:,} requests"
        yield (
            f"answers after {format_ms(read.ttft_ms)} at {each} of {read.input_tokens:,} tokens in"
            f" flight, reads at most {read.saturation_input_tokens_per_second:,.0f} tokens a second"
        )
    elif plan.memory.max_concurrency:
        at_once = plan.memory.max_concurrency
        yield f"{at_once:,.1f} requests of {plan.max_model_len:,} tokens at once"
    usd = found.usd_per_hour
    if usd is not None and found.rate is not None:
        yield f"${usd:.2f} an hour ({found.rate.source})"


def gives_up_of(
    found: Found, model: ModelArchitecture, terms: Terms, licence: Licence | None
) -> Iterator[str]:
    """Yield what an option does not have.

    Args:
        found: the way to serve it.
        model: the variant.
        terms: that were wanted.
        licence: of its checkpoint; None where it was not read.
    """
    plan = found.plan
    full = ladder_of(EngineName(plan.engine))[0].value
    if plan.quantization != full or plan.quantization.startswith("gguf:"):
        yield f"{plan.quantization} weights: scores are of 16-bit ones"
    native = model.max_position_embeddings
    if plan.max_model_len < (terms.context or native):
        yield f"{plan.max_model_len:,} of {terms.context or native:,} tokens of context"
    elif plan.max_model_len > native:
        yield f"context stretched beyond its native {native:,} tokens"
    if found.usd_per_hour is None:
        yield "no price of the hardware is known"
    if licence is None:
        yield "the licence of this checkpoint was not read"
