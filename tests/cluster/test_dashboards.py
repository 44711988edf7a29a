"""The dashboards' queries, put to a real Prometheus that scrapes a running operator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.models import SECONDS, SMALL
from support.prometheus import Prometheus
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.models import Models
    from support.operator import RunningOperator

pytestmark = pytest.mark.cluster

DASHBOARDS = Path(__file__).parents[2] / "charts" / "qwen3-operator" / "dashboards"

OF_AN_ENGINE = ("vllm:", "sglang:", "llamacpp:")
"""Where no engine runs, these have no series."""

CHOSEN = {"$namespace": ".*", "$deployment": ".*", "$__rate_interval": "10s"}


def expressions(name: str) -> dict[str, str]:
    """Return the queries of a dashboard by panel, as Grafana would send them."""
    document = json.loads((DASHBOARDS / f"{name}.json").read_text())
    return {
        f"{panel['title']} {target['refId']}": filled(target["expr"])
        for panel in document["panels"]
        for target in panel.get("targets", ())
    }


def filled(expression: str) -> str:
    for variable, value in CHOSEN.items():
        expression = expression.replace(variable, value)
    return expression


@pytest.fixture(scope="module")
def prometheus(operator: RunningOperator) -> Iterator[Prometheus]:
    with Prometheus({"operator": f"127.0.0.1:{operator.health_port}"}) as running:
        yield running


@pytest.mark.parametrize("name", ["qwen3-models", "qwen3-operator"])
def test_each_panel_shows_what_the_operator_tells(
    name: str, prometheus: Prometheus, models: Models
) -> None:
    models.apply("shown", f"{SMALL}accelerators: [L40S-48GB]\n")
    models.await_ready("shown")
    missing: dict[str, str] = {}

    def all_shown() -> bool:
        missing.clear()
        for panel, expression in expressions(name).items():
            series: list[dict[str, Any]] = prometheus.query(expression)
            if not series and not any(engine in expression for engine in OF_AN_ENGINE):
                missing[panel] = expression
        return not missing

    until(all_shown, SECONDS, lambda: f"panels without data: {missing}", interval=0.5)
