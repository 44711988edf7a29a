from __future__ import annotations

from typing import Any, cast

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.document import parse_inventory

CATALOG = load_catalog()


def document(node: dict[str, Any] | None = None, *own: dict[str, Any]) -> dict[str, Any]:
    return {"accelerators": list(own), "nodes": [{"accelerator": "L40S-48GB", **(node or {})}]}


def test_the_example_of_the_documentation_is_read() -> None:
    inventory = parse_inventory(
        {
            "accelerators": [{"name": "my-l40s", "like": "L40S-48GB", "memory_mib": 46068}],
            "nodes": [
                {
                    "count": 2,
                    "accelerator": "my-l40s",
                    "accelerators_per_node": 4,
                    "interconnect": "pcie",
                    "cpu": 64,
                    "memory_gib": 512,
                    "labels": {},
                    "usd_per_hour": 8.0,
                }
            ],
        },
        CATALOG,
    )

    (group,) = inventory.groups
    assert group.accelerator.name == "my-l40s"
    assert group.accelerator.memory_gb_per_s == CATALOG.accelerator("L40S-48GB").memory_gb_per_s
    assert (group.count, group.accelerators_per_node) == (2, 4)
    assert (group.cpu, group.memory_bytes, group.usd_per_hour) == (64.0, 512 * 2**30, 8.0)


def test_what_is_left_out_has_honest_defaults() -> None:
    (group,) = parse_inventory(document(), CATALOG).groups

    assert (group.count, group.accelerators_per_node, group.interconnect) == (1, 1, "pcie")
    assert (group.cpu, group.memory_bytes, group.usd_per_hour, group.name) == (None,) * 4


def test_another_memory_takes_as_much_off_the_usable() -> None:
    base = CATALOG.accelerator("L40S-48GB")
    own = {"name": "no-ecc", "like": "l40s", "memory_mib": 49140}

    (row,) = parse_inventory(document({"accelerator": "no-ecc"}, own), CATALOG).accelerators

    assert row.memory_mib - row.usable_memory_mib == base.memory_mib - base.usable_memory_mib
    assert row.usable_relative_error >= 0.01
    assert row.usable_source == "derived: 49140 MiB less what L40S-48GB loses"


def test_a_measured_usable_memory_is_taken_as_it_is() -> None:
    own = {"name": "mine", "like": "L40S-48GB", "usable_memory_mib": 45000}

    (row,) = parse_inventory(document({"accelerator": "mine"}, own), CATALOG).accelerators

    assert (row.usable_memory_mib, row.usable_relative_error) == (45000, 0.0)


@pytest.mark.parametrize("capability", [8.9, "8.9", [8, 9]])
def test_an_accelerator_of_ones_own_needs_three_figures(capability: object) -> None:
    own = {
        "name": "RTX-6000-Ada",
        "memory_mib": 49140,
        "compute_capability": capability,
        "memory_gb_per_s": 960,
    }

    (row,) = parse_inventory(document({"accelerator": "RTX-6000-Ada"}, own), CATALOG).accelerators

    assert (row.compute_capability, row.memory_gb_per_s) == ((8, 9), 960.0)
    assert row.usable_memory_mib < 49140
    assert row.bf16_tflops is None


@pytest.mark.parametrize(
    ("body", "field", "value", "reason"),
    [
        (document({"accelerator": "L40X"}), "nodes[0].accelerator", "L40X", "no accelerator"),
        (document({"acelerators_per_node": 2}), "nodes[0].acelerators_per_node", "2", "no field"),
        (document({"count": 0}), "nodes[0].count", "0", "at least 1"),
        (document({"count": "2"}), "nodes[0].count", "2", "whole number"),
        (document({"count": 1.5}), "nodes[0].count", "1.5", "whole number"),
        (document({"memory_gib": -1}), "nodes[0].memory_gib", "-1", "above 0"),
        (document({"cpu": "many"}), "nodes[0].cpu", "many", "number"),
        (document({"interconnect": "nvlnk"}), "nodes[0].interconnect", "nvlnk", "not known"),
        (document({"count": 2, "name": "a"}), "nodes[0].name", "a", "cannot name 2 nodes"),
        (document({"labels": {"a": 1}}), "nodes[0].labels.a", "1", "text"),
        ({"nodes": []}, "nodes", "[]", "at least one"),
        ({}, "nodes", "(missing)", "required"),
        ({"nodes": [{}]}, "nodes[0].accelerator", "(missing)", "required"),
        ({"nodes": ["L4"]}, "nodes[0]", "L4", "mapping"),
        ({"node": []}, "node", "[]", "no field"),
        (document({}, {"name": "x"}), "accelerators[0].memory_mib", "(missing)", "no like"),
        (document({}, {"name": "x", "like": "L9"}), "accelerators[0].like", "L9", "accelerator"),
        (
            document({}, {"name": "x", "like": "L4", "usable_memory_mib": 99999}),
            "accelerators[0].usable_memory_mib", 99999, "at most memory_mib",
        ),
        (
            document({}, {"name": "x", "like": "L4"}, {"name": "X", "like": "L4"}),
            "accelerators[1].name", "X", "given twice",
        ),
        (
            document({"accelerator": "RaspberryPi5-8GB", "accelerators_per_node": 2}),
            "nodes[0].accelerators_per_node", 2, "a machine has one",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(
    body: dict[str, Any], field: str, value: object, reason: str
) -> None:
    with pytest.raises(SpecError) as caught:
        parse_inventory(body, CATALOG)

    assert (caught.value.field, caught.value.value) == (field, value)
    assert reason in caught.value.reason


def test_a_misspelt_field_offers_the_nearest_before_what_is_then_missing() -> None:
    with pytest.raises(SpecError) as caught:
        parse_inventory({"nodes": [{"acelerator": "L4"}]}, CATALOG)

    assert caught.value.field == "nodes[0].acelerator"
    assert caught.value.choices[0] == "accelerator"


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_document_that_is_no_mapping_says_so(body: object) -> None:
    with pytest.raises(SpecError, match="must be a mapping with nodes"):
        parse_inventory(cast("dict[str, Any]", body), CATALOG)
