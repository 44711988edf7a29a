"""Many resources at once: how long the operator takes, what it asks of the API server, and whether
it is quiet afterwards.

    python benchmarks/operator_load.py --resources 100 500

Runs on a control plane of its own (real API server, scheduler, controllers; KWOK nodes), with the
operator as the chart's ServiceAccount. JSON on stdout and in benchmarks/results/operator_load.json.
Counts come from the API server's audit log, times from its timestamps; the operator's Lease and
watches are left out of the counts per resource.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.admin import create_all
from support.controlplane import GPU_TAINT, H100_SXM_80GB, ControlPlane, NodeSpec
from support.operator import RunningOperator, install

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.controlplane import Request

RESULTS = Path(__file__).parent / "results" / "operator_load.json"
NAMESPACE = "bench"
OTHERS = ("kube-controller-manager", "kube-scheduler", "kwok")
"""Stopped for the `bare` run: what is left to time is the operator and the API server. With them
(`full`) pods are made, scheduled and run, which costs the same cores several times as much."""

IDLE_CPU_S = 0.15
"""CPU that an API server with nothing to do takes in a second, with room to spare."""

QUIET_S = 5.0
"""It has settled when the operator wrote nothing for so long."""

GIVE_UP_S = 600.0


def nodes_for(gpus: int) -> list[NodeSpec]:
    """Enough nodes of eight GPUs that every resource can run."""
    count = -(-gpus // 8)
    return [
        NodeSpec(
            f"h100-{number:03d}",
            H100_SXM_80GB,
            gpus=8,
            cpu=192,
            memory_gib=2048,
            taints=(GPU_TAINT,),
        )
        for number in range(count)
    ]


def resource(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": f"qwen3-{number:04d}", "namespace": NAMESPACE},
        "spec": {"model": {"variant": "Qwen3-0.6B"}, "maxModelLen": 8192},
    }


@dataclass
class Process:
    """What a process has used so far."""

    cpu_s: float
    peak_mib: float

    @classmethod
    def of(cls, pid: int) -> Process:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return cls(ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) / 1024)


def counted(request: Request, user: str) -> bool:
    """Whether a request is the operator's work on resources."""
    return (
        request.user == user
        and request.resource != "leases"
        and request.verb not in ("watch", "list")
    )


def seconds(start: str, end: str) -> float:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)


def last_of_each(requests: Sequence[Request], resource_: str, subresource: str) -> dict[str, str]:
    """When each object was first written with success."""
    first: dict[str, str] = {}
    for request in requests:
        if (
            (request.resource, request.subresource) == (resource_, subresource)
            and request.writes
            and request.code < 300  # noqa: PLR2004 - HTTP
        ):
            first.setdefault(request.name, request.received)
    return first


def await_settled(cluster: ControlPlane, user: str, mark: int, count: int) -> list[Request]:
    """Wait until everything exists and the operator has stopped writing."""
    deadline = time.monotonic() + GIVE_UP_S
    seen, changed_at = 0, time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        requests = cluster.audit_log.requests(mark)
        writes = [r for r in requests if counted(r, user) and r.writes]
        if len(writes) != seen:
            seen, changed_at = len(writes), time.monotonic()
        done = len(last_of_each(requests, "services", "")) >= count
        if done and time.monotonic() - changed_at > QUIET_S:
            return requests
    raise TimeoutError(f"not settled after {GIVE_UP_S} s; {seen} writes")


def writes_during(cluster: ControlPlane, user: str, wait_s: float) -> Counter[str]:
    """Count the operator's writes in the next `wait_s` seconds."""
    mark = cluster.audit_log.mark()
    time.sleep(wait_s)
    return Counter(
        f"{r.verb} {r.resource}"
        for r in cluster.audit_log.requests(mark)
        if counted(r, user) and r.writes
    )


def await_idle(cluster: ControlPlane) -> None:
    """Wait until the API server has digested the CRD: it rebuilds its OpenAPI documents first."""
    pid = cluster.pids["kube-apiserver"]
    for _ in range(60):
        before = Process.of(pid).cpu_s
        time.sleep(1.0)
        if Process.of(pid).cpu_s - before < IDLE_CPU_S:
            return


def measure(cluster: ControlPlane, operator: RunningOperator, count: int) -> dict[str, Any]:
    """Create so many resources and follow them until all is quiet."""
    user = operator.installation.user
    before = Process.of(operator.pid)
    mark = cluster.audit_log.mark()
    create_all(cluster, (resource(number) for number in range(count)))
    requests = await_settled(cluster, user, mark, count)
    after = Process.of(operator.pid)
    created = [r for r in requests if (r.resource, r.verb) == ("qwen3deployments", "create")]
    start = min(r.received for r in created)
    ours = [r for r in requests if counted(r, user)]
    children = {
        **last_of_each(ours, "deployments", ""),
        **{f"{k}/service": v for k, v in last_of_each(ours, "services", "").items()},
    }
    statuses = last_of_each(ours, "qwen3deployments", "status")
    last_status = max(r.received for r in ours if r.subresource == "status")
    return {
        "resources": count,
        "createdByUserS": seconds(start, max(r.received for r in created)),
        "childrenExistS": seconds(start, max(children.values())),
        "everyStatusWrittenS": seconds(start, max(statuses.values())),
        "lastStatusWrittenS": seconds(start, last_status),
        "ready": ready_count(cluster),
        "requestsPerResource": round(len(ours) / count, 2),
        "writesPerResource": round(sum(r.writes for r in ours) / count, 2),
        "requestsByKind": dict(
            Counter(f"{r.verb} {r.resource}/{r.subresource}".rstrip("/") for r in ours)
        ),
        "failedRequests": dict(Counter(str(r.code) for r in ours if r.code >= 400)),  # noqa: PLR2004
        "operatorCpuS": round(after.cpu_s - before.cpu_s, 2),
        "operatorPeakMib": round(after.peak_mib, 1),
    }


def ready_count(cluster: ControlPlane) -> int:
    items = cluster.kubectl_json("get", "q3d", f"--namespace={NAMESPACE}")["items"]
    return sum(
        condition["type"] == "Ready" and condition["status"] == "True"
        for item in items
        for condition in item.get("status", {}).get("conditions", ())
    )


def run(count: int, arguments: argparse.Namespace, *, bare: bool) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        ControlPlane(nodes=nodes_for(count), audit=True) as cluster,
    ):
        installation = install(cluster, Path(folder), "qwen3-operator-system")
        cluster.kubectl("create", "namespace", NAMESPACE)
        if bare:
            for part in OTHERS:
                cluster.stop_part(part)
        with RunningOperator(installation) as operator:
            await_idle(cluster)
            idle = Process.of(operator.pid)
            result = {"controlPlane": "bare" if bare else "full"}
            result |= measure(cluster, operator, count)
            result["startCpuS"] = round(idle.cpu_s, 2)
            result["startMib"] = round(idle.peak_mib, 1)
            result["writesWhileQuiet"] = dict(
                writes_during(cluster, installation.user, arguments.quiet_s)
            )
            result["quietS"] = arguments.quiet_s
            result["quietCpuS"] = round(
                Process.of(operator.pid).cpu_s - idle.cpu_s - result["operatorCpuS"], 2
            )
        with RunningOperator(installation) as operator:
            result["writesAfterRestart"] = dict(
                writes_during(cluster, installation.user, arguments.restart_s)
            )
            result["restartCpuS"] = round(Process.of(operator.pid).cpu_s, 2)
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, nargs="+", default=[100, 500])
    parser.add_argument(
        "--control-plane", nargs="+", choices=["bare", "full"], default=["bare", "full"]
    )
    parser.add_argument("--quiet-s", type=float, default=60.0)
    parser.add_argument("--restart-s", type=float, default=15.0)
    arguments = parser.parse_args()
    results = []
    for count in arguments.resources:
        for kind in arguments.control_plane:
            print(f"{count} resources, {kind} control plane …", file=sys.stderr, flush=True)
            results.append(run(count, arguments, bare=kind == "bare"))
    document = json.dumps({"benchmark": "operator", "runs": results}, indent=2)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(document + "\n")
    print(document)


if __name__ == "__main__":
    main()
