"""Hardware that was compared: as a table, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.report.table import render, thousands
from qwen3_planner.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.offering import Offer


def offer_lines(offers: Sequence[Offer]) -> list[str]:
    """Show what holds the question, best first; nothing where nothing was compared."""
    if not offers:
        return []
    headers = ["hardware", "GiB", "quant", "layout", "context", "KV tokens", "at once"]
    is_priced = any(offer.usd_per_hour is not None for offer in offers)
    rows = [[*_cells(offer), *([_price(offer)] if is_priced else [])] for offer in offers]
    headers += ["$/h"] if is_priced else []
    right = [name for name in headers if name not in {"hardware", "quant", "layout"}]
    return ["Hardware that holds it", *(f"  {line}" for line in render(headers, rows, right=right))]


def _cells(offer: Offer) -> list[str]:
    plan = offer.plan
    return [
        offer.hardware,
        f"{gib(offer.device_bytes):.0f}",
        plan.quantization,
        str(plan.layout),
        thousands(plan.max_model_len),
        thousands(plan.memory.kv_cache_tokens),
        f"{plan.memory.max_concurrency:.2f}",
    ]


def _price(offer: Offer) -> str:
    price = offer.usd_per_hour
    return "" if price is None else f"{price:.2f}"


def offer_document(offer: Offer) -> dict[str, Any]:
    """Say one kind of hardware and what the plan on it is."""
    plan = offer.plan
    document: dict[str, Any] = {
        "hardware": offer.hardware,
        "deviceBytes": offer.device_bytes,
        "engine": {"name": plan.engine, "version": plan.engine_version},
        "quantization": plan.quantization,
        "layout": str(plan.layout),
        "maxModelLen": plan.max_model_len,
        "kvCacheTokens": plan.memory.kv_cache_tokens,
        "maxConcurrency": plan.memory.max_concurrency,
    }
    if offer.usd_per_hour is not None:
        document["usdPerHour"] = round(offer.usd_per_hour, 6)
    return document
