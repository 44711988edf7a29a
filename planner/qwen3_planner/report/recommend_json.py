"""A recommendation as JSON: the contract ``recommend/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.report.plan_json import to_document
from qwen3_planner.report.prices import age_warnings, rate_document, rounded

if TYPE_CHECKING:
    from datetime import date

    from qwen3_planner.catalog.choosing import Score
    from qwen3_planner.recommend.policy import Barred
    from qwen3_planner.recommend.recommendation import Option, Recommendation, Rejected

Document = dict[str, Any]


def recommend_document(found: Recommendation, today: date) -> Document:
    """Say a recommendation; what is not known is left out.

    Args:
        found: the value.
        today: by which the age of prices is judged.
    """
    rates = [option.rate for option in found.options if option.rate is not None]
    document: Document = {
        "schema": "recommend/v1",
        "needs": [need.value for need in found.wish.needs],
        "users": found.wish.users,
        "options": [_option(rank, option) for rank, option in enumerate(found.options, 1)],
        "rejected": [_rejected(one) for one in found.rejected],
        "unsuited": [_rejected(one) for one in found.unsuited],
        "warnings": [*found.warnings, *age_warnings(rates, (), today)],
    }
    if found.wish.policy.region:
        document["region"] = found.wish.policy.region
        document["barred"] = [_barred(one) for one in found.barred]
    return document


def _option(rank: int, option: Option) -> Document:
    plan = to_document(option.plan)
    plan.pop("alternatives", None)
    plan.pop("refusals", None)
    document: Document = {"rank": rank, "variant": option.variant, "mode": option.mode}
    if option.score is not None:
        document["score"] = _score(option.score)
    if option.rate is not None:
        document["price"] = rate_document(option.rate)
    if option.usd_per_hour is not None:
        document["usdPerHour"] = rounded(option.usd_per_hour)
    if option.licence is not None:
        licence = option.licence
        document["licence"] = {
            "name": licence.licence,
            "source": licence.source,
            "asOf": licence.as_of,
        }
    return document | {
        "reasons": list(option.reasons),
        "givesUp": list(option.gives_up),
        "plan": plan,
    }


def _score(score: Score) -> Document:
    return {
        "benchmark": score.benchmark,
        "value": score.score,
        "mode": score.mode,
        "source": score.source,
        "asOf": score.as_of,
    }


def _rejected(one: Rejected) -> Document:
    document: Document = {"variant": one.variant, "rule": one.rule, "message": one.message}
    if one.fix:
        document["fix"] = one.fix
    if one.score is not None:
        document["score"] = _score(one.score)
    return document


def _barred(one: Barred) -> Document:
    rule = one.rule
    document: Document = {
        "accelerator": one.accelerator,
        "rule": rule.name,
        "status": rule.status,
        "why": one.why,
        "source": rule.source,
        "asOf": rule.as_of,
    }
    return document | ({"note": rule.note} if rule.note else {})
