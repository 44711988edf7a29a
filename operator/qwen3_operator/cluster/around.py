"""What is watched around the models: routes, policies, monitors, and Gateways."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster import reducing
from qwen3_operator.cluster.optional import OptionalWatch
from qwen3_operator.cluster.watching import Selection, Store, Watch
from qwen3_operator.decisions.routing import Gateway, Gateways, Listener
from qwen3_operator.desired import labels
from qwen3_operator.desired.kinds import CHILD_KINDS, HTTP_ROUTE, SERVICE, WORKLOADS
from qwen3_operator.desired.surroundings import NOT_INSTALLED
from qwen3_operator.observed import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qwen3_operator.cluster.optional import Served
    from qwen3_operator.cluster.watching import Changed
    from qwen3_operator.desired.kinds import ChildKind
    from qwen3_operator.observed import Manifest

SURROUNDING = tuple(kind for kind in CHILD_KINDS if kind not in (*WORKLOADS, SERVICE))
"""Kinds that most models have none of."""


class Around:
    """Stores of everything around the models, and the watches that feed them."""

    def __init__(
        self,
        served: Served,
        namespaces: Sequence[str],
        ours: Mapping[str, str],
        child: Changed[Manifest],
        came_or_went: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            served: the cluster to ask, and which APIs it has.
            namespaces: that are served; none: all.
            ours: selects what carries our label.
            child: told of every child that changes.
            came_or_went: told when an API appears or disappears, and when a Gateway changes.
        """
        self.gateways: Store[Gateway] = Store(gateway, lambda _before, _after: came_or_went())
        self.stores = {
            one.kind: Store(
                partial(reducing.child, api_version=one.api_version, kind=one.kind), child
            )
            for one in SURROUNDING
        }
        place = Selection(f"{HTTP_ROUTE.root}/gateways")
        self._gateway_watch = OptionalWatch(served, place, self.gateways, came_or_went)
        self.watches: list[Watch[Any]] = [self._gateway_watch]
        self._optional: dict[str, list[OptionalWatch[Manifest]]] = {}
        for namespace in namespaces or (None,):
            for one in SURROUNDING:
                selection = _selection(one, namespace, ours)
                if not one.api:
                    self.watches.append(Watch(served.api, selection, self.stores[one.kind]))
                    continue
                watch = OptionalWatch(served, selection, self.stores[one.kind], came_or_went)
                self.watches.append(watch)
                self._optional.setdefault(one.kind, []).append(watch)

    def known_gateways(self) -> Gateways:
        """Return the Gateways of the whole cluster."""
        by_key = {one.key: one for one in self.gateways.values()}
        return Gateways(by_key, self._gateway_watch.is_there)

    def hindrance(self, kind: str) -> str:
        """Say why children of a kind cannot be had; empty where they can."""
        watches = self._optional.get(kind, ())
        absent = (watch for watch in watches if not watch.is_there)
        return next((watch.hindrance or NOT_INSTALLED for watch in absent), "")


def gateway(raw: Mapping[str, Any]) -> Gateway:
    """Reduce a Gateway of the Gateway API."""
    metadata, addresses = raw["metadata"], (raw.get("status") or {}).get("addresses") or ()
    return Gateway(
        key=Key(metadata["namespace"], metadata["name"]),
        listeners=tuple(
            Listener(one["name"], one["protocol"], int(one["port"]), one.get("hostname") or "")
            for one in raw["spec"].get("listeners") or ()
        ),
        address=next((one["value"] for one in addresses if one.get("value")), ""),
    )


def _selection(kind: ChildKind, namespace: str | None, ours: Mapping[str, str]) -> Selection:
    if kind.role:
        ours = {"labelSelector": f"{ours['labelSelector']},{labels.ROLE}={kind.role}"}
    if namespace is None:
        return Selection(f"{kind.root}/{kind.plural}", ours)
    return Selection(f"{kind.root}/namespaces/{namespace}/{kind.plural}", ours, namespace)
