"""What a plan says of its speed and its price, with the source and the error of each figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, log
from typing import TYPE_CHECKING

from qwen3_planner.economics.renting import rent_of
from qwen3_planner.economics.tokens import MILLION, SECONDS_PER_HOUR, energy, token_cost
from qwen3_planner.performance.load import MILLI
from qwen3_planner.performance.saturation import saturation
from qwen3_planner.plan import Basis, Cost, Performance, Provenance, ReadingPerformance
from qwen3_planner.speed import load_of, reading_of, server_of
from qwen3_planner.targeting import prediction_of, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.economics.renting import Rent
    from qwen3_planner.performance.load import Load, Server
    from qwen3_planner.performance.prediction import Interval, Prediction
    from qwen3_planner.performance.reading import Reading
    from qwen3_planner.question import Question
    from qwen3_planner.rank import Score


@dataclass(frozen=True, slots=True)
class Estimate:
    """Speed and price of one fit.

    Attributes:
        performance: of one replica; None where nothing is known of the engine's efficiency.
        cost: of all replicas; None where no price is known.
        provenance: of their figures.
        warnings: what the user should know of them.
        reading: speed of one replica of a model that generates no tokens; else None.
    """

    performance: Performance | None
    cost: Cost | None
    provenance: tuple[Provenance, ...]
    warnings: tuple[str, ...]
    reading: ReadingPerformance | None = None


def estimate(question: Question, score: Score, catalog: Catalog) -> Estimate:
    """Estimate the speed of a fit under the question's load, and what it costs."""
    load = load_of(question)
    read = reading_of(question, score.fit, catalog.efficiencies)
    if read is not None:
        return _of_reading(question, score, catalog, *read)
    server = server_of(question, score.fit, catalog.efficiencies)
    prediction = None if server is None else prediction_of(question, server, score.replicas)
    load = _as_served(question, load, prediction)
    price = _price(score, catalog)
    cost = None
    if price is not None:
        cost = _cost(score, price, server, load, prediction)
    return Estimate(
        performance=_performance(server, load, prediction),
        cost=cost,
        provenance=(*_of_speed(server, prediction), *_of_price(price)),
        warnings=tuple(_warnings(server, prediction)),
    )


def _of_reading(
    question: Question, score: Score, catalog: Catalog, server: Server, said: Reading
) -> Estimate:
    """Estimate a model that only reads."""
    load, price = load_of(question), _price(score, catalog)
    answer, tokens = _told(said.answer_s, MILLI), _told(said.input_tokens_per_s)
    cost = None
    if price is not None:
        read_per_hour = SECONDS_PER_HOUR * said.input_tokens_per_s.value * score.replicas
        cost = Cost(
            told(price.usd_per_hour),
            usd_per_million_input_tokens=told(MILLION * price.usd_per_hour / read_per_hour),
            price_as_of=price.as_of,
        )
    reading = ReadingPerformance(
        load.input_tokens,
        load.concurrency,
        *answer,
        *tokens,
        requests_per_second=told(said.requests_per_s),
        relative_error=round(said.relative_error, 3),
        saturation_concurrency=said.saturation_concurrency,
        saturation_input_tokens_per_second=told(said.saturation_input_tokens_per_s),
    )
    errors = (
        ("performance.ttftMs", said.answer_s),
        ("performance.inputTokensPerSecond", said.input_tokens_per_s),
    )
    return Estimate(
        performance=None,
        cost=cost,
        provenance=(*_of_times(server, errors), *_of_price(price)),
        warnings=tuple(_server_warnings(server)),
        reading=reading,
    )


def _performance(
    server: Server | None, load: Load, prediction: Prediction | None
) -> Performance | None:
    if server is None or prediction is None:
        return None
    full = saturation(server, load)
    ttft, tpot = _told(prediction.ttft_s, MILLI), _told(prediction.tpot_s, MILLI)
    tokens = _told(prediction.output_tokens_per_s)
    return Performance(
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        concurrency=load.concurrency,
        ttft_ms=ttft[0],
        ttft_ms_low=ttft[1],
        ttft_ms_high=ttft[2],
        tpot_ms=tpot[0],
        tpot_ms_low=tpot[1],
        tpot_ms_high=tpot[2],
        output_tokens_per_second=tokens[0],
        output_tokens_per_second_low=tokens[1],
        output_tokens_per_second_high=tokens[2],
        requests_per_second=told(prediction.requests_per_s),
        relative_error=round(prediction.relative_error, 3),
        saturation_concurrency=full.concurrency,
        saturation_output_tokens_per_second=told(full.output_tokens_per_s),
    )


def _told(interval: Interval, unit: float = 1.0) -> tuple[float, float, float]:
    return (
        told(interval.value / unit),
        told(interval.low / unit),
        told(interval.high / unit),
    )


def _as_served(question: Question, load: Load, prediction: Prediction | None) -> Load:
    """Say how many requests are in flight where they arrive at a rate (Little's law)."""
    if question.request.targets.requests_per_second is None or prediction is None:
        return load
    service = prediction.service
    life = service.ttft_s + (load.output_tokens - 1) * service.tpot_s
    return replace(load, concurrency=max(1, ceil(service.requests_per_s * life)))


@dataclass(frozen=True, slots=True)
class _Price:
    """Dollars an hour of all replicas' GPUs, and where they come from."""

    usd_per_hour: float
    source: str
    as_of: str
    relative_error: float


def _price(score: Score, catalog: Catalog) -> _Price | None:
    """Take the inventory's price, else the going rate of the catalog."""
    if score.usd_per_hour is not None:
        return _Price(score.usd_per_hour, "the inventory", "", 0.0)
    candidate = score.fit.candidate
    rent = _rent(catalog, candidate.pool.accelerator.name)
    if rent is None:
        return None
    gpus = candidate.layout.gpus_per_replica * score.replicas
    return _Price(
        usd_per_hour=gpus * rent.usd_per_hour,
        source=(
            f"middle of {rent.offers} providers' prices, ${rent.low:.2f} to ${rent.high:.2f}"
            f" per GPU-hour, newest of {rent.as_of or 'no date'}"
        ),
        as_of=rent.as_of,
        relative_error=round(rent.spread, 3),
    )


@lru_cache(maxsize=256)
def _rent(catalog: Catalog, accelerator: str) -> Rent | None:
    return rent_of(catalog.prices, accelerator)


NINETY_PERCENT = 1.645
"""Standard deviations on each side of a 90 % interval."""


def _cost(
    score: Score,
    price: _Price,
    server: Server | None,
    load: Load,
    prediction: Prediction | None,
) -> Cost:
    if server is None or prediction is None:
        return Cost(told(price.usd_per_hour), price_as_of=price.as_of)
    replicas, service = score.replicas, prediction.service
    tokens = token_cost(price.usd_per_hour, server, load, service, replicas)
    candidate = score.fit.candidate
    watts = candidate.pool.accelerator.tdp_w
    kwh = None
    if watts is not None:
        gpus = candidate.layout.gpus_per_replica * replicas
        drawn = energy(watts, gpus, service.output_tokens_per_s * replicas)
        kwh = told(drawn.kwh_per_million_output)
    return Cost(
        usd_per_hour=told(price.usd_per_hour),
        usd_per_million_output_tokens=told(tokens.per_million_output),
        usd_per_million_input_tokens=told(tokens.per_million_input),
        usd_per_million_output_tokens_alone=told(tokens.per_million_output_only),
        kwh_per_million_output_tokens=kwh,
        price_as_of=price.as_of,
    )


def _of_speed(server: Server | None, prediction: Prediction | None) -> Iterator[Provenance]:
    if server is None or prediction is None:
        return
    errors = (
        ("performance.ttftMs", prediction.ttft_s),
        ("performance.tpotMs", prediction.tpot_s),
        ("performance.outputTokensPerSecond", prediction.output_tokens_per_s),
    )
    yield from _of_times(server, errors)


def _of_times(server: Server, errors: Iterable[tuple[str, Interval]]) -> Iterator[Provenance]:
    row = server.efficiency
    basis = Basis.FITTED if row.is_measured and not server.assumed else Basis.ASSUMED
    rows = f"{row.rows} runs" if row.is_measured else "no run of this device and format"
    source = f"roofline of the tensors; efficiencies fitted on {rows} ({row.source})"
    for figure, interval in errors:
        error = log(interval.high / interval.value) / NINETY_PERCENT
        yield Provenance(figure, basis, round(error, 3), source)


def _of_price(price: _Price | None) -> Iterator[Provenance]:
    if price is not None:
        basis = Basis.FORMULA if price.relative_error else Basis.EXACT
        yield Provenance("cost.usdPerHour", basis, price.relative_error, price.source)


def _warnings(server: Server | None, prediction: Prediction | None) -> Iterator[str]:
    if server is not None and prediction is not None:
        yield from _server_warnings(server)


def _server_warnings(server: Server) -> Iterator[str]:
    if server.efficiency.only_seen:
        yield (
            f"The speed is that of {server.efficiency.rows} measured runs of this model on this"
            " card, slower than what is known of other models and cards explains; another version"
            " of the engine may be faster."
        )
    if server.assumed:
        yield f"The speed rests on assumed rates: {', '.join(server.assumed)}."
