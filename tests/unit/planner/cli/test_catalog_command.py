from __future__ import annotations

import json

import pytest
import yaml

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli import main

CATALOG = load_catalog()


@pytest.mark.parametrize("room", ["models", "checkpoints", "accelerators", "engines"])
def test_every_row_is_listed_with_its_source(room: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", room, "-o", "json"]) == 0

    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(getattr(CATALOG, room))
    assert all(row["source"] and row["asOf"] for row in rows)
    assert not [key for row in rows for key, value in row.items() if value is None or "_" in key]


@pytest.mark.thorough
def test_without_a_room_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["catalog", "-o", "yaml"])

    document = yaml.safe_load(capsys.readouterr().out)
    assert list(document) == ["models", "checkpoints", "accelerators", "engines"]


def test_the_table_names_each_row_once_and_fits_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["catalog", "accelerators"])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [row.name for row in CATALOG.accelerators]
    assert max(map(len, lines)) <= 100
    assert next(line for line in lines if line.startswith("T4-16GB")).split() == [
        "T4-16GB", "15360", "14919", "320", "-", "-", "7.5",
    ]  # fmt: skip


def test_the_table_of_models_shows_experts_where_there_are_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["catalog", "models"])

    out = capsys.readouterr().out
    assert "8 of 128" in next(line for line in out.splitlines() if "235B" in line)
    assert "8 of 128" not in next(line for line in out.splitlines() if "0.6B" in line)


def test_case_of_the_room_does_not_matter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "MODELS"]) == 0
    assert "Qwen3-32B" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "first", "key"),
    [
        ("prices", "accelerator", "usdPerHour"),
        ("purchases", "accelerator", "usdLow"),
        ("hosts", "model", "usdPerMillionInput"),
        ("scores", "variant", "score"),
        ("licences", "publisher", "licence"),
        ("export-rules", "rule", "regions"),
    ],
)
def test_what_is_compared_and_chosen_with_is_listed_too(
    kind: str, first: str, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalog", kind, "-o", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(row["source"] and key in row for row in rows)

    assert main(["catalog", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == first
    assert len(lines) == len(rows) + 1
    assert max(map(len, lines)) <= 120
