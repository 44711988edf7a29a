"""What is asked of Prometheus about one resource, and what the answer means. Pure text and values.

One query brings every signal, each as one series with a label of its own: a question is one round
trip, and all its parts are of the same moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.scaling.samples import Call, Sample
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.engines.vllm.metrics import FORMER_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_operator.observed import Key
    from qwen3_operator.telemetry.prometheus import Series
    from qwen3_planner.api.scaling import ScalingSpec
    from qwen3_planner.engines.vllm.metrics import MetricNames

SIGNAL = "qwen3_signal"
"""Label that tells the series of one answer apart."""

POD_LABELS = "instance, pod"
"""One server each, also where scraping sets only one of the two."""

DEPLOYMENT = "serving_qwen3_dev_deployment"
"""What a scrape makes of the pods' label serving.qwen3.dev/deployment."""

NEEDED = ("replicas", "running", "waiting")
"""Without these there is no sample."""

COUNTS = frozenset({"replicas", "running", "waiting", "tokens"})
"""What is never negative and never more than :data:`MANY`."""

MANY = 1e12

SLACK = 1.001
"""Shares are computed in floating point: a full cache may tell a little more than 1."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that is asked about one resource.

    Attributes:
        load: the query about its engines.
        wake: the wake query; empty where there is none.
        lookback_s: how far back the history has to reach.
        names: of the engine's metrics by signal, for messages.
    """

    load: str
    wake: str
    lookback_s: int
    names: tuple[tuple[str, str], ...]


def question(
    key: Key, wish: ScalingSpec, metrics: MetricNames, matchers: Mapping[str, str], memory_s: int
) -> Question:
    """Say what to ask.

    Args:
        key: of the resource.
        wish: ``spec.scaling``.
        metrics: of the planned engine.
        matchers: further labels that every series has, in a Prometheus of several clusters.
        memory_s: the least that the history has to reach back.
    """
    labels = {"namespace": key.namespace, DEPLOYMENT: key.name, **matchers}
    chosen = "{" + ",".join(f"{name}={_quoted(value)}" for name, value in labels.items()) + "}"
    parts = dict(_parts(wish, metrics, chosen))
    idle = wish.idle
    return Question(
        load=" or ".join(
            f'label_replace({query},"{SIGNAL}","{signal}","","")' for signal, query in parts.items()
        ),
        wake=idle.wake_query if idle else "",
        lookback_s=max(memory_s, wish.down_window_s, idle.after_seconds if idle else 0),
        names=(
            ("replicas", metrics.requests_waiting),
            ("running", metrics.requests_running),
            ("waiting", metrics.requests_waiting),
            ("tokens", metrics.generation_tokens),
            ("kv", metrics.kv_cache_usage),
            ("ttft", metrics.time_to_first_token),
            ("tpot", metrics.inter_token_latency),
        ),
    )


def _parts(wish: ScalingSpec, metrics: MetricNames, chosen: str) -> Iterable[tuple[str, str]]:
    """Yield signal and query; what the engine does not tell is not asked for."""
    targets, window = wish.targets, f"[{wish.window_seconds}s]"
    yield "replicas", f"count(count by ({POD_LABELS}) ({metrics.requests_waiting}{chosen}))"
    yield "running", f"sum({metrics.requests_running}{chosen})"
    yield "waiting", f"sum({metrics.requests_waiting}{chosen})"
    yield "tokens", f"sum(rate({metrics.generation_tokens}{chosen}{window}))"
    if metrics.kv_cache_usage:
        usage = f"avg(avg by ({POD_LABELS}) ({{name}}{_braced(chosen)}))"
        yield "kv", _by_any_name(metrics.kv_cache_usage, usage)
    for signal, metric, target in (
        ("ttft", metrics.time_to_first_token, targets.ttft_ms),
        ("tpot", metrics.inter_token_latency, targets.tpot_ms),
    ):
        if metric and target is not None:
            rate = f"sum by (le) (rate({{name}}_bucket{_braced(chosen)}{window}))"
            quantile = f"histogram_quantile({targets.latency_percentile / 100:g},{rate})"
            yield signal, _by_any_name(metric, quantile)


def _by_any_name(metric: str, query: str) -> str:
    """Ask by the name of today, and by an earlier one where no replica knows that."""
    names = (metric, FORMER_NAMES.get(metric))
    return " or ".join(query.format(name=name) for name in names if name)


def _braced(text: str) -> str:
    """Keep a text as it is through str.format."""
    return text.replace("{", "{{").replace("}", "}}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def samples_in(
    series: Iterable[Series], asked: Question
) -> tuple[tuple[Sample, ...], Verdict | None]:
    """Return the samples of an answer, oldest first, and what in it makes no sense.

    A moment with a value that makes no sense is no sample.
    """
    by_time: dict[float, dict[str, float]] = {}
    problem: Verdict | None = None
    for labels, values in series:
        signal = labels.get(SIGNAL, "")
        for time_s, value in values:
            wrong = _nonsense(signal, value, asked)
            if wrong is not None:
                problem = wrong
            by_time.setdefault(time_s, {})[signal] = math.inf if wrong else _number(value)
    samples = (_sample(time_s, by_time[time_s]) for time_s in sorted(by_time))
    return tuple(sample for sample in samples if sample is not None), problem


def calls_in(series: Iterable[Series]) -> tuple[Call, ...]:
    """Return what the wake query said, oldest first; several series are added up.

    No number (0 requests of 0, say) is nobody's call.
    """
    by_time: dict[float, float] = {}
    for _, values in series:
        for time_s, value in values:
            by_time[time_s] = by_time.get(time_s, 0.0) + _number(value)
    return tuple(Call(time_s, by_time[time_s]) for time_s in sorted(by_time))


def _number(value: float) -> float:
    """Return a value; a percentile of nothing is no number, and nobody had to wait."""
    return 0.0 if math.isnan(value) else value


def _sample(time_s: float, read: Mapping[str, float]) -> Sample | None:
    if any(name not in read for name in NEEDED) or math.inf in read.values():
        return None
    if read["replicas"] < 1:
        return None
    return Sample(
        time_s=time_s,
        replicas=round(read["replicas"]),
        running=read["running"],
        waiting=read["waiting"],
        tokens_per_s=read.get("tokens"),
        kv_cache=read.get("kv"),
        ttft_s=read.get("ttft"),
        tpot_s=read.get("tpot"),
    )


def _nonsense(signal: str, value: float, asked: Question) -> Verdict | None:
    """Say why a value cannot be; None where it can."""
    name = dict(asked.names).get(signal, signal)
    if signal in COUNTS and math.isnan(value):
        return _invalid(f"{name} is not a number")
    if math.isinf(value) or value < 0 or (signal in COUNTS and value > MANY):
        return _invalid(f"{name} is {value:.4g}, and a number from 0 up was expected")
    if signal == "kv" and value > SLACK:
        return _invalid(f"{name} is {value:.4g}, and a share between 0 and 1 was expected")
    return None


def _invalid(what: str) -> Verdict:
    message = f"{what}: is this another program's metric, or one of another version?"
    return Verdict(Reason.METRICS_INVALID, message)
