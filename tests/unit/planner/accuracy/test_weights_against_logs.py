"""Weights per GPU against what vLLM logs as "Model loading took".

``vllm_logs.csv`` holds every published row that states it, ``exclusions.csv`` those that cannot be
compared, each with its reason. Nothing in the planner was fitted to a row.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.sizing.formats import BF16, ONLINE_FP8, WeightFormat
from qwen3_planner.sizing.weights import rank_weights
from qwen3_planner.units import GIB
from support.planner_builders import AWQ, FP8_BLOCKS, a_model

HERE = Path(__file__).parent

VARIANT_BY_WORD = {
    "235B-A22B": "Qwen3-235B-A22B",
    "30B-A3B": "Qwen3-30B-A3B",
    "32B": "Qwen3-32B",
    "14B": "Qwen3-14B",
    "8B": "Qwen3-8B",
    "4B": "Qwen3-4B",
    "0.6B": "Qwen3-0.6B",
}
FORMAT_BY_WORD: tuple[tuple[str, WeightFormat], ...] = (
    ("none", BF16),
    ("RedHatAI", ONLINE_FP8),  # one scale per output channel
    ("fp8", FP8_BLOCKS),
    ("AWQ", AWQ),
    ("int4", AWQ),
)
LONG_CONTEXT_WORDS = ("2507", "KAITO")  # KAITO's preset of that size is a 262144-token model
NATIVE_POSITIONS, LONG_POSITIONS = 40960, 262144


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="") as file:
        return list(csv.DictReader(file))


LOGS = rows("vllm_logs.csv")
EXCLUDED = {row["id"]: row["reason"] for row in rows("exclusions.csv")}
COMPARED = [row for row in LOGS if row["id"] not in EXCLUDED]


def variant_of(row: dict[str, str]) -> str:
    return next(name for word, name in VARIANT_BY_WORD.items() if word in row["model"])


def format_of(row: dict[str, str]) -> WeightFormat:
    return next(fmt for word, fmt in FORMAT_BY_WORD if word in row["quant"])


def computed_gib(row: dict[str, str]) -> float:
    is_long = any(word in row["model"] for word in LONG_CONTEXT_WORDS)
    weights = rank_weights(
        a_model(variant_of(row)),
        format_of(row),
        Layout(tensor=int(row["tp"] or 1), pipeline=int(row["pp"] or 1)),
        stage=0,
        expert_rank=0,
        positions=LONG_POSITIONS if is_long else NATIVE_POSITIONS,
    )
    return weights / GIB


def relative_error(row: dict[str, str]) -> float:
    logged = float(row["weights_gib_per_gpu"])
    return (computed_gib(row) - logged) / logged


def scoreboard() -> str:
    head = f"{'row':<6}{'model':<44}{'quant':<18}{'tp':>3}{'logged':>10}{'ours':>10}{'error':>9}"
    lines = ["", head]
    for row in LOGS:
        name = f"{row['id']:<6}{row['model'][:42]:<44}{row['quant'][:16]:<18}{row['tp']:>3}"
        logged = float(row["weights_gib_per_gpu"])
        if row["id"] in EXCLUDED:
            tail = f"  excluded: {EXCLUDED[row['id']]}"
        else:
            tail = f"{computed_gib(row):>10.4f}{relative_error(row):>9.3%}"
        lines.append(f"{name}{logged:>10.4f}{tail}")
    return "\n".join(lines)


@pytest.mark.parametrize("row", COMPARED, ids=[row["id"] for row in COMPARED])
def test_weights_per_gpu_are_within_one_percent_of_the_log(row: dict[str, str]) -> None:
    assert abs(relative_error(row)) <= 0.01


def test_bf16_weights_are_within_a_thousandth_in_the_median() -> None:
    errors = [abs(relative_error(row)) for row in COMPARED if row["quant"] == "none"]
    print(scoreboard())  # noqa: T201 - for people: pytest -s
    assert len(errors) >= 20
    assert median(errors) <= 0.001


def test_no_row_is_dropped_silently() -> None:
    ids = [row["id"] for row in LOGS]
    assert len(ids) == len(set(ids)) == 37
    assert set(EXCLUDED) <= set(ids)
    assert len(COMPARED) + len(EXCLUDED) == len(LOGS)
    assert all(len(reason) > 20 for reason in EXCLUDED.values())
    assert all(float(row["weights_gib_per_gpu"]) > 0 for row in LOGS)
