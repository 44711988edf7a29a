from __future__ import annotations

import json
from typing import TYPE_CHECKING

from qwen3_planner.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OWN = """
claims:
- id: mine
  text: There is a Qwen3-72B
  checks:
  - exists: {parameters: 72000000000}
"""


def test_claims_of_a_file_are_judged_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(OWN)

    assert main(["check-claims", str(file), "-o", "json"]) == 0

    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    assert set(claim) == {"id", "text", "verdict", "why", "arithmetic"}
    assert (claim["id"], claim["verdict"]) == ("mine", "false")
    assert "Qwen3-32B: 32,762,123,264 parameters" in claim["arithmetic"]


def test_the_table_fits_a_terminal_and_begins_with_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text(OWN)

    main(["check-claims", str(file)])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "There is a Qwen3-72B (mine)"
    assert lines[1].split()[0] == "false"
    assert max(map(len, lines)) <= 80


def test_a_wrong_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "claims.yaml"
    file.write_text("claims: [{id: a, text: b, checks: [{exist: {}}]}]")

    assert main(["check-claims", str(file)]) == 2

    assert "claims[0].checks[0].exist" in capsys.readouterr().err


def test_the_shipped_claims_are_nine_with_what_was_promised_of_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check-claims", "-o", "json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"claims"}
    verdicts = {claim["id"]: claim["verdict"] for claim in document["claims"]}
    assert verdicts == {
        "32b-1xa100": "only-if",
        "235b-4xa100": "only-if",
        "30b-a3b-16gb": "false",
        "8b-q4km-4090": "true",
        "8b-m2pro": "true",
        "0.6b-pi5": "true",
        "64-experts-36b": "false",
        "72b-exists": "false",
        "7b-exists": "false",
    }
    for claim in document["claims"]:
        assert list(claim) == ["id", "text", "verdict", "why", "arithmetic"]
        assert claim["arithmetic"]
