from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.short_form import parse_hardware

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("typed", "nodes", "per_node", "product", "interconnect"),
    [
        ("2xH100-SXM-80GB", 1, 2, "H100-SXM-80GB", "nvlink"),
        ("2x8xH100-SXM-80GB", 2, 8, "H100-SXM-80GB", "nvlink"),
        ("H100-SXM-80GB", 1, 1, "H100-SXM-80GB", "nvlink"),
        ("RaspberryPi5-8GB", 1, 1, "RaspberryPi5-8GB", "unified"),
        ("3x1xRaspberryPi5-8GB", 3, 1, "RaspberryPi5-8GB", "unified"),
        ("Apple-M2-Pro-32GB", 1, 1, "Apple-M2-Pro-32GB", "unified"),
        ("8xMI300X", 1, 8, "MI300X-192GB", "xgmi"),
        ("2xRTX-4090", 1, 2, "RTX-4090-24GB", "pcie"),
        ("4xH100-PCIe", 1, 4, "H100-PCIe-80GB", "pcie"),
        (" 2 X 4 x L40S ", 2, 4, "L40S-48GB", "pcie"),
        ("2×4×l40s-48gb", 2, 4, "L40S-48GB", "pcie"),  # noqa: RUF001 - people type the sign
        ("4090", 1, 1, "RTX-4090-24GB", "pcie"),
    ],
)
def test_one_word_says_nodes_count_and_product(
    typed: str, nodes: int, per_node: int, product: str, interconnect: str
) -> None:
    (group,) = parse_hardware(typed, CATALOG).groups

    assert (group.count, group.accelerators_per_node) == (nodes, per_node)
    assert group.accelerator == CATALOG.accelerator(product)
    assert group.interconnect == interconnect


def test_pools_are_separated_by_commas() -> None:
    inventory = parse_hardware("2x8xH100-SXM, 4xL4,L4", CATALOG)

    assert [(g.count, g.accelerators_per_node) for g in inventory.groups] == [
        (2, 8),
        (1, 4),
        (1, 1),
    ]
    assert [row.name for row in inventory.accelerators] == ["H100-SXM-80GB", "L4-24GB"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", r"--hardware: \(empty\): must be \[NODESx\]COUNTxPRODUCT"),
        ("2x", "--hardware: 2x: must be"),
        ("2x8x", "--hardware: 2x8x: must be"),
        ("8", "--hardware: 8: must be"),
        ("2xL4,", "must be"),
        ("0xL4", "--hardware: 0xL4: COUNT, the accelerators of one node, must be 1 to 64"),
        ("0x8xL4", "NODES must be 1 to 10000"),
        ("65xL4", "must be 1 to 64"),
        ("9" * 5000 + "xL4", "must be 1 to 64"),
        ("99999x8xL4", "NODES must be 1 to 10000"),
        ("2xRaspberryPi5-8GB", "a machine has one RaspberryPi5-8GB"),
        ("2xH1000", "--hardware: 2xH1000: H1000 is no accelerator"),
        ("-2xL4", "is no accelerator"),
        ("2xL4,3xH1000", "--hardware: 2xL4,3xH1000: 3xH1000: H1000 is no accelerator"),
    ],
)
def test_what_is_wrong_is_said_with_the_value_as_typed(typed: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_hardware(typed, CATALOG)


def test_an_ambiguous_product_offers_whole_values_to_paste() -> None:
    with pytest.raises(SpecError) as caught:
        parse_hardware("2x8xH100", CATALOG)

    assert caught.value.value == "2x8xH100"
    assert caught.value.choices == (
        "2x8xH100-SXM-80GB",
        "2x8xH100-PCIe-80GB",
        "2x8xH100-NVL-94GB",
    )


@given(
    st.integers(1, 10_000),
    st.integers(1, 64),
    st.sampled_from(["H100-SXM-80GB", "L4-24GB", "MI300X-192GB"]),
)
def test_what_is_written_is_what_is_read(nodes: int, per_node: int, product: str) -> None:
    (group,) = parse_hardware(f"{nodes}x{per_node}x{product}", CATALOG).groups

    assert (group.count, group.accelerators_per_node, group.accelerator.name) == (
        nodes,
        per_node,
        product,
    )
