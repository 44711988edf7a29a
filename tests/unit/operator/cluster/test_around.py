"""Which kinds of children a cluster can have now, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.around import Around
from qwen3_operator.cluster.optional import OptionalWatch, Served
from qwen3_operator.desired.surroundings import NOT_INSTALLED

if TYPE_CHECKING:
    from collections.abc import Iterator


def made(*namespaces: str) -> Around:
    def nobody(*_: object) -> None:
        return None

    api: Any = None  # nothing runs
    return Around(Served(api), namespaces, {"labelSelector": "ours"}, nobody, nobody)


def watches_of(around: Around, kind: str) -> Iterator[OptionalWatch[Any]]:
    for watch in around.watches:
        if isinstance(watch, OptionalWatch) and watch._store is around.stores[kind]:
            yield watch


def test_what_every_cluster_has_is_never_hindered() -> None:
    around = made()

    assert (around.hindrance("Ingress"), around.hindrance("NetworkPolicy")) == ("", "")


def test_an_optional_kind_is_not_installed_until_it_is_found() -> None:
    around = made()
    (watch,) = watches_of(around, "PodMonitor")

    assert around.hindrance("PodMonitor") == NOT_INSTALLED
    watch.is_there = True
    assert around.hindrance("PodMonitor") == ""
    assert around.hindrance("HTTPRoute") == NOT_INSTALLED


def test_roles_that_leave_a_kind_out_of_one_namespace_are_repeated() -> None:
    around = made("team-a", "team-b")
    first, second = watches_of(around, "HTTPRoute")
    first.is_there = True
    second.hindrance = "httproutes is forbidden"

    assert around.hindrance("HTTPRoute") == "httproutes is forbidden"


def test_a_gateway_that_is_not_seen_may_exist_until_gateways_are_known() -> None:
    around = made()
    raw = {
        "metadata": {"namespace": "gateways", "name": "edge", "resourceVersion": "1"},
        "spec": {"listeners": []},
    }

    around.gateways.put(raw)

    known = around.known_gateways()
    assert [str(key) for key in known.by_key] == ["gateways/edge"]
    assert not known.is_known
