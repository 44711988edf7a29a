"""A metrics exporter that tells what a script says, by the names of the real engines' series.

It stands for the engines of all pods: what is scraped at ``/NAMESPACE/POD`` is that pod's. Names,
labels and types are those of vLLM 0.32.0 ``v1/metrics/loggers.py`` and of SGLang 0.5.23
``srt/observability/metrics_collector.py``.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.serving_http import Serving, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from support.room import Room

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Load:
    """What each pod of a resource bears.

    Attributes:
        running: requests it works on.
        waiting: requests that wait in it.
        kv_cache: used share.
        tokens_per_s: generated.
        requests_per_s: that begin.
        ttft_s: of each of them.
        tpot_s: between two tokens.
    """

    running: float = 0
    waiting: float = 0
    kv_cache: float = 0
    tokens_per_s: float = 0
    requests_per_s: float = 0
    ttft_s: float = 0.2
    tpot_s: float = 0.03


CALM = Load()
BUSY = Load(running=20, waiting=9, kv_cache=0.95, tokens_per_s=900, requests_per_s=5, ttft_s=2)


class ScriptedEngines(Serving):
    """Tells the load of every pod; a context manager while it serves."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._loads: dict[str, tuple[str, Load | None]] = {}
        self._totals: dict[str, list[float]] = {}
        self._scraped: dict[str, float] = {}
        self.calls = 0.0
        """What the gateway counts per second; scraped at ``/gateway``."""

    def says(self, name: str, load: Load | None, engine: str = "vllm") -> None:
        """Let each pod of that resource bear this from now on; None: it answers no more.

        `engine` is ``vllm`` or ``sglang``, whose words it uses.
        """
        self._loads[name] = (engine, load)

    def scrape_configs(self) -> list[dict[str, Any]]:
        """Have Prometheus find the pods with the labels that a PodMonitor would give them.

        Their addresses are simulated, so each pod is scraped here instead. Debian's Prometheus
        cannot ask Kubernetes itself, so it asks here (HTTP service discovery), too.
        """
        return [
            {
                "job_name": "engines",
                "http_sd_configs": [{"url": f"{self.url}/targets", "refresh_interval": "2s"}],
            },
            {
                "job_name": "gateway",
                "metrics_path": "/gateway",
                "static_configs": [{"targets": [self.address]}],
            },
        ]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a scrape."""
        if request.path == "/targets":
            send(request, json.dumps(list(self._targets())).encode(), "application/json")
            return
        if request.path == "/gateway":
            send(request, f"gateway_requests_waiting {self.calls}\n".encode())
            return
        pod = request.path.rsplit("/", 1)[-1]
        said = next((said for name, said in self._loads.items() if pod.startswith(name)), None)
        if said is None or said[1] is None:
            request.send_error(404)
            return
        send(request, "".join(f"{line}\n" for line in self._told(pod, *said)).encode())

    def _targets(self) -> Iterator[dict[str, Any]]:
        """Name the pods that run, as a PodMonitor with podTargetLabels has them named."""
        for pod in self._room.get("pods", "--field-selector=status.phase=Running")["items"]:
            metadata = pod["metadata"]
            name = metadata.get("labels", {}).get("serving.qwen3.dev/deployment")
            if name is not None:
                labels = {
                    "__metrics_path__": f"/{metadata['namespace']}/{metadata['name']}",
                    "namespace": metadata["namespace"],
                    "pod": metadata["name"],
                    "serving_qwen3_dev_deployment": name,
                }
                yield {"targets": [self.address], "labels": labels}

    def _told(self, pod: str, engine: str, load: Load | None) -> Iterator[str]:
        assert load is not None
        tokens, first, further = self._count(pod, load)
        if engine == "vllm":
            names = ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc")
            labels = 'engine="0",model_name="qwen"'
        else:
            names = ("num_running_reqs", "num_queue_reqs", "token_usage")
            labels = 'engine_type="unified",model_name="qwen",pp_rank="0",tp_rank="0"'
        values = (load.running, load.waiting, load.kv_cache)
        for name, value in zip(names, values, strict=True):
            yield f"# TYPE {engine}:{name} gauge"
            yield f"{engine}:{name}{{{labels}}} {value}"
        yield f"# TYPE {engine}:generation_tokens_total counter"
        yield f"{engine}:generation_tokens_total{{{labels}}} {tokens}"
        first_token, next_token = "time_to_first_token_seconds", "inter_token_latency_seconds"
        yield from _histogram(f"{engine}:{first_token}", labels, first, load.ttft_s)
        yield from _histogram(f"{engine}:{next_token}", labels, further, load.tpot_s)

    def _count(self, pod: str, load: Load) -> tuple[float, float, float]:
        """Count on since the last scrape of that pod: tokens, requests, pauses between tokens."""
        now = time.monotonic()
        passed_s = now - self._scraped.get(pod, now)
        self._scraped[pod] = now
        totals = self._totals.setdefault(pod, [0.0, 0.0, 0.0])
        rates = (load.tokens_per_s, load.requests_per_s, load.tokens_per_s)
        for index, rate in enumerate(rates):
            totals[index] += rate * passed_s
        return totals[0], totals[1], totals[2]


def _histogram(full: str, labels: str, count: float, each_s: float) -> Iterator[str]:
    """Tell `count` events that took `each_s`, as if they always had."""
    yield f"# TYPE {full} histogram"
    for bound in BUCKETS_S:
        yield f'{full}_bucket{{{labels},le="{bound}"}} {count if each_s <= bound else 0}'
    yield f'{full}_bucket{{{labels},le="+Inf"}} {count}'
    yield f"{full}_sum{{{labels}}} {count * each_s}"
    yield f"{full}_count{{{labels}}} {count}"
