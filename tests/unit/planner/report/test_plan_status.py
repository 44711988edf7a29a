from __future__ import annotations

import json

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Basis, Change, Layout, Nearest, Provenance
from qwen3_planner.planning import plan
from qwen3_planner.report.plan_json import to_document
from qwen3_planner.report.plan_status import MAX_BYTES, shortened, size_of, status_document
from qwen3_planner.request import ParallelismWish, PlanRequest
from support.plan_builders import make_gpu, make_memory, make_no_plan, make_plan, make_refusal

LONG = "needs 61.0 GiB of weights on each GPU and " * 60


def test_status_is_the_document_without_alternatives() -> None:
    made = make_plan(alternatives=(make_plan(),))

    status, document = status_document(made), to_document(made)

    assert "alternatives" not in status
    assert set(status) == set(document) - {"alternatives"}
    assert status["memory"]["perGpu"] == document["memory"]["perGpu"]


def test_the_five_most_telling_refusals_are_kept_in_order_with_short_messages() -> None:
    refusals = tuple(make_refusal(rule=f"Rule{i}", message=f"{i} {LONG}") for i in range(9))

    kept = status_document(make_plan(refusals=refusals))["refusals"]

    assert [refusal["rule"] for refusal in kept] == [f"Rule{i}" for i in range(5)]
    assert all(len(refusal["message"]) <= 512 for refusal in kept)
    assert kept[0]["message"].endswith("…")


def test_sixteen_gpus_are_listed_one_by_one() -> None:
    made = make_plan(layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2))

    assert len(status_document(made)["memory"]["perGpu"]) == 16


def test_more_gpus_than_sixteen_are_counted_by_equal_figures() -> None:
    gpus = tuple(make_gpu(rank, stage=rank // 16) for rank in range(32))
    memory = make_memory(per_gpu=gpus)

    listed = status_document(make_plan(memory=memory))["memory"]["perGpu"]

    assert [(gpu["rank"], gpu["stage"], gpu["count"]) for gpu in listed] == [
        (0, 0, 16),
        (16, 1, 16),
    ]


@pytest.mark.parametrize("gpus", [1, 16, 64])
@pytest.mark.parametrize("refused", [0, 5])
def test_no_status_exceeds_its_size(gpus: int, refused: int) -> None:
    provenance = tuple(
        Provenance(f"memory.part{i}", Basis.FORMULA, 0.123456, LONG) for i in range(12)
    )
    made = make_plan(
        layout=Layout(tensor=gpus),
        memory=make_memory(per_gpu=tuple(make_gpu(r, weights_bytes=r + 1) for r in range(gpus))),
        provenance=provenance,
        warnings=tuple(LONG[:400] for _ in range(4)),
        refusals=tuple(make_refusal(message=LONG) for _ in range(refused)),
    )

    assert size_of(status_document(made)) <= MAX_BYTES


def test_of_many_stages_the_equal_ones_are_counted() -> None:
    gpus = tuple(make_gpu(rank, stage=rank, weights_bytes=9 if rank else 10) for rank in range(94))

    status = status_document(make_plan(memory=make_memory(per_gpu=gpus)))

    listed = status["memory"]["perGpu"]
    assert size_of(status) <= MAX_BYTES
    assert [(gpu["rank"], gpu["count"]) for gpu in listed] == [(0, 1), (1, 93)]


def test_where_nothing_fits_the_nearest_plan_is_an_outline() -> None:
    status = status_document(make_no_plan())

    assert status["nearest"]["change"] == {"quantization": "fp8"}
    assert {"command", "provenance"}.isdisjoint(status["nearest"]["plan"])
    assert status["nearest"]["plan"]["memory"]["perGpu"][0]["count"] == 2


def test_where_nothing_would_fit_either_there_is_no_nearest() -> None:
    status = status_document(make_no_plan(nearest=None))

    assert status["feasible"] is False
    assert "nearest" not in status


def test_a_large_refusal_with_a_large_nearest_stays_small() -> None:
    nearest = Nearest(
        Change((("hardware", "2x8xH100-SXM-80GB"),)),
        make_plan(layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2)),
    )
    refusals = tuple(make_refusal(message=LONG) for _ in range(20))

    status = status_document(make_no_plan(refusals=refusals, nearest=nearest))

    assert size_of(status) <= MAX_BYTES


def test_equal_plans_give_equal_bytes() -> None:
    a = json.dumps(status_document(make_plan(memory=make_memory(max_concurrency=7.998046875))))
    b = json.dumps(status_document(make_plan(memory=make_memory(max_concurrency=7.998046999))))

    assert a == b


def test_the_nearest_plan_is_rounded_alike() -> None:
    nearest = Nearest(
        Change((("quantization", "fp8"),)), make_plan(memory=make_memory(max_concurrency=1.23456))
    )

    status = status_document(make_no_plan(nearest=nearest))

    assert status["nearest"]["plan"]["memory"]["maxConcurrency"] == 1.23


def test_status_does_not_change_the_plan_it_is_made_of() -> None:
    made = make_plan(refusals=(make_refusal(message=LONG),))

    status_document(made)

    assert to_document(made)["refusals"][0]["message"] == LONG


def test_texts_are_cut_at_a_blank_and_marked() -> None:
    assert shortened("a b c", 5) == "a b c"
    assert shortened("one two three", 10) == "one two …"
    assert len(shortened("x" * 100, 10)) <= 10


@pytest.mark.parametrize(
    ("model", "hardware", "fixed"),
    [
        ("Qwen3-32B", "2xH100-SXM-80GB", {}),
        ("Qwen3-235B-A22B", "2x8xH100-SXM-80GB", {"tensor": 8, "pipeline": 2}),
        ("Qwen3-235B-A22B", "8xMI300X-192GB,8xL4,4xA100-SXM-40GB", {}),
        ("Qwen3-235B-A22B", "4xA100-SXM-80GB", {"tensor": 3}),
        ("Qwen3-30B-A3B", "2xRTX-4090-24GB", {"expert": 2, "tensor": 2}),
        ("Qwen3-32B", "8xT4-16GB", {}),
    ],
)
def test_what_the_planner_answers_fits_into_a_status(
    model: str, hardware: str, fixed: dict[str, int]
) -> None:
    catalog = load_catalog()
    request = PlanRequest(model, parallelism=ParallelismWish(**fixed))

    result = plan(request, parse_hardware(hardware, catalog), catalog)
    status = status_document(result)

    assert size_of(status) <= MAX_BYTES
    assert status == status_document(plan(request, parse_hardware(hardware, catalog), catalog))
    if status["feasible"]:
        assert all("source" in entry for entry in status["provenance"].values())
