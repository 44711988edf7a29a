"""The administrator's fast way to the API server, for tests that make objects by the hundred."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import urllib3
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.controlplane import ControlPlane

CONNECTIONS = 16

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

COLLECTIONS = {
    "Qwen3Deployment": ("/apis/serving.qwen3.dev/v1alpha1", "qwen3deployments"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Pod": ("/api/v1", "pods"),
    "Node": ("/api/v1", "nodes"),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1", "priorityclasses"),
}


def create_all(cluster: ControlPlane, objects: Iterable[Mapping[str, Any]]) -> None:
    """Create objects over a few connections at once, begun in the order given."""
    _send_all(cluster, [("POST", _collection(item), item) for item in objects])


def patch_all(
    cluster: ControlPlane, patches: Iterable[tuple[str, str, str, Mapping[str, Any]]]
) -> None:
    """Merge patches into objects given by (kind, namespace, name, patch)."""
    requests = [
        ("PATCH", f"{_path(kind, namespace)}/{name}", patch)
        for kind, namespace, name, patch in patches
    ]
    _send_all(cluster, requests)


def dry_run_all(
    cluster: ControlPlane, path: str, patches: Iterable[list[dict[str, Any]]]
) -> list[dict[str, Any] | None]:
    """Try JSON patches on one object: what each would leave, None where it would be refused."""
    tried: list[dict[str, Any] | None] = []
    with _pool(cluster) as pool:
        headers = {**pool.headers, "Content-Type": JSON_PATCH}
        for patch in patches:
            url = f"{cluster.server}{path}?dryRun=All"
            answer = pool.request("PATCH", url, json=patch, headers=headers)
            tried.append(None if answer.status >= 400 else answer.json())
    return tried


def list_all(cluster: ControlPlane, kind: str, **params: str) -> list[dict[str, Any]]:
    """List a kind over all namespaces; `params` are the query's (labelSelector …)."""
    root, plural = COLLECTIONS[kind]
    with _pool(cluster) as pool:
        answer = pool.request("GET", f"{cluster.server}{root}/{plural}", fields=params)
        if answer.status >= 400:
            raise RuntimeError(f"GET {root}/{plural}: {answer.data.decode()}")
        items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _send_all(cluster: ControlPlane, requests: list[tuple[str, str, Mapping[str, Any]]]) -> None:
    waiting = iter(requests)
    turn = threading.Lock()

    def sender(pool: urllib3.PoolManager) -> None:
        while True:
            with turn:
                request = next(waiting, None)
            if request is None:
                return
            method, path, body = request
            kind = MERGE_PATCH if method == "PATCH" else "application/json"
            answer = pool.request(
                method,
                cluster.server + path,
                json=body,
                headers={**pool.headers, "Content-Type": kind},
            )
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.data.decode()}")

    with _pool(cluster) as pool, ThreadPoolExecutor(CONNECTIONS) as threads:
        for sent in [threads.submit(sender, pool) for _ in range(CONNECTIONS)]:
            sent.result()


def _pool(cluster: ControlPlane) -> urllib3.PoolManager:
    """Connections that are closed when the pool is left, before anybody could miss them."""
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    token = document["users"][0]["user"]["token"]
    return urllib3.PoolManager(
        headers={"Authorization": f"Bearer {token}"},
        ca_certs=str(cluster.layout.certificate),
        maxsize=CONNECTIONS,
        block=True,
    )


def _collection(item: Mapping[str, Any]) -> str:
    return _path(item["kind"], item["metadata"].get("namespace", ""))


def _path(kind: str, namespace: str) -> str:
    root, plural = COLLECTIONS[kind]
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
