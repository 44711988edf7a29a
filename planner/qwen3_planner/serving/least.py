"""What the devices of a replica hold at least, under an engine that keeps everything on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.sizing.kv_cache import kv_bytes_per_32, token_bytes
from qwen3_planner.sizing.weights import least_held_bytes

if TYPE_CHECKING:
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.request import KvCacheDtype


def least_bytes(question: Question, choice: WeightChoice, cache: KvCacheDtype) -> int:
    """Return a bound on weights and KV cache of all devices together, however they share.

    Nothing is sure of weights that are offloaded. A layout that cuts through KV heads could hold
    less, and is illegal.

    Args:
        question: what is planned.
        choice: the weights.
        cache: what the KV cache holds.
    """
    model = question.model
    offloads = bool(question.request.tuning.cpu_offload_gib)
    weights = 0 if offloads else least_held_bytes(model, choice.fmt)
    layers, width = model.full_attention_layers(), kv_bytes_per_32(cache)
    return weights + _least_tokens(question) * token_bytes(model, 1, layers, width)


def _least_tokens(question: Question) -> int:
    """Return the tokens that must be held at once: the load, and one longest request."""
    shortest = question.shortest_context
    in_flight = question.request.workload.concurrency
    return max(shortest, in_flight * (question.request_tokens or shortest))
