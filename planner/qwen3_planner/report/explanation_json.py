"""The sums behind a plan as JSON: ``explanation`` of contract ``plan/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qwen3_planner.explanation import Explanation, Part, Term


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Say the sums of the tightest GPU; the bytes of a part's terms add up to the part's."""
    return {
        "rank": explanation.rank,
        "budget": _part(explanation.budget),
        "parts": [_part(part) for part in explanation.parts],
        "leftBytes": explanation.left_bytes,
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
