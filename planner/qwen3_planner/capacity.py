"""How many requests of which length one replica's KV cache holds at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.serving.registry import serving_of

if TYPE_CHECKING:
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit

SHORTEST = 2048
"""First context that is told."""

GROWTH = 4
"""Each context that is told is so many times the one before it."""


def concurrency_by_context(question: Question, fit: Fit) -> tuple[tuple[int, int], ...]:
    """List (context, requests of that length at once), shortest context first.

    From 2048 tokens in steps of four up to the model's native length, and the plan's own context;
    those of which not even one fits are left out. Over all data-parallel ranks of one replica.
    """
    longest = max(question.model.max_position_embeddings, fit.max_model_len)
    contexts = {fit.max_model_len, question.model.max_position_embeddings}
    context = SHORTEST
    while context < longest:
        contexts.add(context)
        context *= GROWTH
    loads = _loads(question, fit)
    found = ((context, _at_once(loads, fit, context)) for context in sorted(contexts))
    return tuple((context, requests) for context, requests in found if requests)


def requests_at_once(question: Question, fit: Fit, context: int) -> int:
    """Return the requests of a whole context that the blocks of the plan hold."""
    return _at_once(_loads(question, fit), fit, context)


def _loads(question: Question, fit: Fit) -> tuple[Question, Question]:
    """Ask for one request of a whole context on each data-parallel rank, and for two."""
    ranks, request = fit.candidate.layout.data, question.request
    one, two = (
        replace(request, workload=replace(request.workload, concurrency=each * ranks))
        for each in (1, 2)
    )
    return (
        replace(question, request=one, request_tokens=None),
        replace(question, request=two, request_tokens=None),
    )


def _at_once(loads: tuple[Question, Question], fit: Fit, context: int) -> int:
    layout, one, two = fit.candidate.layout, *loads
    serving = serving_of(one.engine)
    first = serving.needed_blocks(one, layout, context)
    if first > fit.blocks:
        return 0
    each = max(1, serving.needed_blocks(two, layout, context) - first)
    return layout.data * (1 + (fit.blocks - first) // each)
