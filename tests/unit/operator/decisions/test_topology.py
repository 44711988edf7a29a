"""Groups stand near together where labels say what is near."""

from __future__ import annotations

from qwen3_operator.decisions.topology import NVLINK_DOMAIN, Domain, domain_key, nearest_domain
from support.values import node

RACK = "example.com/rack"
KEYS = (NVLINK_DOMAIN, RACK)


NODES = [
    node("a", labels={RACK: "r1", NVLINK_DOMAIN: "u.1"}),
    node("b", labels={RACK: "r1", NVLINK_DOMAIN: "u.1"}),
    node("c", labels={RACK: "r1", NVLINK_DOMAIN: "u.2"}),
    node("d", labels={RACK: "r2"}),
    node("e"),
]


def test_a_group_stands_in_the_nearest_kind_of_domain_that_holds_it() -> None:
    room = {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}

    assert nearest_domain(NODES, room, 2, KEYS) == Domain(NVLINK_DOMAIN, "u.1", 2)
    assert nearest_domain(NODES, room, 3, KEYS) == Domain(RACK, "r1", 3)


def test_of_several_the_tightest_is_taken() -> None:
    nodes = [
        *(node(f"w{n}", labels={RACK: "wide"}) for n in range(4)),
        *(node(f"t{n}", labels={RACK: "tight"}) for n in range(2)),
    ]

    domain = nearest_domain(nodes, {one.name: 1 for one in nodes}, 2, KEYS)

    assert domain == Domain(RACK, "tight", 2)


def test_full_nodes_are_no_room() -> None:
    room = {"b": 1, "c": 1, "d": 1}

    assert nearest_domain(NODES, room, 2, KEYS) == Domain(RACK, "r1", 2)


def test_a_group_that_no_domain_holds_stands_anywhere() -> None:
    everywhere = {one.name: 1 for one in NODES}

    assert nearest_domain(NODES, everywhere, 4, KEYS) is None
    assert nearest_domain(NODES, everywhere, 2, ("example.com/unknown",)) is None


def test_the_order_of_nodes_does_not_matter() -> None:
    nodes = [node(f"{rack}{n}", labels={RACK: rack}) for rack in ("x", "y") for n in range(2)]
    room = {one.name: 1 for one in nodes}

    assert nearest_domain(nodes, room, 2, KEYS) == nearest_domain(nodes[::-1], room, 2, KEYS)


def test_the_key_is_that_of_a_domain_which_could_hold_a_group() -> None:
    assert domain_key(NODES, {"a": 1, "b": 1, "c": 1}, 2, KEYS) == NVLINK_DOMAIN
    assert domain_key(NODES, {"a": 1, "c": 1}, 2, KEYS) == RACK
    assert domain_key(NODES, {"a": 1}, 2, KEYS) is None
