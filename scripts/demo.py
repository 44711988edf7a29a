"""Show the main job: a control plane with GPU nodes, the operator, the examples, live.

By default a control plane of its own is started on loopback (real API server, scheduler and
controllers; the nodes are simulated by KWOK). Set in the environment

    DEMO_KUBECONFIG=path   use that cluster instead, after showing its address and asking
    DEMO_EXIT=1            end as soon as everything has settled, exit code 0 if it did

KUBECONFIG is never looked at. Everything that is started or created is removed at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from support.controlplane import DEMO_NODES, ControlPlane, ControlPlaneError, find_or_build
from support.controlplane.binaries import say_on_stderr
from support.controlplane.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
OPERATOR = Path(sys.executable).parent / "qwen3-operator"
CHART = ROOT / "charts" / "qwen3-operator"
EXAMPLES = ("qwen3-32b.yaml", "qwen3-30b-a3b.yaml", "qwen3-235b-bf16-a100.yaml")
NAMESPACE = "qwen3-demo"
SYSTEM = "qwen3-demo-system"
SETTLE_S = 120.0
"""A fresh operator takes a few seconds to hold its Lease; a loaded machine takes longer."""


@dataclass(frozen=True)
class Stage:
    """A cluster to play on: its commands, and the kubeconfig that the operator gets."""

    commands: Commands
    operator_kubeconfig: Path
    folder: Path

    @property
    def operator_log(self) -> Path:
        """Where the operator's output goes."""
        return self.folder / "operator.log"


def main() -> int:
    """Play the demo; return an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)  # ends like Ctrl-C, so that nothing is left behind
    try:
        with ExitStack() as stack:
            stage = stack.enter_context(_stage())
            stack.enter_context(_operator(stage))
            settled = _play(stage)
            if not os.environ.get("DEMO_EXIT"):
                _linger(stage)
            return 0 if settled else 1
    except ControlPlaneError as error:
        say_on_stderr(str(error))
        return 1
    except KeyboardInterrupt:
        say_on_stderr("stopped; everything was removed")
        return 0


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="qwen3-demo-") as name, ExitStack() as stack:
        folder = Path(name)
        given = os.environ.get("DEMO_KUBECONFIG")
        if given:
            yield from _borrowed(Path(given), folder)
            return
        say_on_stderr("Starting a control plane with these nodes (built on first use) ...")
        cluster = stack.enter_context(ControlPlane(nodes=DEMO_NODES))
        _install(cluster.commands())
        kubeconfig = cluster.service_account_kubeconfig(
            SYSTEM, "qwen3-operator", folder / "operator.kubeconfig"
        )
        print(cluster.kubectl("get", "nodes", "-L", "nvidia.com/gpu.product,nvidia.com/gpu.count"))
        yield Stage(cluster.commands(), kubeconfig, folder)


def _borrowed(kubeconfig: Path, folder: Path) -> Iterator[Stage]:
    """Use somebody's cluster: ask first, remove what was created afterwards."""
    if not kubeconfig.is_file():
        raise SystemExit(f"DEMO_KUBECONFIG: {kubeconfig}: no such file")
    commands = Commands(find_or_build(say_on_stderr), kubeconfig.resolve(), folder)
    address = commands.kubectl(
        "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"
    )
    print(f"DEMO_KUBECONFIG points at {address}.")
    print(f"The demo creates a CRD, cluster roles and the namespaces {NAMESPACE}, {SYSTEM} there.")
    try:
        answer = input("Go on? Type yes: ")
    except EOFError:
        answer = ""
    if answer.strip() != "yes":
        raise SystemExit("Nothing was changed.")
    _install(commands)
    try:
        yield Stage(commands, kubeconfig.resolve(), folder)
    finally:
        commands.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
        commands.kubectl("delete", "--ignore-not-found", "-f", "-", input=_chart(commands))
        commands.kubectl("delete", "namespace", SYSTEM, "--ignore-not-found", "--wait=false")


def _chart(commands: Commands) -> str:
    """Render the chart without its Deployment: the demo runs the operator itself."""
    rendered = commands.helm(
        "template", "qwen3-operator", CHART, "--namespace", SYSTEM, "--set", "replicas=0"
    )
    documents = rendered.split("\n---\n")
    return "\n---\n".join(text for text in documents if "\nkind: Deployment\n" not in text)


def _install(commands: Commands) -> None:
    for namespace in (NAMESPACE, SYSTEM):
        commands.kubectl("create", "namespace", namespace)
    commands.kubectl("apply", "--server-side", "-f", "-", input=_chart(commands))
    commands.await_established("qwen3deployments.serving.qwen3.dev")


@contextmanager
def _operator(stage: Stage) -> Iterator[None]:
    """Run the operator beside us as the chart's own ServiceAccount; stop it by pid."""
    argv = [str(OPERATOR), "run", "--kubeconfig", str(stage.operator_kubeconfig)]
    argv += ["--lease-namespace", SYSTEM, "--health-port", "0"]
    argv += ["--no-read-engines"]  # behind simulated pods there are none
    say_on_stderr("Starting the operator: " + " ".join([OPERATOR.name, *argv[1:]]))
    with stage.operator_log.open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        ended_by_itself = process.poll() is not None
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if ended_by_itself:
            print("The operator ended by itself.", file=sys.stderr)


def _play(stage: Stage) -> bool:
    """Apply the examples and show them until they settle; return whether they did."""
    for example in EXAMPLES:
        path = f"examples/{example}"
        print(f"$ kubectl apply -f {path}")
        print(stage.commands.kubectl("apply", "-n", NAMESPACE, "-f", ROOT / path), end="")
    print("\n$ kubectl get q3d --watch")
    settled = _watch(stage)
    print()
    for resource in _resources(stage):
        print(_plan_text(resource))
    print(f"$ kubectl get pods -o wide\n{_get(stage, 'pods', '-o', 'wide')}")
    if not settled:
        print(f"Not settled after {SETTLE_S:.0f} s. The operator's log ends with:", file=sys.stderr)
        print("\n".join(stage.operator_log.read_text().splitlines()[-20:]), file=sys.stderr)
    return settled


def _watch(stage: Stage) -> bool:
    """Show the table until it settles: redrawn on a terminal, else printed when it changes."""
    live = sys.stdout.isatty()
    deadline = time.monotonic() + SETTLE_S
    shown = ""
    while time.monotonic() < deadline:
        settled = all(_is_settled(resource) for resource in _resources(stage))
        table = _get(stage, "q3d")
        if _without_age(table) != _without_age(shown):
            if live and shown:
                print(f"\x1b[{_rows(shown)}A\x1b[J", end="")
            print(table, end="", flush=True)
            shown = table
        if settled:
            return True
        time.sleep(0.5)  # a person looks at it
    return False


def _rows(table: str) -> int:
    """Count the rows a text takes on this terminal, wrapped lines included."""
    columns = shutil.get_terminal_size().columns
    return sum(max(1, -(-len(line) // columns)) for line in table.splitlines())


def _get(stage: Stage, *args: str) -> str:
    return stage.commands.kubectl("get", "-n", NAMESPACE, *args)


def _without_age(table: str) -> list[list[str]]:
    return [line.split()[:-1] for line in table.splitlines()]


def _resources(stage: Stage) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(_get(stage, "q3d", "-o", "json"))["items"]
    return items


def _is_settled(resource: dict[str, Any]) -> bool:
    status = resource.get("status", {})
    if status.get("observedGeneration") != resource["metadata"]["generation"]:
        return False
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    return conditions.get("Ready") == "True" or conditions.get("PlanFeasible") == "False"


def _plan_text(resource: dict[str, Any]) -> str:
    """Tell the plan of one resource, or why there is none, from its status alone."""
    status = resource.get("status", {})
    plan = status.get("plan", {})
    ready: dict[str, str] = next(
        (c for c in status.get("conditions", []) if c["type"] == "Ready"), {}
    )
    lines = [f"{resource['metadata']['name']}: {ready.get('reason', 'no status')}"]
    if ready.get("message"):
        lines.append(f"  {ready['message']}")
    if plan.get("feasible"):
        gpu = plan["memory"]["perGpu"][0]
        parts = ("weights", "kvCache", "activation", "graph", "overhead", "budget")
        sizes = ", ".join(f"{part} {gpu[part + 'Bytes'] / 2**30:.1f}" for part in parts)
        lines.append(f"  {plan['layout']['gpusPerReplica']} x {plan['placement']['accelerator']}")
        lines.append(f"  GiB per GPU: {sizes}")
        lines.append(f"  {' '.join(plan['command'])}")
    return "\n".join(lines) + "\n"


def _linger(stage: Stage) -> None:
    """Wait for Ctrl-C; meanwhile the cluster can be used from another terminal."""
    environment = stage.commands.environment()
    kubectl = shutil.which("kubectl", path=environment["PATH"])
    print("It keeps running. From another terminal:")
    print(f"  export KUBECONFIG={environment['KUBECONFIG']}")
    print(f"  {kubectl} -n {NAMESPACE} get q3d -o wide")
    print(f"  {kubectl} -n {NAMESPACE} scale q3d/qwen3-32b --replicas=2")
    print(f"Operator log: {stage.operator_log}")
    print("Ctrl-C stops and removes everything.")
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
