"""What the engines do now: each is asked twice for its metrics, through the API server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from qwen3_operator.errors import ClusterError
from qwen3_operator.kubectl.load import load_of, reading_of
from qwen3_operator.kubectl.showing import key_of
from qwen3_operator.telemetry.fetching import samples_in
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.vllm.metrics import FORMER_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.kubectl.load import Load, Reading
    from qwen3_operator.kubectl.looking import View
    from qwen3_operator.observed import Key, Pod
    from qwen3_planner.engines.profiles import EngineProfile

LOOK_S = 5.0
"""In which an engine has to answer: somebody waits."""


async def measure(api: Api, view: View, over_s: float) -> Mapping[Key, Load]:
    """Return the load of each resource that has engines which are ready.

    Args:
        api: that lets this user reach pods (``get`` of ``pods/proxy``).
        view: whose pods.
        over_s: between the two looks at each engine.
    """
    asked = list(_engines(view))
    found = await asyncio.gather(*(_looks(api, pod, engine, over_s) for _, pod, engine in asked))
    looks: dict[Key, list[tuple[Reading, Reading] | str]] = {}
    for (key, _, _), look in zip(asked, found, strict=True):
        looks.setdefault(key, []).append(look)
    return {key: load_of(each) for key, each in looks.items()}


def _engines(view: View) -> Iterator[tuple[Key, Pod, EngineProfile]]:
    """Yield who can be asked: the servers that answer requests, and which engine they are."""
    for body in view.bodies:
        plan = (body.get("status") or {}).get("plan") or {}
        name = (plan.get("engine") or {}).get("name")
        if name:
            engine, key = engine_of(name), key_of(body)
            for pod in view.pods_of(key):
                if pod.ready and not pod.terminating and pod.rank == 0:
                    yield key, pod, engine


async def _looks(
    api: Api, pod: Pod, engine: EngineProfile, over_s: float
) -> tuple[Reading, Reading] | str:
    """Look twice at an engine; say why where that cannot be."""
    first = await _look(api, pod, engine)
    if isinstance(first, str):
        return first
    await asyncio.sleep(over_s)
    second = await _look(api, pod, engine)
    return second if isinstance(second, str) else (first, second)


async def _look(api: Api, pod: Pod, engine: EngineProfile) -> Reading | str:
    where = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}:{engine.port}/proxy"
    try:
        async with asyncio.timeout(LOOK_S):
            samples = tuple(samples_in(await api.text(f"{where}{engine.metrics_path}")))
    except TimeoutError:
        return f"no answer within {LOOK_S:g} s"
    except ClusterError as error:
        return error.message
    except ValueError as error:
        return f"it answers with something else than metrics: {error}"
    former = FORMER_NAMES.get(engine.metrics.kv_cache_usage, "")
    now_s = asyncio.get_running_loop().time()
    return reading_of(samples, engine.metrics, former, now_s) or "its metrics are not an engine's"
