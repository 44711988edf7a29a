"""Steps that ask for less: fewer or shorter requests, a shorter context, fewer replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.question import DEFAULT_INPUT_TOKENS, DEFAULT_OUTPUT_TOKENS
from qwen3_planner.remedies.trying import Stuck, one

if TYPE_CHECKING:
    from qwen3_planner.plan import Change

CONTEXT_STEP = 16
"""Tokens; contexts are proposed in multiples of it, whole KV blocks of vLLM."""


def concurrency_step(stuck: Stuck) -> Change | None:
    """Hold fewer requests in flight."""
    return stuck.largest("concurrency", 1, stuck.request.workload.concurrency - 1)


def input_step(stuck: Stuck) -> Change | None:
    """Take shorter prompts, where their length was stated or assumed."""
    if stuck.question.request_tokens is None:
        return None
    entered = stuck.request.workload.input_tokens or DEFAULT_INPUT_TOKENS
    return stuck.largest("inputTokens", 1, entered - 1)


def output_step(stuck: Stuck) -> Change | None:
    """Generate less for each request, where that was stated or assumed."""
    if stuck.question.request_tokens is None:
        return None
    produced = stuck.request.workload.output_tokens or DEFAULT_OUTPUT_TOKENS
    return stuck.largest("outputTokens", 1, produced - 1)


def context_step(stuck: Stuck) -> Change | None:
    """Fix the longest context that fits, in whole KV blocks.

    A context that is too short for one request of the stated load becomes just long enough.
    """
    tokens = stuck.question.request_tokens or 0
    asked = stuck.request.max_model_len
    if asked is not None and tokens > asked:
        return stuck.first([one("maxModelLen", tokens)])
    longest = (asked - 1 if asked is not None else stuck.question.shortest_context) // CONTEXT_STEP
    shortest = max(1, -(-tokens // CONTEXT_STEP))
    return stuck.largest("maxModelLen", shortest, longest, CONTEXT_STEP)


def replicas_step(stuck: Stuck) -> Change | None:
    """Run fewer copies."""
    return stuck.largest("replicas", 1, stuck.request.replicas - 1)
