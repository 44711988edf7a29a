"""Rows of a sweep: what they say, in which order, and that none is lost or written twice."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli import main
from qwen3_planner.errors import SpecError
from qwen3_planner.sweep.answering import COLUMNS, answer
from qwen3_planner.sweep.cases import read_cases
from qwen3_planner.sweep.keeping import append, finish, keeper_of, rows_done
from qwen3_planner.sweep.running import answer_batch, batches_of, in_processes, in_this_process

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = load_catalog()
FITS = {"model": "Qwen3-8B", "hardware": "1xH100-SXM-80GB", "maxModelLen": 8192}
MISSES = {"model": "Qwen3-32B", "hardware": "1xL4", "quantization": "bf16"}
WRONG = {"model": "Qwen3-9B", "hardware": "1xL4"}


@pytest.fixture
def cases(tmp_path: Path) -> str:
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(json.dumps(case) + "\n" for case in (FITS, MISSES, WRONG) * 3))
    return str(file)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_row_says_what_the_plan_says() -> None:
    row = answer(FITS, CATALOG)

    assert row["case"] == FITS
    assert (row["feasible"], row["quantization"], row["layout"]) == (True, "bf16", "tp1")
    assert row["maxModelLen"] == 8192
    assert row["weightsBytes"] > 2**33
    assert set(row) <= set(COLUMNS)


def test_a_row_of_what_does_not_fit_says_why_and_what_would() -> None:
    row = answer(MISSES, CATALOG)

    assert row["feasible"] is False
    assert row["rule"] == "InsufficientGPUMemory"
    assert row["nearest"].startswith("--")
    assert None not in row.values()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (WRONG, "Qwen3-9B"),
        ({"model": "Qwen3-8B"}, "hardware: (missing)"),
        ({**FITS, "tensor": "two"}, "tensor: two"),
        ({**FITS, "quantization": "int3"}, "quantization: int3"),
        ({**FITS, "concurrency": 0}, "at least 1"),
        ({**FITS, "model": "Qwen/Qwen3-32B-FP8", "quantization": "bf16"}, "contradicts"),
    ],
)
def test_a_wrong_case_is_told_in_its_row(case: dict[str, Any], said: str) -> None:
    row = answer(case, CATALOG)

    assert said in row["error"]
    assert "feasible" not in row


def test_processes_answer_in_order_what_one_process_answers(cases: str) -> None:
    asked = list(read_cases(cases).read())

    alone = list(in_this_process(batches_of(asked, 2)))
    together = list(in_processes(batches_of(asked, 2), workers=2))

    assert together == alone
    assert [row["case"] for batch in together for row in batch] == asked


def test_an_interrupted_sweep_goes_on_and_ends_like_one_that_was_not(
    cases: str, tmp_path: Path
) -> None:
    asked = read_cases(cases)
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    assert main(["sweep", cases, "-o", str(whole), "--workers", "1"]) == 2
    text = whole.read_bytes()
    broken.write_bytes(text[: text.index(b"\n", len(text) // 2) - 5])  # in the middle of a row

    keeper = keeper_of(str(broken))
    done = rows_done(keeper, asked)
    assert 0 < done < asked.count
    assert broken.read_bytes() == b"".join(text.splitlines(keepends=True)[:done])
    main(["sweep", cases, "-o", str(broken), "--workers", "1"])

    assert broken.read_bytes() == text
    main(["sweep", cases, "-o", str(broken), "--workers", "1"])
    assert broken.read_bytes() == text


def test_rows_of_other_cases_are_not_gone_on_with(cases: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text(json.dumps(answer(MISSES, CATALOG)) + "\n")

    with pytest.raises(SpecError, match="rows of other cases"):
        rows_done(keeper_of(str(out)), read_cases(cases))


def test_each_batch_is_on_disk_before_the_next_is_asked_for(cases: str, tmp_path: Path) -> None:
    asked = read_cases(cases)
    keeper = keeper_of(str(tmp_path / "out.jsonl"))

    rows = append(keeper, map(answer_batch, batches_of(asked.read(), 2)))
    next(rows)

    assert len(rows_of(keeper.journal)) == 2
    rows.close()  # type: ignore[attr-defined]  # a generator


def test_csv_has_a_column_for_each_field_and_figure(cases: str, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"

    main(["sweep", cases, "-o", str(out), "--workers", "1"])

    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    assert rows[0]["case.model"] == "Qwen3-8B"
    assert (rows[0]["feasible"], rows[1]["feasible"], rows[2]["feasible"]) == ("True", "False", "")
    assert "Qwen3-9B" in rows[2]["error"]
    assert set(rows[0]) >= set(COLUMNS[1:])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cases.jsonl", "out.csv"]


def test_parquet_keeps_kinds(cases: str, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"

    main(["sweep", cases, "-o", str(out), "--workers", "1"])

    table = pyarrow.parquet.read_table(out).to_pylist()
    assert table[0]["feasible"] is True
    assert table[0]["weightsBytes"] == answer(FITS, CATALOG)["weightsBytes"]
    assert table[2]["feasible"] is None
    assert [row["case.model"] for row in table] == ["Qwen3-8B", "Qwen3-32B", "Qwen3-9B"] * 3


def test_what_is_there_is_never_written_over(cases: str, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("mine")

    assert main(["sweep", cases, "-o", str(out)]) == 2

    assert out.read_text() == "mine"


@pytest.mark.parametrize("out", ["rows.txt", "none/rows.csv"])
def test_a_bad_output_is_told_before_any_work(
    cases: str, tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", cases, "-o", str(tmp_path / out)]) == 2

    assert "--output" in capsys.readouterr().err


def test_finishing_a_file_of_lines_leaves_it_as_it_is(tmp_path: Path) -> None:
    keeper = keeper_of(str(tmp_path / "a.jsonl"))
    keeper.out.write_text("{}\n")

    finish(keeper)

    assert keeper.out.read_text() == "{}\n"
