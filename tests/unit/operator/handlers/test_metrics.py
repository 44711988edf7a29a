"""What a scrape says: how the operator works, which GPUs are free, how each model stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from prometheus_client.parser import text_string_to_metric_families

from qwen3_operator.handlers.metrics import Metrics, Sources
from qwen3_operator.handlers.queue import WorkQueue
from qwen3_operator.observed import Key
from support import virtual_time
from support.values import amount, node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_operator.observed import Node, Resources

RUNNING: dict[str, Any] = {
    "metadata": {"namespace": "team-a", "name": "chat"},
    "spec": {"model": {"variant": "Qwen3-32B"}, "replicas": 2},
    "status": {
        "phase": "Degraded",
        "replicas": 2,
        "readyReplicas": 1,
        "updatedReplicas": 2,
        "layout": "tp2",
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "ReplicasNotReady"},
            {"type": "PlanFeasible", "status": "True", "reason": "Fits"},
            {"type": "Scheduled", "status": "Unknown", "reason": "Waiting"},
        ],
        "plan": {
            "engine": {"name": "vllm", "version": "0.32.0"},
            "quantization": "bf16",
            "placement": {"accelerator": "H100-SXM-80GB"},
            "layout": {"gpusPerReplica": 2},
            "memory": {"kvCacheTokens": 321984},
            "performance": {"ttftMs": 104.0, "tpotMs": 14.7},
        },
    },
}

NEW: dict[str, Any] = {
    "metadata": {"namespace": "team-b", "name": "fresh"},
    "spec": {"model": {"variant": "Qwen3-8B"}},
}

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(
    bodies: Iterable[Mapping[str, Any]] = (),
    nodes: Iterable[tuple[Node, Resources]] = (),
    events: Iterable[tuple[str, str]] = (),
) -> Samples:
    """Expose such a world, read it back as Prometheus would."""

    async def scenario() -> str:
        queue: WorkQueue[Key] = WorkQueue(asyncio.get_running_loop(), lambda: 0.0)
        queue.add(Key("a", "waits"))
        queue.add_after(Key("a", "later"), 60.0)
        metrics = Metrics(
            Sources(
                queue, lambda: bodies, lambda: nodes, waiting=lambda: 3, is_leading=lambda: True
            )
        )
        for kind, what in events:
            if kind == "reconcile":
                metrics.reconciled(what, 0.02)
            else:
                metrics.planned(what, None if what == "remembered" else 0.003)
        text, content_type = metrics.text("text/plain;version=0.0.4")
        assert content_type.startswith("text/plain")
        queue.close()
        return text.decode()

    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(virtual_time.run(scenario()))
        for sample in family.samples
    }


def value(samples: Samples, name: str, /, **labels: str) -> float | None:
    return samples.get((name, tuple(sorted(labels.items()))))


def test_the_queue_and_the_lease_are_read_at_the_moment_of_the_scrape() -> None:
    samples = scrape()
    assert value(samples, "qwen3_operator_leader") == 1
    assert value(samples, "qwen3_operator_queue_depth") == 1
    assert value(samples, "qwen3_operator_queue_running") == 0
    assert value(samples, "qwen3_operator_queue_delayed") == 1
    assert value(samples, "qwen3_operator_resources_waiting") == 3


def test_reconciles_and_plans_are_counted_by_how_they_ended() -> None:
    samples = scrape(
        events=[
            ("reconcile", "ok"),
            ("reconcile", "ok"),
            ("reconcile", "error"),
            ("plan", "feasible"),
            ("plan", "remembered"),
        ]
    )
    assert value(samples, "qwen3_operator_reconciles_total", result="ok") == 2
    assert value(samples, "qwen3_operator_reconciles_total", result="error") == 1
    assert value(samples, "qwen3_operator_reconciles_total", result="defect") == 0
    assert value(samples, "qwen3_operator_reconcile_duration_seconds_count") == 3
    assert value(samples, "qwen3_operator_plans_total", outcome="remembered") == 1
    assert value(samples, "qwen3_operator_plan_duration_seconds_count") == 1


def test_a_cordoned_node_has_gpus_but_none_that_are_free() -> None:
    open_node, cordoned = node("open"), node("cordoned", schedulable=False)
    samples = scrape(nodes=[(open_node, amount(5)), (cordoned, amount(8))])
    labels = {"accelerator": "H100-SXM-80GB", "resource": "nvidia.com/gpu"}
    assert value(samples, "qwen3_operator_gpus", **labels, state="allocatable") == 16
    assert value(samples, "qwen3_operator_gpus", **labels, state="free") == 5


def test_a_resource_tells_what_it_runs_and_how_it_stands() -> None:
    samples = scrape([RUNNING])
    owner = {"namespace": "team-a", "name": "chat"}
    assert (
        value(
            samples,
            "qwen3_deployment_info",
            **owner,
            variant="Qwen3-32B",
            engine="vllm",
            engine_version="0.32.0",
            quantization="bf16",
            layout="tp2",
            accelerator="H100-SXM-80GB",
        )
        == 1
    )
    phase = "qwen3_deployment_phase"
    assert value(samples, phase, **owner, phase="Degraded") == 1
    assert value(samples, phase, **owner, phase="Ready") == 0
    replicas = {
        state: value(samples, "qwen3_deployment_replicas", **owner, state=state)
        for state in ("desired", "existing", "ready", "updated")
    }
    assert replicas == {"desired": 2, "existing": 2, "ready": 1, "updated": 2}
    tokens = value(samples, "qwen3_deployment_planned_kv_cache_tokens", **owner)
    assert tokens == 321984
    seconds = value(samples, "qwen3_deployment_planned_time_per_output_token_seconds", **owner)
    assert seconds == 0.0147
    assert value(samples, "qwen3_deployment_planned_usd_per_hour", **owner) is None


def test_a_condition_is_one_or_zero_and_absent_while_nobody_knows() -> None:
    samples = scrape([RUNNING])
    conditions = {
        dict(labels)["type"]: sample
        for (name, labels), sample in samples.items()
        if name == "qwen3_deployment_condition"
    }
    assert conditions == {"Ready": 0, "PlanFeasible": 1}


def test_a_resource_without_a_status_is_counted_in_no_phase() -> None:
    samples = scrape([RUNNING, NEW])
    phases = {
        dict(labels)["phase"]: sample
        for (name, labels), sample in samples.items()
        if name == "qwen3_operator_deployments"
    }
    assert phases.pop("Degraded") == 1
    assert len(phases) == 7
    assert not any(phases.values())
    replicas = value(
        samples, "qwen3_deployment_replicas", namespace="team-b", name="fresh", state="desired"
    )
    assert replicas == 1
