"""Names of SGLang's Prometheus metrics.

Source: PyPI sglang 0.5.23 ``observability/metrics_collector.py``. All but the queue time have had
these names since 0.4.6.post1; that is a histogram since 0.5.2, and a gauge of averages before.
"""

from __future__ import annotations

from qwen3_planner.engines.vllm.metrics import MetricNames

NAMES = MetricNames(
    requests_running="sglang:num_running_reqs",
    requests_waiting="sglang:num_queue_reqs",
    kv_cache_usage="sglang:token_usage",
    prompt_tokens="sglang:prompt_tokens_total",
    generation_tokens="sglang:generation_tokens_total",
    time_to_first_token="sglang:time_to_first_token_seconds",  # noqa: S106 - a metric, no secret
    inter_token_latency="sglang:inter_token_latency_seconds",  # noqa: S106 - likewise
    queue_time="sglang:queue_time_seconds",
)
