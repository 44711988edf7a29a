from __future__ import annotations

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.matching import by_product

ROWS = load_catalog().accelerators

NODE_LABELS = [
    ("NVIDIA-H100-80GB-HBM3", 81559, "H100-SXM-80GB"),
    ("NVIDIA-H100-NVL", 95830, "H100-NVL-94GB"),
    ("NVIDIA-H100-PCIe", 81559, "H100-PCIe-80GB"),
    ("NVIDIA-H200", 143771, "H200-SXM-141GB"),
    ("NVIDIA-B200", 183359, "B200-SXM-180GB"),
    ("NVIDIA-GB200", 189471, "GB200-186GB"),
    ("NVIDIA-A100-SXM4-80GB", 81920, "A100-SXM-80GB"),
    ("NVIDIA-A100-SXM4-40GB", 40960, "A100-SXM-40GB"),
    ("NVIDIA-A100-80GB-PCIe", 81920, "A100-PCIe-80GB"),
    ("NVIDIA-A100-PCIE-40GB", 40960, "A100-PCIe-40GB"),
    ("NVIDIA-L4", 23034, "L4-24GB"),
    ("NVIDIA-L40", 46068, "L40-48GB"),
    ("NVIDIA-L40S", 46068, "L40S-48GB"),
    ("NVIDIA-A10G", 23028, "A10G-24GB"),
    ("Tesla-T4", 15360, "T4-16GB"),
    ("NVIDIA-GeForce-RTX-3090", 24576, "RTX-3090-24GB"),
    ("NVIDIA-GeForce-RTX-4090", 24564, "RTX-4090-24GB"),
    ("NVIDIA-H20", 97871, "H20-96GB"),
    ("NVIDIA-H20", 143771, "H20-141GB"),
    ("NVIDIA-H20-3e", 143771, "H20-141GB"),
    ("AMD_Instinct_MI300X_OAM", 192 * 1024, "MI300X-192GB"),
]


@pytest.mark.parametrize(("label", "memory_mib", "name"), NODE_LABELS)
def test_a_node_label_and_its_memory_name_one_row(label: str, memory_mib: int, name: str) -> None:
    assert [row.name for row in by_product(ROWS, label, memory_mib)] == [name]


@pytest.mark.parametrize(
    ("label", "memory_mib"),
    [
        pytest.param("NVIDIA-GeForce-RTX-3090-Ti", 24564, id="another product, almost its name"),
        pytest.param("NVIDIA-GeForce-RTX-4090-D", 24564, id="a weaker part for export"),
        pytest.param("NVIDIA-GeForce-RTX-4090-Laptop-GPU", 16376, id="a laptop's part"),
        pytest.param("NVIDIA-H800-NVL", 95830, id="a card, not a module"),
        pytest.param("NVIDIA-L40S", 20000, id="the product with another memory"),
        pytest.param("NVIDIA-A10M", 23028, id="a sibling"),
        pytest.param("", 24564, id="nothing"),
    ],
)
def test_what_only_looks_alike_is_no_match(label: str, memory_mib: int) -> None:
    assert by_product(ROWS, label, memory_mib) == ()


def test_case_and_words_after_a_product_do_not_matter() -> None:
    found = by_product(ROWS, "nvidia-h100-80gb-hbm3-custom", 81559)

    assert [row.name for row in found] == ["H100-SXM-80GB"]
