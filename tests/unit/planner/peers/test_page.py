"""The page of peers says what its dated data say."""

from __future__ import annotations

import json
from collections import Counter

from qwen3_planner.peers.coverage import reason_not_covered
from support.peer_rows import DATA, PAGE, page, question_of, rows


def test_the_page_is_written_from_the_data() -> None:
    assert PAGE.read_text("utf-8") == page(json.loads(DATA.read_text("utf-8")))


def test_every_row_was_asked_or_has_its_reason() -> None:
    data = json.loads(DATA.read_text("utf-8"))
    assert data["as_of"]
    assert data["version"].startswith("0.12")
    for row in data["rows"]:
        assert (row["peer"] is None) == bool(row.get("reason"))
        assert row["peer"] is None or 0.1 < row["peer"] < 10_000


def test_most_measured_rows_are_covered() -> None:
    reasons = Counter(reason_not_covered(question_of(row)) or "" for row in rows())
    assert reasons[""] > 200
