"""Which objects a path, a label selector and a field selector are about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = re.compile(
    r"(?P<group>/api/v1|/apis/[^/]+/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?"
)


class Place(NamedTuple):
    """Where an object or a collection is.

    Attributes:
        collection: of all namespaces: ``/apis/apps/v1/deployments``.
        namespace: that is meant; empty: all, or none has one.
        name: of one object; empty: the collection.
        part: subresource (``status``, ``scale``); empty: the object itself.
    """

    collection: str
    namespace: str
    name: str
    part: str


def place_of(path: str) -> Place | None:
    """Take a path apart; None where it names neither objects nor a collection.

    >>> place_of("/apis/apps/v1/namespaces/a/deployments/m/scale")
    Place(collection='/apis/apps/v1/deployments', namespace='a', name='m', part='scale')
    >>> place_of("/api/v1/nodes")
    Place(collection='/api/v1/nodes', namespace='', name='', part='')
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    return Place(
        f"{match['group']}/{match['plural']}",
        match["namespace"] or "",
        match["name"] or "",
        match["part"] or "",
    )


def is_selected(params: Mapping[str, str], raw: Mapping[str, Any]) -> bool:
    """Whether an object is among those that a list with these parameters returns.

    >>> pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"nodeName": "n"}}
    >>> is_selected({"labelSelector": "app,!other", "fieldSelector": "spec.nodeName!="}, pod)
    True
    """
    labels = raw["metadata"].get("labels") or {}
    terms = [term for term in params.get("labelSelector", "").split(",") if term]
    fields = [term for term in params.get("fieldSelector", "").split(",") if term]
    return all(_has_label(term, labels) for term in terms) and all(
        _has_field(term, raw) for term in fields
    )


def _has_label(term: str, labels: Mapping[str, str]) -> bool:
    if term.startswith("!"):
        return term[1:] not in labels
    key, sign, value = term.partition("=")
    return key in labels if not sign else labels.get(key) == value.removeprefix("=")


def _has_field(term: str, raw: Mapping[str, Any]) -> bool:
    key, sign, value = term.partition("!=") if "!=" in term else term.partition("=")
    found: Any = raw
    for step in key.split("."):
        found = (found or {}).get(step)
    return (str(found or "") == value) is (sign == "=")
