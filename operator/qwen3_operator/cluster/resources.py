"""Our own kind: the first list, made as soon as the cluster can answer it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.applying import RESOURCE_PATH
from qwen3_operator.cluster.watching import PAGE_SIZE
from qwen3_operator.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.observed import Key

log = logging.getLogger(__name__)

PLURAL = "qwen3deployments"

PAUSES_S = (0.5, 1.0, 2.0, 5.0)
"""Between attempts; the last one repeats. Somebody who installs the CRD need not wait long."""

NOT_FOUND = 404


async def wait_for_list(api: Api, namespaces: Sequence[str]) -> list[dict[str, Any]]:
    """Return all resources there are; wait and say so while the cluster cannot answer."""
    told = ""
    attempt = 0
    while True:
        try:
            return await _list_all(api, namespaces)
        except ClusterError as error:
            text = _explain(api, error)
            if text != told:
                log.warning("%s", text)
            told = text
        await asyncio.sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
        attempt += 1


async def read(api: Api, key: Key) -> dict[str, Any] | None:
    """Read one resource afresh; None if it is gone."""
    try:
        return await api.get(f"{RESOURCE_PATH}/namespaces/{key.namespace}/{PLURAL}/{key.name}")
    except ClusterError as error:
        if error.status == NOT_FOUND:
            return None
        raise


async def _list_all(api: Api, namespaces: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for namespace in namespaces or (None,):
        where = f"/namespaces/{namespace}" if namespace else ""
        params = {"limit": str(PAGE_SIZE)}
        while True:
            page = await api.get(f"{RESOURCE_PATH}{where}/{PLURAL}", params)
            found += page["items"]
            if not page["metadata"].get("continue"):
                break
            params["continue"] = page["metadata"]["continue"]
    return found


def _explain(api: Api, error: ClusterError) -> str:
    """Say what keeps us from starting, and what would help."""
    if error.status == NOT_FOUND:
        return (
            "the cluster does not know Qwen3Deployment; install the CRD"
            " (kubectl apply --server-side -f crds/, or the Helm chart): waiting for it"
        )
    if error.status in (401, 403):
        return f"the API server at {api.server} refuses us: {error.message}: waiting"
    return f"the API server at {api.server} cannot be reached: {error.message}: trying again"
