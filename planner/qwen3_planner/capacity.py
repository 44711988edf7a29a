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
    found = ((context, requests_at_once(question, fit, context)) for context in sorted(contexts))
    return tuple((context, requests) for context, requests in found if requests)


def requests_at_once(question: Question, fit: Fit, context: int) -> int:
    """Return the requests of a whole context that the blocks of the plan hold."""
    serving, layout = serving_of(question.engine), fit.candidate.layout
    ranks = layout.data

    def needed(requests: int) -> int:
        load = replace(question.request.workload, concurrency=requests * ranks)
        asked = replace(question.request, workload=load)
        whole = replace(question, request=asked, request_tokens=None)
        return serving.needed_blocks(whole, layout, context)

    first = needed(1)
    if first > fit.blocks:
        return 0
    each = max(1, needed(2) - first)
    return ranks * (1 + (fit.blocks - first) // each)
