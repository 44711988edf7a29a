"""`kubectl qwen3` says what runs, why, and what if; then it is done, and so it comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.cli import main
from support.controlplane import GPU_TAINT, H100_SXM_80GB, NodeSpec
from support.models import SECONDS, SMALL, Models
from support.plugin import as_kubectl
from support.resources import resource
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

POOL = f"{SMALL}accelerators: [H100-SXM-80GB]\nparallelism: {{tensor: 8}}\n"
"""With the 32B variant: a whole node."""

THIRD_NODE = NodeSpec(
    "h100-2", H100_SXM_80GB, gpus=8, cpu=192, memory_gib=2048, taints=(GPU_TAINT,)
)


class Plugin:
    """The plugin as its user runs it, in this process."""

    def __init__(
        self, models: Models, control_plane: ControlPlane, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._models = models
        self._place = [f"--kubeconfig={control_plane.kubeconfig}", f"-n={models.room.namespace}"]
        self._capsys = capsys

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """Run a command; what it prints fits 80 columns."""
        assert main([*arguments, *self._place]) == status
        out, err = self._capsys.readouterr()
        if "json" not in arguments:
            assert [line for line in out.splitlines() if len(line) > 80 and " " in line] == []
        return out if status == 0 else err

    def expect(self, *arguments: str) -> dict[str, tuple[str, int, str]]:
        """Return what ``whatif`` says of each model of the namespace: effect, replicas, reason."""
        answer = json.loads(self("whatif", *arguments, "-o", "json"))
        return {
            one["name"]: (one["effect"], one["after"]["running"], one["after"]["reason"])
            for one in answer["resources"]
            if one["namespace"] == self._models.room.namespace
        }


def await_outcome(models: Models, expected: dict[str, tuple[str, int, str]]) -> None:
    """Wait until as many replicas of each model run as was said, for the reason that was said."""
    wanted = {name: (running, reason) for name, (_, running, reason) in expected.items()}

    def outcome() -> dict[str, tuple[int, str]]:
        return {
            name: (
                sum(bool(node) for node in models.nodes(name)),
                models.condition(name, "Ready").get("reason", ""),
            )
            for name in models.room.names("q3d")
        }

    until(
        lambda: outcome() == wanted, SECONDS, lambda: f"{wanted} is not {outcome()}", interval=0.3
    )


def test_what_is_said_of_a_change_is_what_becomes_of_it(
    models: Models,
    control_plane: ControlPlane,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    plugin = Plugin(models, control_plane, capsys)
    for name in ("left", "right"):
        models.apply(name, POOL, variant="Qwen3-32B")
        models.await_ready(name)
    models.apply("third", POOL, variant="Qwen3-32B")
    models.await_condition("third", "Scheduled", "False", "InsufficientGPU")

    expected = plugin.expect("--add", "1x8xH100-SXM-80GB")
    assert expected["third"] == ("starts", 1, "Ready")
    assert expected["left"] == ("unchanged", 1, "Ready")
    control_plane.add_nodes(THIRD_NODE)
    try:
        await_outcome(models, expected)
        expected = plugin.expect("--drain", "h100-2")
        assert expected["third"] == ("loses", 0, "Unschedulable")
        drain(control_plane, "h100-2")
        await_outcome(models, expected)
        control_plane.kubectl("uncordon", "h100-2")
        models.await_ready("third")

        changed = tmp_path / "changed.json"
        resources = [
            resource(f"{POOL}suspend: true\n", name="left", variant="Qwen3-32B"),
            resource(POOL, name="fourth", variant="Qwen3-32B"),
            resource(POOL, name="later", variant="Qwen3-32B"),
        ]
        changed.write_text("\n---\n".join(json.dumps(one) for one in resources))
        expected = plugin.expect("--apply", str(changed))
        assert expected["fourth"][0] == "starts", plugin("whatif", "--apply", str(changed))
        assert expected["later"] == ("waits", 0, "InsufficientGPU")
        models.room.apply(*resources)
        await_outcome(models, expected)

        for name in ("later", "fourth"):
            models.delete(name)
            models.await_gone(name)
        expected = plugin.expect("--drain", "h100-2")
        assert expected["third"] == ("moves", 1, "Ready")
        text = plugin("whatif", "--drain", "h100-2")
        assert "1 of 1 replica go on; h100-2 -> h100-" in text
        drain(control_plane, "h100-2")
        await_outcome(models, expected)
        assert "h100-2" not in models.nodes("third")
    finally:
        models.room.kubectl("delete", "q3d", "--all", "--wait=false")
        models.room.kubectl("delete", "pods", "--all", "--timeout=30s")
        control_plane.remove_nodes("h100-2")


def drain(control_plane: ControlPlane, node: str) -> None:
    control_plane.kubectl(
        "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=30s"
    )


def test_what_runs_and_why_is_shown(
    models: Models, control_plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = Plugin(models, control_plane, capsys)
    one = f"{SMALL}accelerators: [L40S-48GB]\n"
    models.apply("holder", one)
    models.await_ready("holder")
    models.apply("waiter", one)
    models.await_condition("waiter", "Scheduled", "False", "InsufficientGPU")

    table = plugin("status")
    assert [line.split()[:3] for line in table.splitlines()[1:]] == [
        ["holder", "1/1", "Ready"],
        ["waiter", "0/1", "InsufficientGPU"],
    ]
    assert "L40S-48GB" in plugin("status", "holder")
    told = plugin("why", "waiter")
    assert "waiter is not ready: InsufficientGPU." in told
    assert "It stops at Scheduled (SpecValid, PlanFeasible, ModelCached hold)." in told
    held = plugin("top")
    assert f"{models.room.namespace}/holder (1)" in held
    assert "Position 1 of 1 in the queue." in held
    top = json.loads(plugin("top", "-o", "json"))
    (node,) = [node for node in top["nodes"] if node["node"] == "l40s-0"]
    assert (node["free"], node["offered"], node["unhealthy"]) == (0, 1, 0)
    assert node["holders"] == [{"name": f"{models.room.namespace}/holder", "gpus": 1}]

    wrong = plugin("status", "holer", status=2)
    assert "holer: there is no such Qwen3Deployment" in wrong
    assert "choices: holder, waiter" in wrong
    assert "choices: h100-0" in plugin("whatif", "--drain=h100-9", status=2)
    answer = as_kubectl(control_plane, "plan", "Qwen3-32B", "-o", "json")
    assert json.loads(answer.stdout)["feasible"] is True
    assert "0 of 1 L40S-48GB are free" in answer.stderr
