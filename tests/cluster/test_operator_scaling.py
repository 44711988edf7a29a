"""Replicas by load: a real Prometheus scrapes scripted engines, and the operator goes by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.gate import Gate, State
from support.models import SECONDS, SMALL, Models
from support.operator import RunningOperator, install
from support.prometheus import Prometheus
from support.room import Room
from support.scripted_engines import BUSY, CALM, Load, ScriptedEngines
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

NAMESPACE = "scaled"

QUICK = (
    "windowSeconds: 4, scaleUp: {stabilizationWindowSeconds: 1},"
    " scaleDown: {stabilizationWindowSeconds: 3}"
)


def on(accelerator: str, scaling: str, more: str = "") -> str:
    """Write a specification; `scaling` is what is said beside the windows."""
    pool = f"{SMALL}accelerators: [{accelerator}]\n{more}"
    return f"{pool}scaling: {{{scaling}, {QUICK}}}\n"


HOLDER = f"{SMALL}accelerators: [A100-SXM-80GB]\nparallelism: {{tensor: 2}}\n"
"""Takes two of the node's four GPUs."""

BUSY_MODEL = on(
    "A100-SXM-80GB",
    "minReplicas: 1, maxReplicas: 3, targets: {waitingRequests: 2, kvCacheUsagePercent: 80}",
)
LAZY_MODEL = on(
    "L40S-48GB",
    "minReplicas: 0, maxReplicas: 1, targets: {tpotMs: 100, outputTokensPerSecond: 1000},"
    " idle: {afterSeconds: 3, wakeQuery: gateway_requests_waiting}",
    "engine: {name: sglang}\n",
)
SHARED_MODEL = on(
    "RTX-4090-24GB",
    "minReplicas: 1, maxReplicas: 2, targets: {ttftMs: 500, latencyPercentile: 90}",
)


class Scene:
    """A namespace, what its engines say, and the gate before the Prometheus that scrapes them."""

    def __init__(self, models: Models, engines: ScriptedEngines, gate: Gate) -> None:
        self.models = models
        self.engines = engines
        self.gate = gate

    def replicas(self, name: str) -> int:
        """Return spec.replicas."""
        return int(self.models.get(name)["spec"]["replicas"])

    def await_replicas(self, name: str, count: int) -> None:
        """Wait until so many are wanted, and run."""
        until(
            lambda: self.replicas(name) == count and len(self.models.pods(name)) == count,
            SECONDS,
            lambda: f"{name} should have {count}, has {self.models.get(name)}",
            interval=0.5,
        )

    def await_scaling(self, name: str, status: str, reason: str) -> str:
        """Wait until the condition ScalingActive says so; return its message."""
        return self.models.await_condition(name, "ScalingActive", status, reason)["message"]


@pytest.fixture(scope="module")
def scene(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Three models that scale, each on GPUs of its own: their stories go on side by side."""
    control_plane.kubectl("create", "namespace", NAMESPACE)
    installation = install(control_plane, tmp_path_factory.mktemp("operator"), "scaling-system")
    models = Models(Room(control_plane, NAMESPACE))
    with ScriptedEngines(models.room) as engines:
        engines.says("busy", Load(running=3, kv_cache=0.3, tokens_per_s=90))
        engines.says("lazy", CALM, "sglang")
        engines.says("shared", CALM)
        with (
            Prometheus({}, engines.scrape_configs()) as prometheus,
            Gate(prometheus.url) as gate,
            RunningOperator(installation, environment=settings(gate)),
        ):
            models.apply("holder", HOLDER)
            models.apply("busy", BUSY_MODEL)
            models.apply("lazy", LAZY_MODEL)
            models.apply("shared", SHARED_MODEL)
            yield Scene(models, engines, gate)
            models.delete_all()
    control_plane.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def settings(gate: Gate) -> dict[str, str]:
    return {
        "QWEN3_OPERATOR_PROMETHEUS_URL": gate.url,
        "QWEN3_OPERATOR_PROMETHEUS_TIMEOUT_S": "0.5",
        "QWEN3_OPERATOR_SCALING_INTERVAL_S": "1",
    }


def test_load_drives_replicas_up_to_what_fits_and_back(
    scene: Scene, control_plane: ControlPlane
) -> None:
    """And in between nothing moves while Prometheus is gone, slow or wrong."""
    models, engines, gate = scene.models, scene.engines, scene.gate
    models.await_ready("holder")
    assert "kvCacheUsagePercent 80" in scene.await_scaling("busy", "True", "ScalingOnTarget")
    mark = control_plane.audit_log.mark()

    engines.says("busy", BUSY)
    assert "GPUs" in scene.await_scaling("busy", "True", "ScalingLimited")
    scene.await_replicas("busy", 2)
    models.delete("holder")
    scene.await_replicas("busy", 3)

    engines.says("busy", None)
    scene.await_scaling("busy", "False", "MetricsMissing")
    engines.says("busy", Load(kv_cache=85))
    message = scene.await_scaling("busy", "False", "MetricsInvalid")
    assert "vllm:kv_cache_usage_perc is 85" in message
    gate.turn(State.SLOW)
    engines.says("busy", CALM)
    scene.await_scaling("busy", "False", "MetricsTooSlow")
    gate.turn(State.SHUT)
    assert "cannot be reached" in scene.await_scaling("busy", "False", "MetricsUnavailable")
    assert scene.replicas("busy") == 3
    assert models.condition("busy", "Ready")["status"] == "True"

    gate.turn(State.OPEN)
    scene.await_replicas("busy", 1)
    scene.await_scaling("busy", "True", "ScalingOnTarget")
    told = models.events("busy")
    assert {("Normal", "ScaledUp"), ("Normal", "ScaledDown")} <= {*told}
    assert {("Warning", "MetricsMissing"), ("Warning", "MetricsTooSlow")} <= {*told}
    writes = {
        request.subresource
        for request in control_plane.audit_log.requests(mark)
        if request.writes and request.resource == "qwen3deployments" and request.name == "busy"
    }
    assert writes == {"scale", "status"}


def test_to_zero_when_nobody_asks_and_back_by_a_call_or_a_schedule(scene: Scene) -> None:
    models = scene.models
    scene.await_replicas("lazy", 0)
    message = models.await_condition("lazy", "Ready", "True", "ScaledToZero")["message"]
    assert "wakeQuery" in message
    assert models.status("lazy")["phase"] == "Suspended"
    scene.engines.calls = 1
    scene.await_replicas("lazy", 1)
    models.await_ready("lazy")

    scene.engines.calls = 0
    scene.await_replicas("lazy", 0)
    always = '[{"start": "00:00", "end": "24:00", "minReplicas": 1}]'
    patch = f'--patch={{"spec": {{"scaling": {{"schedules": {always}}}}}}}'
    models.room.kubectl("patch", "q3d", "lazy", "--type=merge", patch)
    scene.await_replicas("lazy", 1)


def test_another_autoscaler_is_left_alone_until_it_is_gone(scene: Scene) -> None:
    """A real HorizontalPodAutoscaler, then KEDA as the API server remembers it; then a latency."""
    room = scene.models.room
    scene.await_scaling("shared", "True", "ScalingOnTarget")
    room.apply(hpa("shared", least=2))
    scene.await_replicas("shared", 2)
    message = scene.await_scaling("shared", "False", "ScalingDelegated")
    assert "HorizontalPodAutoscaler shared" in message
    room.kubectl("delete", "hpa", "shared")
    scene.await_replicas("shared", 1)

    as_keda = ("--subresource=scale", "--field-manager=keda", "--type=merge")
    room.kubectl("patch", "q3d", "shared", *as_keda, '--patch={"spec":{"replicas":3}}')
    assert "field manager keda" in scene.await_scaling("shared", "False", "ScalingDelegated")
    scene.await_replicas("shared", 3)
    room.kubectl("scale", "q3d/shared", "--replicas=2")
    scene.await_replicas("shared", 1)

    late = Load(running=5, tokens_per_s=200, requests_per_s=5, ttft_s=0.8)
    scene.engines.says("shared", late)
    scene.await_replicas("shared", 2)


def hpa(name: str, least: int) -> dict[str, Any]:
    target = {"apiVersion": "serving.qwen3.dev/v1alpha1", "kind": "Qwen3Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": 3},
    }
