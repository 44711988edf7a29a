"""Where the engines of one resource tell of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.telemetry.readings import Source
from qwen3_planner.engines.profiles import engine_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_operator.observed import Pod
    from qwen3_planner.plan import Plan


def sources(pods: Iterable[Pod], plan: Plan, plan_hash: str) -> list[Source]:
    """Say where the engines that run this plan and answer tell of themselves."""
    engine = engine_of(plan.engine)
    return [
        Source(
            uid=f"{pod.uid}/{pod.restarts}",  # an engine started again finds other figures
            url=f"http://{_host(pod.address)}:{engine.port}{engine.figures_path}",
            data=engine.cache_parts(plan.command, plan.layout.data),
            read=engine.kv_cache_tokens,
        )
        for pod in pods
        if pod.rank == 0  # the other ranks of a replica have no server
        and pod.ready
        and pod.address
        and not pod.terminating
        and pod.plan_hash == plan_hash
    ]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
