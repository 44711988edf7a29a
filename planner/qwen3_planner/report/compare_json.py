"""Own GPUs against hosts as JSON: the contract ``compare-api/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.report.plan_json import to_document
from qwen3_planner.report.prices import age_warnings, price_document, rate_document, rounded

if TYPE_CHECKING:
    from datetime import date

    from qwen3_planner.comparing.comparison import (
        AtVolume,
        Comparison,
        CostPoint,
        Host,
        Mode,
        Serving,
    )

Document = dict[str, Any]

NEVER = "never"


def compare_document(comparison: Comparison, today: date) -> Document:
    """Say a comparison; volumes are whole requests a day, ``"never"`` where there is none.

    Args:
        comparison: the value.
        today: by which the age of prices is judged.
    """
    prices = [host.price for mode in comparison.modes for host in mode.hosts]
    aged = age_warnings([comparison.rate], prices, today)
    return {
        "schema": "compare-api/v1",
        "model": comparison.variant,
        "accelerator": comparison.accelerator,
        "price": rate_document(comparison.rate),
        "hoursPerDay": rounded(comparison.hours_per_day),
        "peak": comparison.peak,
        "modes": [_mode(mode) for mode in comparison.modes],
        "warnings": [*comparison.warnings, *aged],
    }


def _mode(mode: Mode) -> Document:
    usage = mode.usage
    document: Document = {
        "name": mode.name,
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "thinkingTokens": usage.thinking_tokens,
        "own": _own(mode.serving, "Output" if usage.generated_tokens else "Input"),
        "hosts": [_host(host) for host in mode.hosts],
        "curve": [_point(point) for point in mode.curve],
    }
    if mode.at is not None:
        document["at"] = _at(mode.at, mode)
    return document


def _own(serving: Serving, counted: str) -> Document:
    document: Document = {
        "usdPerDayPerReplica": rounded(serving.staircase.usd_per_day),
        "requestsPerDayPerReplica": serving.capacity_per_day,
        "requestsPerDayPerReplicaLow": serving.capacity_low,
        "requestsPerDayPerReplicaHigh": serving.capacity_high,
        "concurrency": serving.concurrency,
        "gpusPerReplica": serving.gpus,
        "replicasOnThisHardware": serving.replicas_here,
        f"usdPerMillion{counted}TokensWhenFull": rounded(serving.usd_per_million),
    }
    if serving.kwh_per_million is not None:
        document[f"kwhPerMillion{counted}Tokens"] = rounded(serving.kwh_per_million)
    plan = to_document(serving.plan)
    plan.pop("alternatives", None)
    plan.pop("refusals", None)
    return document | {"plan": plan}


def _host(host: Host) -> Document:
    crossing = host.crossing
    return {
        "price": price_document(host.price),
        "usdPerThousandRequests": rounded(1000.0 * host.usd_per_request),
        "ownCheaperFromRequestsPerDay": _or_never(crossing.cheaper_from),
        "ownAlwaysCheaperFromRequestsPerDay": _or_never(crossing.always_from),
        "shareOfReplicaAtBreakEven": rounded(host.share_of_capacity),
        "shareOfReplicaAtBreakEvenLow": rounded(host.share_low),
        "shareOfReplicaAtBreakEvenHigh": rounded(host.share_high),
        "isSure": host.is_sure,
    }


def _or_never(volume: int | None) -> int | str:
    return NEVER if volume is None else volume


def _point(point: CostPoint) -> Document:
    return {
        "requestsPerDay": point.requests_per_day,
        "tokensPerDay": point.tokens_per_day,
        "replicas": point.replicas,
        "ownUsdPerDay": rounded(point.own_usd_per_day),
        "hostUsdPerDay": [rounded(usd) for usd in point.host_usd_per_day],
    }


def _at(at: AtVolume, mode: Mode) -> Document:
    cheapest = None if at.cheapest is None else mode.hosts[at.cheapest].price
    return {
        **_point(at.point),
        "busy": rounded(at.busy),
        "ownUsdPerMillionTokens": rounded(at.own_usd_per_million),
        "cheapest": "own" if cheapest is None else cheapest.provider,
    }
