"""Real requests make a second replica, and their end takes it away; a real Prometheus tells."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.node import NODE_ADDRESS, release
from support.node.discovery import Discovery
from support.node.load import Client, Load
from support.node.team import READY_SECONDS
from support.node.tiny import tiny
from support.prometheus import Prometheus
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.node import Supplies
    from support.node.team import Team
    from support.told import Tell

pytestmark = pytest.mark.e2e

DOCUMENTED = Path(__file__).parents[2] / "docs" / "how-to" / "monitor.md"

AT_ONCE = 2
"""Requests that an engine answers at the same time; the others wait in it."""

CROWD = tuple(
    Client(f"one of many, {number}", keeps=False, streams=False, tokens=32, thinks_s=0)
    for number in range(5)
)
ALONE = (Client("somebody alone", keeps=False, streams=False, tokens=8, thinks_s=1),)

SCALING = {
    "minReplicas": 1,
    "maxReplicas": 2,
    "targets": {"waitingRequests": 1},
    "windowSeconds": 10,
    "scaleUp": {"stabilizationWindowSeconds": 5},
    "scaleDown": {"stabilizationWindowSeconds": 20},
}

DOWN_SECONDS = 240.0


class Timeline:
    """What happened when, for whoever reads the test's output."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.lines: list[str] = []

    def note(self, what: str) -> None:
        """Write a line with the time since the beginning."""
        self.lines.append(f"{time.monotonic() - self._began:6.1f} s  {what}")


def scrape_config(discovery: Discovery) -> dict[str, Any]:
    """Return the documented scrape configuration, but for how it learns of pods."""
    blocks = DOCUMENTED.read_text().split("```yaml\n")
    (block,) = (block for block in blocks if block.startswith("scrape_configs:"))
    (config,) = yaml.safe_load(block.partition("```")[0])["scrape_configs"]
    assert config.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    return config | discovery.config


@pytest.fixture
def prometheus(installed: ControlPlane, supplies: Supplies) -> Iterator[Prometheus]:
    """A Prometheus that the operator is told of, by `helm upgrade`."""
    operator = supplies.images.operator
    with (
        Discovery(installed) as discovery,
        Prometheus({}, [scrape_config(discovery)], address=NODE_ADDRESS) as running,
    ):
        telling = {"prometheus": {"url": running.url, "intervalSeconds": 5}}
        release.install(installed, operator, operator=telling)
        yield running
        release.install(installed, operator)


def test_load_makes_replicas_and_its_end_takes_them_away(
    team: Team, supplies: Supplies, prometheus: Prometheus, tell: Tell
) -> None:
    engine = {"maxNumSeqs": AT_ONCE}
    team.apply(tiny(supplies, replicas=1, engine=engine, scaling=SCALING))
    team.await_ready("tiny")
    await_scaling(team, "ScalingOnTarget")
    timeline = Timeline()
    timeline.note("one replica is ready, and nobody asks")

    with Load(team.address("tiny"), CROWD) as crowd:
        timeline.note(f"{len(CROWD)} clients ask; the engine answers {AT_ONCE} at once")
        await_replicas(team, 2, READY_SECONDS)
        timeline.note(f"two replicas are wanted: {told(team, 'ScaledUp')}")
        crowd.during("the second replica starts")
        await_pods(team, 2)
        timeline.note("two replicas are ready")
        crowd.during("two replicas")
        await_answers(crowd, 20)
        assert len(answering(prometheus, team)) == 2, answering(prometheus, team)
    with Load(team.address("tiny"), ALONE) as alone:
        timeline.note("the crowd is gone, one client asks on")
        await_replicas(team, 1, DOWN_SECONDS)
        timeline.note(f"one replica is wanted: {told(team, 'ScaledDown')}")
        alone.during("the second replica goes")
        await_pods(team, 1)
        timeline.note("one replica is there")
        alone.during("one replica")
        await_answers(alone, 5)

    for line in (*timeline.lines, *crowd.report(), *alone.report()):
        tell(f"scaling: {line}")
    assert crowd.failures() == []
    assert alone.failures() == []
    assert team.condition_of("tiny", "Ready")["status"] == "True"


def told(team: Team, reason: str) -> str:
    """Return the message of the last event with a reason."""
    events = team.get("events", f"--field-selector=reason={reason}")["items"]
    return events[-1]["message"] if events else "no event"


def await_answers(load: Load, more: int) -> None:
    """Wait until so many further requests are answered."""
    first = load.answered()
    until(
        lambda: load.answered() >= first + more,
        READY_SECONDS,
        lambda: "; ".join(load.report()),
        interval=1,
    )


def await_scaling(team: Team, reason: str) -> None:
    until(
        lambda: team.condition_of("tiny", "ScalingActive").get("reason") == reason,
        120,
        lambda: team.told("tiny"),
        interval=1,
    )


def await_replicas(team: Team, count: int, seconds: float) -> None:
    """Wait until the operator wants so many."""
    until(
        lambda: team.get("q3d", "tiny")["spec"]["replicas"] == count,
        seconds,
        lambda: team.told("tiny"),
        interval=1,
    )


def await_pods(team: Team, count: int) -> None:
    """Wait until there are so many pods, all ready."""

    def settled() -> bool:
        pods = team.get("pods", "--selector=serving.qwen3.dev/deployment=tiny")["items"]
        ready = [
            condition["status"] == "True"
            for pod in pods
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "Ready"
        ]
        return len(pods) == count and ready == [True] * count

    until(settled, READY_SECONDS, lambda: team.told("tiny"), interval=1)


def answering(prometheus: Prometheus, team: Team) -> dict[str, float]:
    """Return the pods that answered requests within the last minute, and how many each."""
    chosen = f'{{namespace="{team.namespace}",serving_qwen3_dev_deployment="tiny"}}'
    query = f"sum by (pod) (increase(vllm:request_success_total{chosen}[1m])) > 0"
    return {
        series["metric"]["pod"]: float(series["value"][1]) for series in prometheus.query(query)
    }
