"""MIG slices are accelerators of their own, each with its share of the GPU."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.profiles import profile_of
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.inventory.kubernetes import read_node
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import EngineName, ParallelismWish, PlanRequest

CATALOG = load_catalog()
H100 = CATALOG.accelerator("H100-SXM-80GB")


def node(labels: dict[str, str], **gpus: str) -> dict[str, Any]:
    offered = {f"nvidia.com/{name.replace('_', '-')}": count for name, count in gpus.items()}
    return {
        "metadata": {"name": "n", "labels": {f"nvidia.com/{k}": v for k, v in labels.items()}},
        "status": {"allocatable": {"cpu": "64", "memory": "512Gi", **offered}},
    }


WHOLE = {"gpu.product": "NVIDIA-H100-80GB-HBM3", "gpu.memory": "81559"}
MIXED = {**WHOLE, "mig-1g.10gb.memory": "9984", "mig-3g.40gb.memory": "40448"}


def test_with_the_strategy_mixed_each_profile_is_offered_beside_whole_gpus() -> None:
    raw = node(MIXED, gpu="4")
    raw["status"]["allocatable"] |= {"nvidia.com/mig-1g.10gb": "7", "nvidia.com/mig-3g.40gb": "2"}

    reading = read_node(raw, CATALOG)

    assert reading.group is not None
    assert reading.group.accelerator == H100
    assert (reading.reason, reading.notes) == ("", ())
    assert [(one.accelerator.name, one.accelerators_per_node) for one in reading.slices] == [
        ("H100-SXM-80GB-MIG-1g.10gb", 7),
        ("H100-SXM-80GB-MIG-3g.40gb", 2),
    ]
    assert reading.slices[0].accelerator.resource == "nvidia.com/mig-1g.10gb"


def test_a_node_of_slices_alone_is_hardware_too() -> None:
    raw = node(MIXED)
    raw["status"]["allocatable"]["nvidia.com/mig-1g.10gb"] = "7"

    reading = read_node(raw, CATALOG)

    assert (reading.group, reading.reason) == (None, "")
    assert len(reading.slices) == 1


def test_with_the_strategy_single_slices_are_offered_as_gpus() -> None:
    labels = {"gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-2g.20gb", "gpu.memory": "19968"}

    reading = read_node(node(labels, gpu="3"), CATALOG)

    assert reading.group is not None
    assert reading.slices == ()
    made = reading.group.accelerator
    assert (made.name, made.resource) == ("A100-SXM-80GB-MIG-2g.20gb", "nvidia.com/gpu")
    assert reading.group.accelerators_per_node == 3


@pytest.mark.parametrize(
    ("product", "profile", "memory", "bandwidth", "computing"),
    [
        ("NVIDIA-H100-80GB-HBM3", "1g.10gb", "9984", 1 / 8, 1 / 7),
        ("NVIDIA-H100-80GB-HBM3", "1g.20gb", "20096", 2 / 8, 1 / 7),
        ("NVIDIA-H100-80GB-HBM3", "3g.40gb", "40448", 4 / 8, 3 / 7),
        ("NVIDIA-H100-80GB-HBM3", "7g.80gb", "81152", 1, 1),
        ("NVIDIA-A100-SXM4-40GB", "1g.5gb", "4864", 1 / 8, 1 / 7),
        ("NVIDIA-A30", "1g.6gb", "5952", 2 / 8, 1 / 4),
        ("NVIDIA-A30", "4g.24gb", "24192", 1, 1),
        ("NVIDIA-H200", "1g.18gb", "16384", 1 / 8, 1 / 7),
    ],
)
def test_a_slice_has_its_share_of_bandwidth_and_processors(
    product: str, profile: str, memory: str, bandwidth: float, computing: float
) -> None:
    labels = {"gpu.product": f"{product}-MIG-{profile}", "gpu.memory": memory}
    reading = read_node(node(labels, gpu="1"), CATALOG)

    assert reading.group is not None
    made = reading.group.accelerator
    whole = CATALOG.accelerator(made.slice_of)
    assert made.memory_mib == int(memory)
    assert made.usable_memory_mib < made.memory_mib
    assert made.memory_gb_per_s == pytest.approx(whole.memory_gb_per_s * bandwidth)
    assert made.bf16_tflops == pytest.approx((whole.bf16_tflops or 0) * computing)
    assert made.link_gb_per_s == 0


def test_the_size_of_a_profile_tells_products_of_one_name_apart() -> None:
    for profile, whole in (("1g.12gb", "H20-96GB"), ("1g.18gb", "H20-141GB")):
        labels = {"gpu.product": f"NVIDIA-H20-MIG-{profile}"}
        reading = read_node(node(labels, gpu="1"), CATALOG)

        assert reading.group is not None
        assert reading.group.accelerator.slice_of == whole


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ("NVIDIA-H100-80GB-HBM3-MIG-weird", "nothing is known of its MIG slices"),
        ("NVIDIA-X9000-MIG-1g.10gb", "nothing is known of its MIG slices"),
    ],
)
def test_slices_of_which_nothing_is_known_are_left_alone_and_it_is_said(
    product: str, said: str
) -> None:
    reading = read_node(node({"gpu.product": product}, gpu="1"), CATALOG)

    assert reading.group is None
    assert said in reading.reason


@pytest.mark.parametrize("text", ["10gb", "1g", "1g.10", "g.gb", "1g.10gb-x"])
def test_what_is_no_profile_is_not_read_as_one(text: str) -> None:
    assert profile_of(text) is None


def inventory(profile: str, count: int) -> Inventory:
    labels = {"gpu.product": f"NVIDIA-H100-80GB-HBM3-MIG-{profile}"}
    group = read_node(node(labels, gpu=str(count)), CATALOG).group
    assert group is not None
    return Inventory((group,))


def test_a_small_model_is_planned_on_the_smallest_slice_that_holds_it() -> None:
    slice_group = inventory("1g.10gb", 7).groups[0]
    both = Inventory((NodeGroup(H100, 8), slice_group))

    answer = plan(PlanRequest("Qwen3-0.6B"), both, CATALOG)

    assert isinstance(answer, Plan)
    assert answer.placement.accelerator == "H100-SXM-80GB-MIG-1g.10gb"


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llamacpp"])
def test_a_replica_never_spreads_over_slices(engine: str) -> None:
    wish = ParallelismWish(pipeline=2) if engine == "llamacpp" else ParallelismWish(tensor=2)
    request = PlanRequest("Qwen3-8B", engine=EngineName(engine), parallelism=wish)

    answer = plan(request, inventory("1g.10gb", 7), CATALOG)

    assert isinstance(answer, NoPlan)
    assert answer.refusals[0].rule == "OneSlicePerReplica"
    assert "take a larger slice than H100-SXM-80GB-MIG-1g.10gb" in answer.refusals[0].message


def test_many_slices_do_not_make_up_for_a_small_one() -> None:
    answer = plan(PlanRequest("Qwen3-32B"), inventory("1g.10gb", 56), CATALOG)

    assert isinstance(answer, NoPlan)
