"""Pods select a pool by what labels say of the accelerator, and a running model keeps its pool."""

from __future__ import annotations

import pytest

from qwen3_operator.decisions.eligibility import may_run_on, selector_of
from qwen3_operator.desired.labels import POOL
from qwen3_operator.desired.pool import Pool, accelerator_named, pool_for, pool_of
from qwen3_operator.observed import Manifest, Node
from qwen3_planner.catalog.loading import load_catalog
from support.values import accelerator, node

CATALOG = load_catalog()
H100 = accelerator("H100-SXM-80GB")
PRODUCT = "nvidia.com/gpu.product"
MEMORY = "nvidia.com/gpu.memory"


def live(pool: Pool) -> Manifest:
    return {"metadata": {"annotations": {POOL: pool.as_text()}}}


def takes(pool: Pool, candidate: Node) -> bool:
    """Whether pods of the pool may go to a node, as the scheduler sees it."""
    terms = {"nodeSelectorTerms": [{"matchExpressions": pool.as_expressions()}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    return may_run_on(selector_of({"affinity": affinity}), candidate)


def test_a_pool_is_the_product_that_the_nodes_name() -> None:
    pool = pool_for(H100, [node("a"), node("b", product="L40S-48GB")], CATALOG)

    assert pool.requirements == ((PRODUCT, "In", ("NVIDIA-H100-80GB-HBM3",)),)
    assert pool.resource == "nvidia.com/gpu"


def test_all_spellings_of_the_product_are_in_it_in_one_order() -> None:
    nodes = [node(n, labels={PRODUCT: f"NVIDIA-H100-80GB-HBM3{n}"}) for n in ("-b", "-a")]

    pool = pool_for(H100, nodes, CATALOG)

    assert pool == pool_for(H100, nodes[::-1], CATALOG)
    assert pool.requirements[0][2] == ("NVIDIA-H100-80GB-HBM3-a", "NVIDIA-H100-80GB-HBM3-b")


def test_a_name_that_is_the_beginning_of_another_is_not_ambiguous() -> None:
    pool = pool_for(accelerator("L4-24GB"), [node("a", product="L4-24GB")], CATALOG)

    assert [key for key, _, _ in pool.requirements] == [PRODUCT]


@pytest.mark.parametrize(("name", "other"), [("H20-96GB", "H20-141GB"), ("H20-141GB", "H20-96GB")])
def test_products_that_share_a_name_are_told_apart_by_memory(name: str, other: str) -> None:
    shared = {PRODUCT: "NVIDIA-H20"}
    ours, theirs = (node(p, product=p, labels=shared) for p in (name, other))

    pool = pool_for(accelerator(name), [ours, theirs], CATALOG)

    assert takes(pool, ours)
    assert not takes(pool, theirs)


def test_a_driver_that_reports_a_little_less_memory_is_the_same_product() -> None:
    ours = node("a", product="H20-96GB", labels={PRODUCT: "NVIDIA-H20"})
    pool = pool_for(accelerator("H20-96GB"), [ours], CATALOG)

    assert takes(
        pool, node("b", product="H20-96GB", labels={PRODUCT: "NVIDIA-H20", MEMORY: "97800"})
    )


def test_amd_nodes_are_selected_by_their_own_labels() -> None:
    mi300x = accelerator("MI300X-192GB")
    pool = pool_for(mi300x, [node("a", product="MI300X-192GB")], CATALOG)

    assert pool.resource == "amd.com/gpu"
    assert pool.requirements == (("amd.com/gpu.product-name", "In", ("AMD_Instinct_MI300X_OAM",)),)


def test_the_beta_labels_of_amd_serve_where_there_are_no_others() -> None:
    old = node("a", product="MI300X-192GB")
    labels = {"beta.amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"}
    old = Node(old.name, labels, (), schedulable=True, allocatable=old.allocatable, group=old.group)

    pool = pool_for(accelerator("MI300X-192GB"), [old], CATALOG)

    assert pool.requirements[0][0] == "beta.amd.com/gpu.product-name"


def test_no_node_is_ever_named() -> None:
    pool = pool_for(H100, [node("a")], CATALOG)

    assert "kubernetes.io/hostname" not in pool.as_text()


def test_a_pool_survives_being_written_down() -> None:
    nodes = [node("a", product="H20-96GB", labels={PRODUCT: "NVIDIA-H20"})]
    pool = pool_for(accelerator("H20-96GB"), nodes, CATALOG)

    assert pool_of(live(pool)) == pool


def test_a_new_node_changes_nothing_for_a_running_model() -> None:
    first = node("a")
    pool = pool_for(H100, [first], CATALOG)
    newcomer = node("b", labels={PRODUCT: "NVIDIA-H100-80GB-HBM3e"})

    assert pool_for(H100, [first, newcomer], CATALOG, live(pool)) == pool
    assert pool_for(H100, [first, newcomer], CATALOG) != pool


def test_a_pool_survives_its_nodes_being_away_for_a_while() -> None:
    pool = pool_for(H100, [node("a")], CATALOG)

    assert pool_for(H100, [], CATALOG, live(pool)) == pool


def test_a_pool_that_no_node_matches_any_more_is_chosen_anew() -> None:
    pool = pool_for(H100, [node("a")], CATALOG)
    renamed = node("a", labels={PRODUCT: "NVIDIA-H100-80GB-HBM3e"})

    assert takes(pool_for(H100, [renamed], CATALOG, live(pool)), renamed)


def test_another_accelerator_is_another_pool() -> None:
    pool = pool_for(H100, [node("a")], CATALOG)
    l40s = node("b", product="L40S-48GB")

    assert takes(pool_for(accelerator("L40S-48GB"), [node("a"), l40s], CATALOG, live(pool)), l40s)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", '["a","b",[["k"]]]', "null"])
def test_an_annotation_that_was_tampered_with_is_no_pool(text: str) -> None:
    assert pool_of({"metadata": {"annotations": {POOL: text}}}) is None
    assert pool_of({"metadata": {}}) is None


def test_a_cpu_pool_is_an_architecture_without_gpus_and_most_of_the_cores() -> None:
    boards = [node(f"n{i}", gpus=0, cpu=4, memory_gib=8, arch="arm64") for i in range(2)]
    row = accelerator_named("CPU-arm64-8GB", boards, CATALOG)

    pool = pool_for(row, boards, CATALOG)

    assert (pool.resource, pool.cores, pool.architecture) == ("", 3, "arm64")
    assert takes(pool, boards[0])
    assert not takes(pool, node("x", gpus=0, arch="amd64"))
    labelled = {"nvidia.com/gpu.present": "true"}
    assert not takes(pool, node("g", gpus=0, arch="arm64", labels=labelled))
    assert pool_of(live(pool)) == pool


def test_a_running_model_keeps_its_cores_when_other_boards_come() -> None:
    small = node("a", gpus=0, cpu=4, memory_gib=8, arch="arm64")
    row = accelerator_named("CPU-arm64-8GB", [small], CATALOG)
    pool = pool_for(row, [small], CATALOG)
    larger = node("b", gpus=0, cpu=8, memory_gib=8, arch="arm64")

    assert pool_for(row, [larger, small], CATALOG, live(pool)) == pool


def test_what_no_catalog_holds_is_known_by_its_nodes() -> None:
    with pytest.raises(KeyError):
        accelerator_named("CPU-arm64-8GB", [node("g")], CATALOG)
    assert accelerator_named("L4-24GB", [], CATALOG).name == "L4-24GB"
