"""What the operator tells Prometheus: how it works, what GPUs there are, how the models stand.

Counted as it happens: reconciles and plans. Read when asked for: the queue, the GPUs of the ledger,
and the resources with their last status; so nothing is kept that could be out of date, and what is
deleted is gone with the next scrape. Names follow Prometheus' conventions (base units, ``_total``).
"""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from qwen3_planner.api.status import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from prometheus_client.core import Metric

    from qwen3_operator.handlers.queue import WorkQueue
    from qwen3_operator.observed import Key, Node, Resources

RECONCILE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PLAN_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

OWNER = ("namespace", "name")

REPLICAS = {"existing": "replicas", "ready": "readyReplicas", "updated": "updatedReplicas"}
"""Value of the label ``state`` -> field of the status."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One figure of a plan that becomes a metric.

    Attributes:
        name: of the metric, with its unit, without the prefix.
        path: where in the plan document.
        text: for people.
        scale: from the document's unit to the metric's.
    """

    name: str
    path: tuple[str, str]
    text: str
    scale: float = 1.0


PLANNED = (
    Planned("gpus_per_replica", ("layout", "gpusPerReplica"), "GPUs of one replica"),
    Planned("kv_cache_tokens", ("memory", "kvCacheTokens"), "Tokens that the KV cache will hold"),
    Planned(
        "time_to_first_token_seconds",
        ("performance", "ttftMs"),
        "Mean time to first token at the planned load",
        1e-3,
    ),
    Planned(
        "time_per_output_token_seconds",
        ("performance", "tpotMs"),
        "Mean time per output token at the planned load",
        1e-3,
    ),
    Planned(
        "output_tokens_per_second",
        ("performance", "outputTokensPerSecond"),
        "Output tokens per second of one replica at the planned load",
    ),
    Planned("usd_per_hour", ("cost", "usdPerHour"), "Price of all replicas"),
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures are read that are read when somebody asks.

    Attributes:
        queue: of the workers.
        bodies: the resources as last seen, status included.
        nodes: nodes, each with what is free on it.
        waiting: the resources of which replicas wait for GPUs.
        is_leading: whether this process holds the Lease.
    """

    queue: WorkQueue[Key]
    bodies: Callable[[], Iterable[Mapping[str, Any]]]
    nodes: Callable[[], Iterable[tuple[Node, Resources]]]
    waiting: Callable[[], int]
    is_leading: Callable[[], bool]


class Metrics:
    """All metrics of one operator process, in a registry of its own."""

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(Now(sources))
        self._reconciles = Counter(
            "qwen3_operator_reconciles",
            "Reconciles by result: ok, later (asked to come back), error (of the cluster), "
            "defect (of the operator); the last two are tried again",
            ["result"],
            registry=self._registry,
        )
        self._reconcile_seconds = Histogram(
            "qwen3_operator_reconcile_duration_seconds",
            "Time that reconciles took",
            buckets=RECONCILE_SECONDS,
            registry=self._registry,
        )
        self._plans = Counter(
            "qwen3_operator_plans",
            "Questions to the planner by outcome: feasible, infeasible, remembered",
            ["outcome"],
            registry=self._registry,
        )
        self._plan_seconds = Histogram(
            "qwen3_operator_plan_duration_seconds",
            "Time that plans took that were not remembered",
            buckets=PLAN_SECONDS,
            registry=self._registry,
        )
        for result in ("ok", "later", "error", "defect"):
            self._reconciles.labels(result)
        for outcome in ("feasible", "infeasible", "remembered"):
            self._plans.labels(outcome)

    def reconciled(self, result: str, seconds: float) -> None:
        """Count one reconcile."""
        self._reconciles.labels(result).inc()
        self._reconcile_seconds.observe(seconds)

    def planned(self, outcome: str, seconds: float | None = None) -> None:
        """Count one question to the planner; `seconds` unless the answer was remembered."""
        self._plans.labels(outcome).inc()
        if seconds is not None:
            self._plan_seconds.observe(seconds)

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return the exposition and its content type, as the scraper's Accept header asks."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class Now(Collector):
    """What is true at the moment of the scrape."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Metric]:
        """Describe nothing ahead: the names are this collector's own."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read everything anew."""
        sources = self._sources
        yield _gauge("leader", "Whether this process is the one that works", sources.is_leading())
        yield _gauge("queue_depth", "Resources that wait for a worker", len(sources.queue))
        yield _gauge("queue_running", "Resources that a worker has", sources.queue.running)
        yield _gauge("queue_delayed", "Resources to be looked at later", sources.queue.delayed)
        yield _gauge(
            "resources_waiting", "Resources of which replicas wait for GPUs", sources.waiting()
        )
        yield gpus(sources.nodes())
        bodies = list(sources.bodies())
        yield phases(bodies)
        yield from deployments(bodies)


def gpus(nodes: Iterable[tuple[Node, Resources]]) -> Metric:
    """Count GPUs by product, extended resource and state; a cordoned node has none free."""
    family = GaugeMetricFamily(
        "qwen3_operator_gpus",
        "GPUs of the nodes: allocatable, and free (on schedulable nodes, requested by no pod)",
        labels=["accelerator", "resource", "state"],
    )
    counts: Tally[tuple[str, str, str]] = Tally()
    for node, free in nodes:
        named = {one.accelerator.resource: one.accelerator.name for one in node.groups}
        left = dict(free.gpus) if node.schedulable else {}
        for resource, count in node.allocatable.gpus:
            product = named.get(resource, "unknown")
            counts[product, resource, "allocatable"] += count
            counts[product, resource, "free"] += max(0, left.get(resource, 0))
    for labels, count in sorted(counts.items()):
        family.add_metric(labels, count)
    return family


def phases(bodies: Sequence[Mapping[str, Any]]) -> Metric:
    """Count the resources by phase; every phase is there, also with none."""
    family = GaugeMetricFamily(
        "qwen3_operator_deployments", "Qwen3Deployments by phase", labels=["phase"]
    )
    counts = Tally((body.get("status") or {}).get("phase") for body in bodies)
    for phase in Phase:
        family.add_metric([phase.value], counts[phase.value])
    return family


def deployments(bodies: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    """Tell of each resource: what it is, how it stands, what was planned."""
    info = InfoMetricFamily(
        "qwen3_deployment", "What a Qwen3Deployment runs, as planned", labels=OWNER
    )
    state = GaugeMetricFamily(
        "qwen3_deployment_phase", "1 for its phase, 0 for the others", labels=(*OWNER, "phase")
    )
    replicas = GaugeMetricFamily(
        "qwen3_deployment_replicas",
        "Replicas: desired, existing, ready, updated",
        labels=(*OWNER, "state"),
    )
    conditions = GaugeMetricFamily(
        "qwen3_deployment_condition",
        "1 while the condition is True, 0 while False; absent while Unknown",
        labels=(*OWNER, "type", "reason"),
    )
    figures = {
        planned: GaugeMetricFamily(
            f"qwen3_deployment_planned_{planned.name}", planned.text, labels=OWNER
        )
        for planned in PLANNED
    }
    for body in bodies:
        owner = (body["metadata"]["namespace"], body["metadata"]["name"])
        status = body.get("status") or {}
        plan = status.get("plan") or {}
        info.add_metric(owner, _about(body, plan))
        for phase in Phase:
            state.add_metric((*owner, phase.value), phase == status.get("phase"))
        replicas.add_metric((*owner, "desired"), body["spec"].get("replicas", 1))
        for label, name in REPLICAS.items():
            replicas.add_metric((*owner, label), status.get(name, 0))
        for condition in status.get("conditions", ()):
            if condition["status"] != "Unknown":
                conditions.add_metric(
                    (*owner, condition["type"], condition["reason"]), condition["status"] == "True"
                )
        for planned, family in figures.items():
            section, name = planned.path
            value = plan.get(section, {}).get(name)
            if value is not None:
                family.add_metric(owner, value * planned.scale)
    yield from (info, state, replicas, conditions, *figures.values())


def _about(body: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, str]:
    engine = plan.get("engine", {})
    return {
        "variant": str(body["spec"]["model"].get("variant", "")),
        "engine": engine.get("name", ""),
        "engine_version": engine.get("version", ""),
        "quantization": plan.get("quantization", ""),
        "layout": (body.get("status") or {}).get("layout", ""),
        "accelerator": plan.get("placement", {}).get("accelerator", ""),
    }


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"qwen3_operator_{name}", text, value=value)
