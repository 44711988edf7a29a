"""KV cache per GPU against what vLLM logs as "Available KV cache memory"."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from qwen3_planner.candidates import Candidate, pools_of
from qwen3_planner.fit import fit
from qwen3_planner.plan import Layout
from qwen3_planner.request import EngineName, EngineTuning, Quantization
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import NINETY_PERCENT, Fit
from qwen3_planner.units import GIB
from support.planner_builders import a_question, hardware

with (Path(__file__).parent / "kv_cache_logs.csv").open(newline="") as file:
    LOGS = list(csv.DictReader(file))

PUBLISHED = ("M1", "M2", "M3")


def fitted(row: dict[str, str]) -> Fit:
    tensor, pipeline = int(row["tensor"]), int(row["pipeline"])
    question = a_question(
        row["model"],
        engine_version=row["version"],
        quantization=Quantization(row["quantization"]),
        max_model_len=int(row["max_model_len"]),
        tensor=tensor,
        pipeline=pipeline,
        tuning=EngineTuning(
            float(row["utilization"]) if row["utilization"] else None,
            int(row["max_num_seqs"]) if row["max_num_seqs"] else None,
            int(row["max_num_batched_tokens"]) if row["max_num_batched_tokens"] else None,
        ),
    )
    (pool,) = pools_of(hardware(f"{tensor * pipeline}x{row['accelerator']}"), ())
    candidate = Candidate(pool, question.choices[0], Layout(tensor, pipeline))
    setting = serving_of(question.engine).setting(question, pool)
    found = fit(question, candidate, setting)
    assert isinstance(found, Fit)
    return found


def available_gib(row: dict[str, str]) -> float:
    return min(stage.available for stage in fitted(row).stages) / GIB


def inside(row: dict[str, str]) -> bool:
    margin = NINETY_PERCENT * fitted(row).error_bytes / GIB
    return abs(available_gib(row) - float(row["kv_gib_per_gpu"])) <= margin


def named(*ids: str) -> list[dict[str, str]]:
    return [row for row in LOGS if row["id"] in ids]


@pytest.mark.parametrize("row", named(*PUBLISHED), ids=PUBLISHED)
def test_kv_cache_is_within_three_percent_of_the_three_published_rows(row: dict[str, str]) -> None:
    logged = float(row["kv_gib_per_gpu"])
    assert available_gib(row) == pytest.approx(logged, rel=0.03)


@pytest.mark.parametrize("row", LOGS, ids=[row["id"] for row in LOGS])
def test_kv_cache_is_within_an_eighth_of_every_log(row: dict[str, str]) -> None:
    logged = float(row["kv_gib_per_gpu"])
    assert available_gib(row) == pytest.approx(logged, rel=0.125)


def test_nine_of_ten_logs_lie_inside_their_interval() -> None:
    for row in LOGS:
        print(f"{row['id']:<8}{available_gib(row):>8.2f}{row['kv_gib_per_gpu']:>8} {inside(row)}")  # noqa: T201 - pytest -s
    assert sum(inside(row) for row in LOGS) >= 0.9 * len(LOGS)


def test_the_interval_surrounds_the_tokens() -> None:
    (row,) = named("M3")
    found = fitted(row)
    low, blocks, high = serving_of(EngineName.VLLM).pool_blocks(found)
    assert low < blocks < high
    assert high - low < 0.1 * blocks
