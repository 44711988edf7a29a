"""Names of llama-server's Prometheus metrics.

Off unless ``--metrics`` is given. There are no histograms, and no gauge of the KV cache: those
names are empty. Source: run of llama.cpp b11549 (PyPI xllamacpp 2026.10.11549)
tools/server/server-context.cpp.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.metrics import MetricNames

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = MetricNames(
    requests_running="llamacpp:requests_processing",
    requests_waiting="llamacpp:requests_deferred",
    kv_cache_usage="",
    prompt_tokens="llamacpp:prompt_tokens_total",
    generation_tokens="llamacpp:tokens_predicted_total",
    time_to_first_token="",
    inter_token_latency="",
    queue_time="",
)


def cache_parts(command: Sequence[str], _data: int) -> int:
    """Return the slots that have a part of the cache each; 1 where they share it.

    >>> cache_parts(["llama-server", "--parallel", "3"], 1)
    3
    >>> cache_parts(["llama-server", "--parallel", "3", "--kv-unified"], 1)
    1
    """
    slots = dict(pairwise(command)).get("--parallel", "1")
    return 1 if "--kv-unified" in command else int(slots)
