"""The Grafana dashboards: what each shows, as data; `generate.py` writes them as Grafana's JSON.

Engine metrics: vLLM 0.8 to 0.33 (PyPI vllm, vllm/v1/metrics/loggers.py: `gpu_cache_usage_perc` and
`time_per_output_token_seconds` are the names before 0.9.2 and 0.10.2), SGLang 0.5.23 (its
observability/metrics_collector.py), llama.cpp b11549 (tools/server). Pods carry the label
`serving.qwen3.dev/deployment`, which a PodMonitor copies (podTargetLabels).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

WIDTH = 24
"""Columns of Grafana's grid."""

HEIGHT = 8
"""Rows that a panel takes."""

OF_MODEL = '{namespace=~"$namespace", serving_qwen3_dev_deployment=~"$deployment"}'
OF_RESOURCE = '{namespace=~"$namespace", name=~"$deployment"}'
BY = "serving_qwen3_dev_deployment"


@dataclass(frozen=True)
class Line:
    """One query of a panel and how its lines are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture; `unit` is Grafana's name of it, `width` in columns."""

    title: str
    lines: tuple[Line, ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    text: str = ""


@dataclass(frozen=True)
class Dashboard:
    """One dashboard with rows of panels; `variables` are name -> query."""

    uid: str
    title: str
    variables: dict[str, str]
    rows: dict[str, tuple[Panel, ...]]


def _summed(*names: str, labels: str = OF_MODEL, rate: bool = False) -> Line:
    """Sum a gauge or a counter's rate by model; the first name that exists wins."""
    parts = [f"rate({name}{labels}[$__rate_interval])" if rate else name + labels for name in names]
    return Line(" or ".join(f"sum by ({BY}) ({part})" for part in parts), f"{{{{{BY}}}}}")


def _quantiles(*names: str) -> tuple[Line, ...]:
    """Median and 95th percentile of a histogram, by model."""
    return tuple(
        Line(
            " or ".join(
                f"histogram_quantile({quantile}, sum by ({BY}, le) "
                f"(rate({name}_bucket{OF_MODEL}[$__rate_interval])))"
                for name in names
            ),
            f"{{{{{BY}}}}} p{quantile * 100:.0f}",
        )
        for quantile in (0.5, 0.95)
    )


def _planned(figure: str) -> Line:
    return Line(f"qwen3_deployment_planned_{figure}{OF_RESOURCE}", "{{name}} planned")


def _resource(metric: str, legend: str, *, matching: str = "") -> Line:
    labels = OF_RESOURCE[:-1] + (f", {matching}" if matching else "") + "}"
    return Line(metric + labels, legend)


MODELS = Dashboard(
    uid="qwen3-models",
    title="Qwen3 models",
    variables={
        "namespace": "label_values(qwen3_deployment_info, namespace)",
        "deployment": 'label_values(qwen3_deployment_info{namespace=~"$namespace"}, name)',
    },
    rows={
        "State": (
            Panel(
                "Replicas ready",
                (_resource("qwen3_deployment_replicas", "{{name}}", matching='state="ready"'),),
                kind="stat",
            ),
            Panel(
                "Replicas missing",
                (
                    Line(
                        "sum by (namespace, name) "
                        f'(qwen3_deployment_replicas{OF_RESOURCE[:-1]}, state="desired"}}) - '
                        "sum by (namespace, name) "
                        f'(qwen3_deployment_replicas{OF_RESOURCE[:-1]}, state="ready"}})',
                        "{{name}}",
                    ),
                ),
                kind="stat",
            ),
            Panel("What runs", (_resource("qwen3_deployment_info", "{{name}}"),), kind="table"),
        ),
        "Load": (
            Panel(
                "Requests running",
                (
                    _summed(
                        "vllm:num_requests_running",
                        "sglang:num_running_reqs",
                        "llamacpp:requests_processing",
                    ),
                ),
            ),
            Panel(
                "Requests waiting",
                (
                    _summed(
                        "vllm:num_requests_waiting",
                        "sglang:num_queue_reqs",
                        "llamacpp:requests_deferred",
                    ),
                ),
            ),
            Panel(
                "KV cache in use",
                (
                    Line(
                        " or ".join(
                            f"avg by ({BY}) ({name}{OF_MODEL})"
                            for name in (
                                "vllm:kv_cache_usage_perc",
                                "vllm:gpu_cache_usage_perc",
                                "sglang:token_usage",
                            )
                        ),
                        f"{{{{{BY}}}}}",
                    ),
                ),
                unit="percentunit",
            ),
        ),
        "Speed": (
            Panel(
                "Output tokens per second",
                (
                    _summed(
                        "vllm:generation_tokens_total",
                        "sglang:generation_tokens_total",
                        "llamacpp:tokens_predicted_total",
                        rate=True,
                    ),
                    _planned("output_tokens_per_second"),
                ),
                text="The plan's figure is for one replica at the planned load.",
            ),
            Panel(
                "Time to first token",
                (
                    *_quantiles(
                        "vllm:time_to_first_token_seconds", "sglang:time_to_first_token_seconds"
                    ),
                    _planned("time_to_first_token_seconds"),
                ),
                unit="s",
            ),
            Panel(
                "Time per output token",
                (
                    *_quantiles(
                        "vllm:inter_token_latency_seconds",
                        "vllm:time_per_output_token_seconds",
                        "sglang:inter_token_latency_seconds",
                    ),
                    _planned("time_per_output_token_seconds"),
                ),
                unit="s",
            ),
        ),
        "Reuse and trouble": (
            Panel(
                "Prompt tokens per second",
                (
                    _summed(
                        "vllm:prompt_tokens_total",
                        "sglang:prompt_tokens_total",
                        "llamacpp:prompt_tokens_total",
                        rate=True,
                    ),
                ),
            ),
            Panel(
                "Prefix cache hits",
                (
                    Line(
                        f"sum by ({BY}) (rate(vllm:prefix_cache_hits_total{OF_MODEL}"
                        "[$__rate_interval])) / "
                        f"sum by ({BY}) (rate(vllm:prefix_cache_queries_total{OF_MODEL}"
                        f"[$__rate_interval])) or avg by ({BY}) (sglang:cache_hit_rate{OF_MODEL})",
                        f"{{{{{BY}}}}}",
                    ),
                ),
                unit="percentunit",
            ),
            Panel(
                "Preemptions per second",
                (
                    _summed("vllm:num_preemptions_total", rate=True),
                    _summed("sglang:num_retracted_reqs"),
                ),
                text="More than a few: the KV cache is too small for the load. SGLang: requests.",
            ),
        ),
    },
)

OPERATOR = Dashboard(
    uid="qwen3-operator",
    title="Qwen3 operator",
    variables={},
    rows={
        "Resources": (
            Panel("By phase", (Line("max by (phase) (qwen3_operator_deployments)", "{{phase}}"),)),
            Panel("Waiting for GPUs", (Line("max(qwen3_operator_resources_waiting)", "waiting"),)),
            Panel(
                "GPUs free",
                (
                    Line(
                        'max by (accelerator) (qwen3_operator_gpus{state="free"})',
                        "{{accelerator}} free",
                    ),
                    Line(
                        'max by (accelerator) (qwen3_operator_gpus{state="allocatable"})',
                        "{{accelerator}} in all",
                    ),
                ),
            ),
        ),
        "Work": (
            Panel(
                "Reconciles per second",
                (
                    Line(
                        "sum by (result) (rate(qwen3_operator_reconciles_total[$__rate_interval]))",
                        "{{result}}",
                    ),
                ),
            ),
            Panel(
                "Time of a reconcile",
                tuple(
                    Line(
                        f"histogram_quantile({quantile}, sum by (le) (rate("
                        "qwen3_operator_reconcile_duration_seconds_bucket[$__rate_interval])))",
                        f"p{quantile * 100:.0f}",
                    )
                    for quantile in (0.5, 0.95)
                ),
                unit="s",
            ),
            Panel(
                "Queue",
                (
                    Line("max(qwen3_operator_queue_depth)", "waiting"),
                    Line("max(qwen3_operator_queue_running)", "running"),
                    Line("max(qwen3_operator_queue_delayed)", "later"),
                ),
            ),
        ),
        "Planner and process": (
            Panel(
                "Plans per second",
                (
                    Line(
                        "sum by (outcome) (rate(qwen3_operator_plans_total[$__rate_interval]))",
                        "{{outcome}}",
                    ),
                ),
            ),
            Panel(
                "Time of a plan",
                (
                    Line(
                        "histogram_quantile(0.95, sum by (le) (rate("
                        "qwen3_operator_plan_duration_seconds_bucket[$__rate_interval])))",
                        "p95",
                    ),
                ),
                unit="s",
            ),
            Panel(
                "Memory of the process",
                (
                    Line(
                        "process_resident_memory_bytes and on (instance) qwen3_operator_leader",
                        "{{instance}}",
                    ),
                ),
                unit="bytes",
            ),
        ),
    },
)

DASHBOARDS = (MODELS, OPERATOR)


def grafana_json(dashboard: Dashboard) -> str:
    """Return a dashboard as Grafana imports it (schema 39, Grafana 10 and later)."""
    document = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["qwen3"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": _variables(dashboard)},
        "panels": _panels(dashboard),
    }
    return json.dumps(document, indent=2) + "\n"


def _variables(dashboard: Dashboard) -> list[dict[str, Any]]:
    source = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }
    chosen = [
        {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "query": {"query": query, "refId": name},
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }
        for name, query in dashboard.variables.items()
    ]
    return [source, *chosen]


def _panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in dashboard.rows.items():
        place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
        panels.append({"type": "row", "title": title, "gridPos": place, "collapsed": False})
        left = 0
        for panel in row:
            place = {"h": HEIGHT, "w": panel.width, "x": left, "y": top + 1}
            panels.append(_panel(panel, place))
            left += panel.width
        top += 1 + HEIGHT
    return [{"id": number, **panel} for number, panel in enumerate(panels, start=1)]


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    is_table = panel.kind == "table"
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": source,
            "expr": line.expression,
            "legendFormat": line.legend,
            **({"format": "table", "instant": True} if is_table else {}),
        }
        for number, line in enumerate(panel.lines)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "gridPos": place,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }
