"""Names of vLLM's Prometheus metrics. Source: vLLM 0.32.0 ``v1/metrics/loggers.py``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricNames:
    """The series that scaling and status read; counters as Prometheus stores them.

    Attributes:
        requests_running: gauge.
        requests_waiting: gauge.
        kv_cache_usage: gauge, a share in [0, 1].
        prompt_tokens: counter.
        generation_tokens: counter.
        time_to_first_token: histogram, seconds.
        inter_token_latency: histogram, seconds.
        queue_time: histogram, seconds.
    """

    requests_running: str
    requests_waiting: str
    kv_cache_usage: str
    prompt_tokens: str
    generation_tokens: str
    time_to_first_token: str
    inter_token_latency: str
    queue_time: str


FORMER_NAMES = {
    "vllm:kv_cache_usage_perc": "vllm:gpu_cache_usage_perc",
    "vllm:inter_token_latency_seconds": "vllm:time_per_output_token_seconds",
}
"""What two of them were called until 0.9.1 and 0.10.1, and beside the new name until 0.11.2 and
0.14.1. Source: PyPI vllm 0.8.0 to 0.33.0 ``v1/metrics/loggers.py``."""

NAMES = MetricNames(
    requests_running="vllm:num_requests_running",
    requests_waiting="vllm:num_requests_waiting",
    kv_cache_usage="vllm:kv_cache_usage_perc",
    prompt_tokens="vllm:prompt_tokens_total",
    generation_tokens="vllm:generation_tokens_total",
    time_to_first_token="vllm:time_to_first_token_seconds",  # noqa: S106 - a metric, no secret
    inter_token_latency="vllm:inter_token_latency_seconds",  # noqa: S106 - likewise
    queue_time="vllm:request_queue_time_seconds",
)
