"""What is asked of Prometheus, and what its answers mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.observed import Key
from qwen3_operator.telemetry.queries import Question, calls_in, question, samples_in
from qwen3_planner.api.reasons import Reason
from qwen3_planner.engines.profiles import engine_of
from support.loads import wish

if TYPE_CHECKING:
    from qwen3_operator.telemetry.prometheus import Series

KEY = Key("team-a", "qwen")
NAN = math.nan


def asked(
    engine: str = "vllm",
    matchers: dict[str, str] | None = None,
    **fields: Any,  # noqa: ANN401 - JSON
) -> Question:
    return question(KEY, wish(**fields), engine_of(engine).metrics, matchers or {}, 3600)


def answer(**signals: list[float]) -> list[Series]:
    """Make an answer: a series for each signal, values ten seconds apart from 1000 on."""
    return [
        ({"qwen3_signal": signal}, tuple((1000.0 + 10 * i, v) for i, v in enumerate(values)))
        for signal, values in signals.items()
    ]


def test_each_signal_is_of_this_resource_alone() -> None:
    query = asked(matchers={"cluster": 'eu"1'}).load
    chosen = '{namespace="team-a",serving_qwen3_dev_deployment="qwen",cluster="eu\\"1"}'
    assert query.count(chosen) == 6
    assert f"sum(vllm:num_requests_waiting{chosen})" in query


def test_percentiles_are_asked_for_where_they_are_targets() -> None:
    assert "histogram_quantile" not in asked().load
    query = asked(targets={"ttftMs": 500, "latencyPercentile": 99}, windowSeconds=60).load
    assert (
        "histogram_quantile(0.99,sum by (le) (rate(vllm:time_to_first_token_seconds_bucket" in query
    )
    assert "[60s]" in query
    assert "inter_token_latency" not in query


def test_sglang_has_other_names_and_llama_cpp_fewer() -> None:
    assert "sglang:num_queue_reqs" in asked("sglang", targets={"tpotMs": 30}).load
    assert (
        "sglang:inter_token_latency_seconds_bucket" in asked("sglang", targets={"tpotMs": 30}).load
    )
    query = asked("llamacpp", targets={"ttftMs": 500, "kvCacheUsagePercent": 80}).load
    assert "llamacpp:requests_deferred" in query
    assert "histogram_quantile" not in query
    assert '"kv"' not in query


def test_releases_that_call_a_metric_otherwise_are_asked_by_that_name_too() -> None:
    query = asked(targets={"tpotMs": 30}).load
    for now, before in (
        ("vllm:kv_cache_usage_perc{", "vllm:gpu_cache_usage_perc{"),
        ("vllm:inter_token_latency_seconds_bucket{", "vllm:time_per_output_token_seconds_bucket{"),
    ):
        assert query.index(now) < query.index(before)


def test_history_reaches_back_as_far_as_decisions_do() -> None:
    assert asked().lookback_s == 3600
    lazy: dict[str, Any] = {
        "minReplicas": 0,
        "idle": {"wakeQuery": "vector(0)", "afterSeconds": 7200},
    }
    assert asked(**lazy).lookback_s == 7200
    assert asked(**lazy).wake == "vector(0)"


def test_an_answer_becomes_samples() -> None:
    samples, problem = samples_in(
        answer(replicas=[2, 2], running=[5, 6], waiting=[0, 1], tokens=[90.5, 0], kv=[0.5, 0.6]),
        asked(),
    )
    assert problem is None
    first, second = samples
    assert (first.time_s, first.replicas, first.running, first.waiting) == (1000.0, 2, 5, 0)
    assert (first.tokens_per_s, first.kv_cache, first.ttft_s) == (90.5, 0.5, None)
    assert (second.time_s, second.waiting, second.kv_cache) == (1010.0, 1, 0.6)


def test_a_moment_that_lacks_what_is_needed_is_no_sample() -> None:
    samples, problem = samples_in(answer(replicas=[1, 1], waiting=[0, 0], running=[3]), asked())
    assert [sample.time_s for sample in samples] == [1000.0]
    assert problem is None


def test_a_percentile_of_no_request_is_no_wait() -> None:
    (sample,), problem = samples_in(
        answer(replicas=[1], running=[0], waiting=[0], ttft=[NAN], tpot=[NAN]), asked()
    )
    assert (sample.ttft_s, sample.tpot_s) == (0.0, 0.0)
    assert problem is None


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        pytest.param({"kv": [85.0]}, "vllm:kv_cache_usage_perc is 85", id="a percentage"),
        pytest.param({"waiting": [-1.0]}, "vllm:num_requests_waiting is -1", id="fewer than none"),
        pytest.param({"waiting": [NAN]}, "vllm:num_requests_waiting is not a number", id="NaN"),
        pytest.param({"running": [math.inf]}, "is inf", id="infinitely many"),
        pytest.param({"tokens": [1e300]}, "generation_tokens_total is 1e+300", id="too many"),
        pytest.param({"ttft": [-0.5]}, "time_to_first_token_seconds is -0.5", id="before it began"),
    ],
)
def test_what_makes_no_sense_is_no_sample_and_is_told(
    signals: dict[str, list[float]], said: str
) -> None:
    good = {"replicas": [1.0], "running": [0.0], "waiting": [0.0]}
    samples, problem = samples_in(answer(**{**good, **signals}), asked())
    assert samples == ()
    assert problem is not None
    assert problem.reason is Reason.METRICS_INVALID
    assert said in problem.message


def test_nonsense_of_one_moment_spoils_no_other() -> None:
    samples, problem = samples_in(
        answer(replicas=[1, 1], running=[1, 1], waiting=[0, 0], kv=[85, 0.9]), asked()
    )
    assert [sample.kv_cache for sample in samples] == [0.9]
    assert problem is not None


def test_calls_are_added_up_and_no_number_is_nobody() -> None:
    series: list[Series] = [
        ({"route": "a"}, ((1000.0, 1.0), (1010.0, NAN))),
        ({"route": "b"}, ((1000.0, 2.0), (1010.0, 0.0))),
    ]
    assert [(call.time_s, call.value) for call in calls_in(series)] == [(1000.0, 3.0), (1010.0, 0)]
