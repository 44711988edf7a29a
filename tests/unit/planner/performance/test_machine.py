"""Which rates bound a layout on a card, and which of them nobody states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.performance.machine import (
    DEFAULT_PCIE_GB_PER_S,
    NODE_LINK_GB_PER_S,
    Machine,
    device_class,
    machine_of,
)
from qwen3_planner.plan import Layout
from qwen3_planner.sizing.formats import BF16, WeightFormat
from support.performance.servers import AWQ, FP8


def machine(
    card: str,
    fmt: WeightFormat = BF16,
    layout: Layout = Layout(),  # noqa: B008 - frozen
    *,
    is_pcie: bool = False,
) -> Machine:
    return machine_of(load_catalog().accelerator(card), fmt, layout, is_pcie=is_pcie)


def test_fp8_weights_are_multiplied_at_fp8_rate_where_the_card_has_it() -> None:
    assert machine("H100-SXM-80GB", FP8).flops == 1979e12
    assert machine("A100-SXM-80GB", FP8).flops == 312e12


def test_weight_only_formats_compute_in_16_bit() -> None:
    assert machine("H100-SXM-80GB", AWQ).flops == 989e12


def test_scores_are_computed_in_16_bit_whatever_the_weights() -> None:
    assert machine("H100-SXM-80GB", FP8).attention_flops == 989e12


def test_ranks_in_one_node_talk_over_its_fast_link() -> None:
    inside = machine("H100-SXM-80GB", layout=Layout(8))
    assert (inside.link, inside.has_fast_link, inside.assumed) == (450e9, True, ())


def test_a_pcie_node_of_cards_with_fast_links_is_slower() -> None:
    assert machine("H100-SXM-80GB", layout=Layout(2), is_pcie=True).link == 64e9


def test_a_group_over_nodes_is_as_slow_as_the_network_and_says_that_it_is_assumed() -> None:
    spread = machine("H100-SXM-80GB", layout=Layout(16, nodes_per_replica=2))
    assert spread.link == NODE_LINK_GB_PER_S * 1e9
    assert not spread.has_fast_link
    assert any("between nodes" in text for text in spread.assumed)


def test_stages_over_nodes_keep_the_fast_link_inside_each() -> None:
    staged = machine("H100-SXM-80GB", layout=Layout(8, 2, nodes_per_replica=2))
    assert staged.link == 450e9
    assert staged.stage_link == NODE_LINK_GB_PER_S * 1e9


def test_a_card_without_a_stated_bus_takes_an_assumed_one_only_where_it_matters() -> None:
    assert machine("RTX-4090-24GB").assumed == ()
    pair = machine("RTX-4090-24GB", layout=Layout(2))
    assert pair.link == DEFAULT_PCIE_GB_PER_S * 1e9
    assert any("PCIe" in text for text in pair.assumed)


def test_a_chip_without_stated_arithmetic_takes_it_from_its_bandwidth_and_says_so() -> None:
    apple = machine("Apple-M2-Pro-32GB")
    assert apple.flops == pytest.approx(200e9 * 26)
    assert any("operations per byte" in text for text in apple.assumed)


@pytest.mark.parametrize(
    ("card", "group"),
    [
        ("H100-SXM-80GB", "hopper"),
        ("H200-SXM-141GB", "hopper"),
        ("H20-96GB", "hopper-h20"),
        ("L4-24GB", "ada-gddr"),
        ("RTX-4090-24GB", "ada-rtx"),
        ("A100-SXM-80GB", "ampere"),
        ("A10G-24GB", "ampere-gddr"),
        ("RTX-3090-24GB", "ampere-rtx"),
        ("B200-SXM-180GB", "blackwell"),
        ("RTX-PRO-6000-96GB", "blackwell-rtx"),
        ("Apple-M4-Pro-48GB", "apple"),
        ("RaspberryPi5-8GB", "cpu"),
        ("MI300X-192GB", "cdna3"),
    ],
)
def test_cards_are_grouped_by_what_they_have_in_common(card: str, group: str) -> None:
    assert device_class(load_catalog().accelerator(card)) == group


def test_a_card_of_ones_own_is_of_the_class_of_what_it_is_like() -> None:
    """Whatever it is called, and whatever bandwidth it is given."""
    catalog = load_catalog()
    for name in ("RTX-4090-24GB", "H20-96GB", "A10G-24GB", "L4-24GB", "A100-SXM-80GB"):
        card = catalog.accelerator(name)
        mine = replace(card, name="mine", memory_gb_per_s=4 * card.memory_gb_per_s)
        assert device_class(mine) == device_class(card)


def test_the_nodes_of_a_rack_talk_over_its_nvlink() -> None:
    over_nodes = Layout(8, nodes_per_replica=2)
    rack = machine("GB200-186GB", layout=over_nodes)
    assert (rack.link, rack.has_fast_link, rack.assumed) == (900e9, True, ())
    assert machine("B200-SXM-180GB", layout=over_nodes).link == NODE_LINK_GB_PER_S * 1e9
    assert machine("GB200-186GB", layout=over_nodes, is_pcie=True).link == NODE_LINK_GB_PER_S * 1e9
