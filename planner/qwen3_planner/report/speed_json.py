"""Speed and price of a plan as parts of the JSON document."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qwen3_planner.plan import Cost, Performance, ReadingPerformance

Document = dict[str, Any]


def performance_document(performance: Performance | ReadingPerformance) -> Document:
    """Say the predicted speed of one replica, field for field in camel case.

    >>> from qwen3_planner.plan import Performance
    >>> said = performance_document(Performance(*[1] * 3, *[1.0] * 11, 4, 9.0))
    >>> said["ttftMsLow"], said["saturationConcurrency"]
    (1.0, 4)
    """
    return _document(performance)


def cost_document(cost: Cost) -> Document:
    """Say what the plan costs; what is not known is left out."""
    return _document(cost)


def _document(part: Performance | ReadingPerformance | Cost) -> Document:
    values = ((_camel(field.name), getattr(part, field.name)) for field in fields(part))
    return {name: value for name, value in values if value not in (None, "")}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
