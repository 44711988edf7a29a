"""The PodMonitor, by which a Prometheus reads the engine's metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels, names
from qwen3_operator.desired.kinds import POD_MONITOR
from qwen3_operator.desired.metadata import make_metadata
from qwen3_operator.observed import DEPLOYMENT_LABEL
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

DEFAULT_INTERVAL = "30s"

TARGET_LABELS = (DEPLOYMENT_LABEL, labels.VARIANT)
"""Labels of pods that become labels of series; the dashboards select by the first."""


def wants_pod_monitor(resource: Qwen3Deployment, site: Site) -> bool:
    """Whether the resource, or else the site, asks for one."""
    wanted = resource.spec.monitoring
    if wanted is None:
        return site.around.pod_monitors
    return wanted.pod_monitor is not False


def make_pod_monitor(resource: Qwen3Deployment, plan: Plan, site: Site) -> dict[str, Any]:
    """Make the PodMonitor; of a replica over several nodes only the rank that answers is read."""
    name = resource.metadata.name
    wanted = resource.spec.monitoring
    chosen = {**site.around.pod_monitor_labels, **((wanted and wanted.labels) or {})}
    endpoint: dict[str, Any] = {
        "port": names.PORT_NAME,
        "path": engine_of(plan.engine).metrics_path,
        "interval": wanted.interval if wanted else DEFAULT_INTERVAL,
    }
    api_key = resource.spec.api_key_secret_ref
    if api_key is not None and engine_of(plan.engine).metrics_need_key:
        credentials = {"name": api_key.name, "key": api_key.key}
        endpoint["authorization"] = {"type": "Bearer", "credentials": credentials}
    return {
        "apiVersion": POD_MONITOR.api_version,
        "kind": POD_MONITOR.kind,
        "metadata": make_metadata(resource, plan, names.pod_monitor(name), chosen),
        "spec": {
            "selector": {"matchLabels": labels.selector(name)},
            "podTargetLabels": list(TARGET_LABELS),
            "podMetricsEndpoints": [endpoint],
        },
    }
