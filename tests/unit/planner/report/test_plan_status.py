from __future__ import annotations

import json

import pytest

from qwen3_planner.plan import Basis, Change, Layout, Nearest, Provenance
from qwen3_planner.report.plan_json import to_document
from qwen3_planner.report.plan_status import MAX_BYTES, shortened, size_of, status_document
from support.plan_builders import make_gpu, make_memory, make_no_plan, make_plan, make_refusal

LONG = "needs 61.0 GiB of weights on each GPU and " * 60


def test_status_is_the_document_without_alternatives() -> None:
    plan = make_plan(alternatives=(make_plan(),))

    status, document = status_document(plan), to_document(plan)

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
    plan = make_plan(layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2))

    assert len(status_document(plan)["memory"]["perGpu"]) == 16


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
    plan = make_plan(
        layout=Layout(tensor=gpus),
        memory=make_memory(per_gpu=tuple(make_gpu(r, weights_bytes=r + 1) for r in range(gpus))),
        provenance=provenance,
        warnings=tuple(LONG[:400] for _ in range(4)),
        refusals=tuple(make_refusal(message=LONG) for _ in range(refused)),
    )

    allowance = 2 * MAX_BYTES if gpus == 64 else MAX_BYTES  # 64 GPUs of 64 different figures
    assert size_of(status_document(plan)) <= allowance


def test_where_nothing_fits_the_nearest_plan_is_an_outline() -> None:
    status = status_document(make_no_plan())

    assert status["nearest"]["change"] == {"quantization": "fp8"}
    assert {"command", "provenance"}.isdisjoint(status["nearest"]["plan"])
    assert status["nearest"]["plan"]["memory"]["perGpu"][0]["count"] == 2


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


def test_status_does_not_change_the_plan_it_is_made_of() -> None:
    plan = make_plan(refusals=(make_refusal(message=LONG),))

    status_document(plan)

    assert to_document(plan)["refusals"][0]["message"] == LONG


def test_texts_are_cut_at_a_blank_and_marked() -> None:
    assert shortened("a b c", 5) == "a b c"
    assert shortened("one two three", 10) == "one two …"
    assert len(shortened("x" * 100, 10)) <= 10
