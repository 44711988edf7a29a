"""The administrator's fast way to the API server, for tests that make objects by the hundred."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.controlplane import ControlPlane

CONNECTIONS = 16

MERGE_PATCH = "application/merge-patch+json"

COLLECTIONS = {
    "Qwen3Deployment": ("/apis/serving.qwen3.dev/v1alpha1", "qwen3deployments"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Pod": ("/api/v1", "pods"),
    "Node": ("/api/v1", "nodes"),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1", "priorityclasses"),
}


def create_all(cluster: ControlPlane, objects: Iterable[Mapping[str, Any]]) -> None:
    """Create objects over a few connections at once, begun in the order given."""
    asyncio.run(_send_all(cluster, [("POST", _collection(item), item) for item in objects]))


def patch_all(
    cluster: ControlPlane, patches: Iterable[tuple[str, str, str, Mapping[str, Any]]]
) -> None:
    """Merge patches into objects given by (kind, namespace, name, patch)."""
    requests = [
        ("PATCH", f"{_path(kind, namespace)}/{name}", patch)
        for kind, namespace, name, patch in patches
    ]
    asyncio.run(_send_all(cluster, requests))


def list_all(cluster: ControlPlane, kind: str, **params: str) -> list[dict[str, Any]]:
    """List a kind over all namespaces; `params` are the query's (labelSelector …)."""

    async def read() -> list[dict[str, Any]]:
        root, plural = COLLECTIONS[kind]
        url = f"{root}/{plural}"
        async with _session(cluster) as session, session.get(url, params=params) as answer:
            answer.raise_for_status()
            items: list[dict[str, Any]] = (await answer.json())["items"]
        await _let_transports_close()
        return items

    return asyncio.run(read())


async def _send_all(
    cluster: ControlPlane, requests: list[tuple[str, str, Mapping[str, Any]]]
) -> None:
    waiting = iter(requests)

    async with _session(cluster) as session:

        async def sender() -> None:
            for method, path, body in waiting:
                kind = MERGE_PATCH if method == "PATCH" else "application/json"
                async with session.request(
                    method, path, json=body, headers={"Content-Type": kind}
                ) as answer:
                    if not answer.ok:
                        raise RuntimeError(f"{method} {path}: {await answer.text()}")

        await asyncio.gather(*(sender() for _ in range(CONNECTIONS)))
    await _let_transports_close()


async def _let_transports_close() -> None:
    """Let the loop run what closing a session has only asked for; else each transport complains."""
    for _ in range(3):
        await asyncio.sleep(0)


def _session(cluster: ControlPlane) -> aiohttp.ClientSession:
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    token = document["users"][0]["user"]["token"]
    tls = ssl.create_default_context(cafile=str(cluster.layout.certificate))
    return aiohttp.ClientSession(
        cluster.server,
        headers={"Authorization": f"Bearer {token}"},
        connector=aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS),
    )


def _collection(item: Mapping[str, Any]) -> str:
    return _path(item["kind"], item["metadata"].get("namespace", ""))


def _path(kind: str, namespace: str) -> str:
    root, plural = COLLECTIONS[kind]
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
