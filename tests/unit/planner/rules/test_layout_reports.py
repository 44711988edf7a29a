"""Layouts that users reported to fail or to serve, against what the planner says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.request import Quantization
from support.planner_builders import answer

with (Path(__file__).parent / "layout_reports.csv").open(newline="") as file:
    REPORTS = list(csv.DictReader(file))

JUDGED = [row for row in REPORTS if row["outcome"] != "skipped"]


def verdict(row: dict[str, str]) -> Plan | NoPlan:
    return answer(
        row["model"],
        row["hardware"],
        quantization=Quantization(row["quantization"]),
        engine_version=row["version"],
        tensor=int(row["tensor"]),
        pipeline=int(row["pipeline"]),
        expert=int(row["expert"]),
        max_model_len=int(row["max_model_len"]) if row["max_model_len"] else None,
    )


@pytest.mark.parametrize("row", JUDGED, ids=[f"{r['model']}-{r['rule']}" for r in JUDGED])
def test_the_planner_agrees_with_the_report(row: dict[str, str]) -> None:
    found = verdict(row)
    if row["outcome"] == "planned":
        assert isinstance(found, Plan), found
    else:
        assert isinstance(found, NoPlan)
        assert found.refusals[0].rule == row["rule"]


def test_reports_that_are_skipped_say_why() -> None:
    skipped = [row for row in REPORTS if row["outcome"] == "skipped"]
    assert len(skipped) == len(REPORTS) - len(JUDGED)
    assert all(len(row["note"]) > 40 for row in skipped)
