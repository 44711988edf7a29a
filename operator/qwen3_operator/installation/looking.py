"""I/O: the API server asked about an installation, and the operator's pods about themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp

from qwen3_operator.errors import ClusterError
from qwen3_operator.installation.findings import LeaseSeen, field_paths
from qwen3_planner.api.crd import custom_resource_definition
from qwen3_planner.api.v1alpha1 import GROUP, KIND, VERSION
from qwen3_planner.catalog.loading import load_catalog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.installation.rights import Right

LOOK_PAUSE_S = 1.0
"""Between two looks at what may still become right."""

ANSWER_TIMEOUT_S = 5.0
"""As the chart's own readiness probe."""

READY = 200


async def served_groups(api: Api) -> frozenset[str]:
    """Return the groups of APIs that the cluster has.

    Raises:
        ClusterError: it does not answer, or refuses.
    """
    answer = await api.get("/apis")
    return frozenset(str(group["name"]) for group in answer["groups"])


async def definition(api: Api) -> tuple[frozenset[str], frozenset[str]]:
    """Return the resources of our group and version, and the fields of our kind as it is served.

    Raises:
        ClusterError: the definition is not there, or the cluster refuses.
    """
    resources = await api.get(f"/apis/{GROUP}/{VERSION}")
    document = await api.get(f"/openapi/v3/apis/{GROUP}/{VERSION}")
    prefix = ".".join(reversed(GROUP.split(".")))
    schema = document["components"]["schemas"][f"{prefix}.{VERSION}.{KIND}"]
    names = frozenset(str(one["name"]) for one in resources["resources"])
    return names, _spec_fields(schema)


def known_fields() -> frozenset[str]:
    """Return the fields of our kind that this release knows."""
    [version] = custom_resource_definition(load_catalog())["spec"]["versions"]
    return _spec_fields(version["schema"]["openAPIV3Schema"])


def _spec_fields(schema: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(field_paths(schema["properties"]["spec"], "spec"))


async def lease(api: Api, name: tuple[str, str], timeout_s: float) -> LeaseSeen:
    """Look at a Lease until its holder renews it."""
    namespace, lease_name = name
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{lease_name}"
    spelled = f"{namespace}/{lease_name}"
    clock = asyncio.get_running_loop().time
    began = clock()
    before: tuple[str, str] | None = None
    while True:
        try:
            spec = (await api.get(path)).get("spec") or {}
        except ClusterError as error:
            seen = LeaseSeen(spelled, problem=error.message)
        else:
            now = str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or "")
            renewed = before is not None and before[0] == now[0] and before[1] != now[1]
            seen = LeaseSeen(spelled, now[0], bool(now[0]) and renewed, clock() - began)
            before = now
        if seen.renewed or clock() - began >= timeout_s:
            return seen
        await asyncio.sleep(LOOK_PAUSE_S)


async def pods(
    api: Api, namespace: str, labels: Mapping[str, str], port: int, timeout_s: float
) -> dict[str, str]:
    """Ask every pod of the operator whether it is ready, until all are.

    Returns:
        By name of the pod why it is not ready; empty where it is.

    Raises:
        ClusterError: they cannot be listed.
    """
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    path = f"/api/v1/namespaces/{namespace}/pods"
    clock = asyncio.get_running_loop().time
    began = clock()
    async with aiohttp.ClientSession() as session:
        while True:
            listed = (await api.get(path, {"labelSelector": selector}))["items"]
            staying = [pod for pod in listed if not pod["metadata"].get("deletionTimestamp")]
            said = await asyncio.gather(*(_why_not_ready(session, pod, port) for pod in staying))
            names = (str(pod["metadata"]["name"]) for pod in staying)
            answers = dict(zip(names, said, strict=True))
            if (answers and not any(answers.values())) or clock() - began >= timeout_s:
                return answers
            await asyncio.sleep(LOOK_PAUSE_S)


async def _why_not_ready(session: aiohttp.ClientSession, pod: Mapping[str, Any], port: int) -> str:
    address = str(pod.get("status", {}).get("podIP") or "")
    if not address:
        return f"{pod.get('status', {}).get('phase', 'Pending')}, without an address"
    host = f"[{address}]" if ":" in address else address
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    try:
        async with session.get(f"http://{host}:{port}/readyz", timeout=timeout) as answer:
            text = (await answer.text()).strip()
            return "" if answer.status == READY else text
    except TimeoutError:
        return f"no answer in {ANSWER_TIMEOUT_S:.0f} s"
    except (aiohttp.ClientError, OSError) as error:
        return str(error)


async def denied(api: Api, rights: Sequence[Right]) -> list[Right]:
    """Ask which rights this account lacks.

    Raises:
        ClusterError: the cluster does not answer, or refuses to.
    """
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answers = await asyncio.gather(*(api.create(path, right.as_question()) for right in rights))
    return [
        right
        for right, answer in zip(rights, answers, strict=True)
        if not answer["status"]["allowed"]
    ]
