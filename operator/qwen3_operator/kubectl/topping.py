"""Pure: GPUs of a cluster, who holds them, what models do with them, and who waits; for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.admission import gpus_of
from qwen3_operator.kubectl.showing import conditions_of, key_of
from qwen3_planner.report.table import render, thousands, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwen3_operator.kubectl.load import Load
    from qwen3_operator.kubectl.looking import View
    from qwen3_operator.observed import Key, Node, Pod

FINISHED = frozenset({"Failed", "Succeeded"})
GPU_RESOURCES = ("nvidia.com/", "amd.com/")


def top_lines(view: View, loads: Mapping[Key, Load], width: int) -> list[str]:
    """Show the GPUs of every node, who holds them, what the models do, and who waits."""
    return [*_gpu_lines(view, width), *_load_lines(loads, width), *_waiting_lines(view, width)]


def _gpu_lines(view: View, width: int) -> list[str]:
    nodes = [node for node in view.nodes if _resources(node)]
    if not nodes:
        return ["No node offers GPUs."]
    rows = [row for node in sorted(nodes, key=lambda n: n.name) for row in _rows(node, view)]
    headers = ("NODE", "GPU", "ALL", "FREE", "BROKEN", "HELD BY")
    return [_cut(line, width) for line in render(headers, rows, right=("ALL", "FREE", "BROKEN"))]


def _load_lines(loads: Mapping[Key, Load], width: int) -> Iterator[str]:
    if not loads:
        return
    figures = ("ENGINES", "RUNNING", "WAITING", "KV CACHE", "TOKENS/S")
    rows = [(str(key), *_figures(load)) for key, load in sorted(loads.items())]
    yield ""
    for line in render(("MODEL", *figures), rows, right=figures):
        yield _cut(line, width)
    for key, load in sorted(loads.items()):
        if load.problem:
            silent = f"{load.engines - load.told} of {load.engines} engines did not tell"
            yield from wrapped(f"{key}: {silent}: {load.problem}", width, "", "  ")


def _figures(load: Load) -> tuple[str, ...]:
    if not load.told:
        return (str(load.engines), "-", "-", "-", "-")
    share = "-" if load.kv_cache is None else f"{100 * load.kv_cache:.0f} %"
    speed = thousands(round(load.tokens_per_s))
    return (str(load.engines), str(load.running), str(load.waiting), share, speed)


def _waiting_lines(view: View, width: int) -> Iterator[str]:
    waiting = [body for body in view.bodies if _waits(body)]
    if waiting:
        yield ""
        yield "Waiting for GPUs"
    for body in waiting:
        told = conditions_of(body)["Scheduled"].get("message", "")
        yield from wrapped(f"{key_of(body)}: {told}", width, "  ", "    ")


def _waits(body: Mapping[str, Any]) -> bool:
    scheduled = conditions_of(body).get("Scheduled", {})
    return scheduled.get("status") == "False" and bool(scheduled.get("message"))


def _resources(node: Node) -> list[str]:
    named = {name for name, _ in (*node.allocatable.gpus, *node.unhealthy)}
    return sorted(name for name in named if name.startswith(GPU_RESOURCES))


def _rows(node: Node, view: View) -> Iterator[tuple[str, ...]]:
    pods = [pod for pod in view.pods if pod.node == node.name and pod.phase not in FINISHED]
    for resource in _resources(node):
        broken = dict(node.unhealthy).get(resource, 0)
        offered = gpus_of(node.allocatable, resource)
        holders = _holders(pods, resource)
        state = "" if node.ready else " (NotReady)"
        yield (
            f"{node.name}{state or ('' if node.schedulable else ' (cordoned)')}",
            node.group.accelerator.name if node.group else resource,
            str(offered + broken),
            str(offered - sum(holders.values())),
            str(broken) if broken else "-",
            ", ".join(f"{name} ({count})" for name, count in sorted(holders.items())) or "-",
        )


def _holders(pods: Sequence[Pod], resource: str) -> dict[str, int]:
    held: dict[str, int] = {}
    for pod in pods:
        count = gpus_of(pod.requests, resource)
        if count:
            name = str(pod.owner) if pod.owner else f"{pod.namespace}/{pod.name}"
            held[name] = held.get(name, 0) + count
    return held


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"


def free_gpus(view: View) -> list[str]:
    """Say what is free of each accelerator: ``6 of 16 H100-SXM-80GB are free, 6 on one node``."""
    pools: dict[str, list[tuple[int, int]]] = {}
    for node in view.nodes:
        if node.group is None:
            continue
        resource = node.group.accelerator.resource
        pods = [pod for pod in view.pods if pod.node == node.name and pod.phase not in FINISHED]
        offered = gpus_of(node.allocatable, resource)
        held = sum(_holders(pods, resource).values())
        free = max(0, offered - held) if node.schedulable else 0
        pools.setdefault(node.group.accelerator.name, []).append((offered, free))
    return [
        f"{sum(free for _, free in pool)} of {sum(all_ for all_, _ in pool)} {name} are free, at"
        f" most {max(free for _, free in pool)} on one node"
        for name, pool in sorted(pools.items())
    ]


def top_document(view: View, loads: Mapping[Key, Load]) -> dict[str, Any]:
    """Say the same as JSON (``top/v1``)."""
    nodes = []
    for node in sorted(view.nodes, key=lambda n: n.name):
        pods = [pod for pod in view.pods if pod.node == node.name and pod.phase not in FINISHED]
        for resource in _resources(node):
            holders = _holders(pods, resource)
            offered = gpus_of(node.allocatable, resource)
            nodes.append(
                {
                    "node": node.name,
                    "resource": resource,
                    **({"accelerator": node.group.accelerator.name} if node.group else {}),
                    "offered": offered,
                    "free": offered - sum(holders.values()),
                    "unhealthy": dict(node.unhealthy).get(resource, 0),
                    "schedulable": node.schedulable,
                    "holders": [{"name": name, "gpus": n} for name, n in sorted(holders.items())],
                }
            )
    waiting = [
        {
            "namespace": key_of(body).namespace,
            "name": key_of(body).name,
            "reason": conditions_of(body)["Scheduled"]["reason"],
            "message": conditions_of(body)["Scheduled"].get("message", ""),
        }
        for body in view.bodies
        if _waits(body)
    ]
    load = [
        {"namespace": key.namespace, "name": key.name, **_load(one)}
        for key, one in sorted(loads.items())
    ]
    return {"schema": "top/v1", "nodes": nodes, "load": load, "waiting": waiting}


def _load(load: Load) -> dict[str, Any]:
    return {
        "engines": load.engines,
        "enginesThatTold": load.told,
        "tokensPerSecond": round(load.tokens_per_s, 1),
        "requestsRunning": load.running,
        "requestsWaiting": load.waiting,
        **({} if load.kv_cache is None else {"kvCacheUsage": round(load.kv_cache, 4)}),
        **({"problem": load.problem} if load.problem else {}),
    }
