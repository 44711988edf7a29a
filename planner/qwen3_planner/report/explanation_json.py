"""The sums behind a plan as JSON: ``explanation`` of contract ``plan/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qwen3_planner.explanation import Explanation, Part, Term, TimePart


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Say the sums of the tightest GPU and of the speed; terms add up to their part."""
    document: dict[str, Any] = {
        "rank": explanation.rank,
        "budget": _part(explanation.budget),
        "parts": [_part(part) for part in explanation.parts],
        "leftBytes": explanation.left_bytes,
    }
    if explanation.times:
        document["times"] = [_time(time) for time in explanation.times]
        document["rates"] = [
            {"name": rate.name, "nominal": rate.nominal, "share": rate.share, "unit": rate.unit}
            for rate in explanation.rates
        ]
    return document


def _time(time: TimePart) -> dict[str, Any]:
    return {
        "name": time.name,
        "figure": time.figure,
        "milliseconds": time.milliseconds,
        "basis": time.basis.value,
        "relativeError": time.relative_error,
        "source": time.source,
        "terms": [
            {"name": term.name, "milliseconds": term.milliseconds, "formula": term.formula}
            for term in time.terms
        ],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "figure": part.figure,
        "bytes": part.n_bytes,
        "basis": part.basis.value,
        "relativeError": part.relative_error,
        "source": part.source,
        "terms": [_term(term) for term in part.terms],
    }


def _term(term: Term) -> dict[str, Any]:
    document: dict[str, Any] = {"name": term.name, "bytes": term.n_bytes}
    if term.formula:
        document["formula"] = term.formula
    if term.basis is not None:
        document["basis"] = term.basis.value
    if term.source:
        document["source"] = term.source
    return document
