"""The operator's own metrics, scraped from a running operator."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.models import SECONDS, SMALL
from support.wait import until

if TYPE_CHECKING:
    from support.models import Models
    from support.operator import RunningOperator

pytestmark = pytest.mark.cluster

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(operator: RunningOperator) -> Samples:
    address = f"http://127.0.0.1:{operator.health_port}/metrics"
    with urllib.request.urlopen(address, timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(samples: Samples, metric: str, /, **labels: str) -> float | None:
    return samples.get((metric, frozenset(labels.items())))


def test_a_model_is_in_the_metrics_while_it_lives(
    models: Models, operator: RunningOperator
) -> None:
    gpus = {"accelerator": "L40S-48GB", "resource": "nvidia.com/gpu"}
    before = scrape(operator)
    models.apply("measured", f"{SMALL}accelerators: [L40S-48GB]\n")
    models.await_ready("measured")
    plan = models.status("measured")["plan"]
    owner = {"namespace": models.room.namespace, "name": "measured"}

    def shown() -> Samples | None:
        samples = scrape(operator)
        ready = of(samples, "qwen3_deployment_replicas", **owner, state="ready")
        return samples if ready == 1 else None

    samples = until(shown, SECONDS, lambda: f"no ready replica in {scrape(operator)}")
    planned = of(samples, "qwen3_deployment_planned_kv_cache_tokens", **owner)
    assert planned == plan["memory"]["kvCacheTokens"]
    assert of(samples, "qwen3_deployment_phase", **owner, phase="Ready") == 1
    assert of(samples, "qwen3_operator_leader") == 1
    free_before = of(before, "qwen3_operator_gpus", **gpus, state="free")
    free_now = of(samples, "qwen3_operator_gpus", **gpus, state="free")
    assert free_before is not None
    assert free_now == free_before - plan["layout"]["gpusPerReplica"]
    ok = {"result": "ok"}
    reconciles = of(samples, "qwen3_operator_reconciles_total", **ok)
    assert reconciles is not None
    assert reconciles > (of(before, "qwen3_operator_reconciles_total", **ok) or 0)
    assert of(samples, "qwen3_operator_plans_total", outcome="feasible")
    models.delete("measured")
    until(
        lambda: not any(("name", "measured") in labels for _, labels in scrape(operator)),
        SECONDS,
        "metrics of a deleted model should go",
    )
