"""Numbers of replicas: which HorizontalPodAutoscaler is about a resource, and our own write."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.applying import CONFLICT, NOT_FOUND, RESOURCE_PATH
from qwen3_operator.cluster.resources import PLURAL
from qwen3_operator.errors import ClusterError
from qwen3_planner.api.v1alpha1 import GROUP, KIND

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.observed import Key

log = logging.getLogger(__name__)

INVALID = 422
"""What a JSON patch gets whose test fails, and a number that a rule of the resource forbids."""


class Autoscalers:
    """The HorizontalPodAutoscalers of the namespaces where something scales.

    Read when somebody asks, at most once in a while: only namespaces with `spec.scaling` cost
    anything, and one more or fewer is noticed at the next decision.
    """

    def __init__(self, api: Api, now_s: Callable[[], float], fresh_s: float) -> None:
        """Prepare; `now_s` is a clock, and answers count for `fresh_s` seconds."""
        self._api = api
        self.fresh_s = fresh_s
        self._now_s = now_s
        self._known: dict[str, tuple[float, dict[str, str]]] = {}

    async def of(self, key: Key) -> str | None:
        """Return the name of the HorizontalPodAutoscaler that is about the resource."""
        read_at_s, by_target = self._known.get(key.namespace, (None, {}))
        if read_at_s is None or self._now_s() - read_at_s >= self.fresh_s:
            try:
                by_target = await self._read(key.namespace)
            except ClusterError as error:  # what was known goes on counting
                log.warning("HorizontalPodAutoscalers cannot be read: %s", error)
            self._known[key.namespace] = (self._now_s(), by_target)
        return by_target.get(key.name)

    async def _read(self, namespace: str) -> dict[str, str]:
        path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
        found = (await self._api.get(path)).get("items") or ()
        return {
            hpa["spec"]["scaleTargetRef"]["name"]: hpa["metadata"]["name"]
            for hpa in found
            if hpa["spec"]["scaleTargetRef"]["kind"] == KIND
            and str(hpa["spec"]["scaleTargetRef"].get("apiVersion", GROUP)).startswith(GROUP)
        }


async def scale(writer: Writer, key: Key, uid: str, before: int, after: int) -> bool:
    """Write the number of replicas through the scale subresource, as an autoscaler does.

    Returns:
        Whether it was written: not if the resource is gone, somebody else changed the number in
        the meantime, or a rule of the resource forbids it.

    Raises:
        ClusterError: the API server did not do it for another reason; to be tried again.
    """
    path = f"{RESOURCE_PATH}/namespaces/{key.namespace}/{PLURAL}/{key.name}/scale"
    field, value = ("/spec/replicas", before) if before else ("/spec", {})  # a Scale leaves out 0
    operations: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": field, "value": value},
        {"op": "add", "path": "/spec/replicas", "value": after},
    ]
    try:
        await writer.patch(path, operations)
    except ClusterError as error:
        if error.status not in (NOT_FOUND, CONFLICT, INVALID):
            raise
        log.warning("not scaled from %d to %d: %s", before, after, error)
        return False
    return True
