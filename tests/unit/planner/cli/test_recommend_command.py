from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., tuple[int, str, str]]

BASE = ("recommend", "--hardware", "1xL40S-48GB")


@pytest.fixture(autouse=True)
def on_a_day_in_november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")


@pytest.mark.thorough
def test_the_document_has_ranked_plans_with_sources(qwen3: Command) -> None:
    status, out, err = qwen3(*BASE, "--need", "coding", "--need", "tools", "-o", "json")
    document = json.loads(out)
    assert (status, err, document["schema"]) == (0, "", "recommend/v1")
    assert document["needs"] == ["coding", "tools"]
    assert [one["rank"] for one in document["options"]] == list(
        range(1, len(document["options"]) + 1)
    )
    first = document["options"][0]
    assert first["score"]["source"].startswith("https://")
    assert first["score"]["asOf"]
    assert first["plan"]["schema"] == "plan/v1"
    assert first["plan"]["command"]
    assert first["licence"]["name"] == "Apache-2.0"
    assert first["price"]["source"]
    assert document["rejected"]
    assert all(one["rule"] and one["message"] for one in document["rejected"])


@pytest.mark.thorough
def test_the_table_fits_a_terminal_of_eighty_columns(qwen3: Command) -> None:
    for need in ("coding", "chat", "embeddings", "vision", "edge"):
        status, out, _ = qwen3(*BASE, "--need", need, "--users", "8", "--output-tokens", "300")
        assert status == 0
        assert max(len(line) for line in out.splitlines() if "http" not in line) <= 80
        assert out.startswith(f"For {need}, 8 at once")


def test_a_region_shows_rule_source_and_caution_and_ends_with_three(qwen3: Command) -> None:
    status, out, _ = qwen3(*BASE, "--region", "cn")
    assert status == 3
    assert out.startswith("Nothing does for chat")
    assert "Kept from CN by export rules" in out
    assert "sec.gov" in out
    assert "no legal advice" in out
    status, out, _ = qwen3(*BASE, "--region", "cn", "--export-licence", "L40S")
    assert status == 0
    assert "Kept from" not in out


@pytest.mark.thorough
def test_a_monthly_budget_is_an_hourly_one_times_the_hours_that_run(qwen3: Command) -> None:
    price = ("--usd-per-gpu-hour", "2")
    assert qwen3(*BASE, *price, "--budget-usd-per-month", "1400")[0] == 3
    assert qwen3(*BASE, *price, "--budget-usd-per-month", "1500")[0] == 0
    assert qwen3(*BASE, *price, "--budget-usd-per-month", "1400", "--utilization", "0.5")[0] == 0


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--need", "codng"), "--need: codng"),
        (("--region", "China"), "--region: China"),
        (("--region", ""), "--region: (empty)"),
        (("--allow-source", "pvc"), "--allow-source: pvc"),
        (("--licence", "mit"), "--licence: mit"),
        (("--export-licence", "H1000"), "--export-licence: H1000"),
        (("--thinking", "maybe"), "--thinking: maybe"),
        (("--thinking", "off", "--thinking-tokens", "5"), "--thinking-tokens: 5"),
        (("--users", "0"), "--users: 0"),
        (("--budget-usd-per-hour", "-1"), "--budget-usd-per-hour: -1"),
        (
            ("--budget-usd-per-hour", "1", "--budget-usd-per-month", "9"),
            "--budget-usd-per-month: 9",
        ),
        (("--hardware", "any"), "--hardware: any"),
        (("--hardware", "1xH1000"), "--hardware: 1xH1000"),
    ],
)
def test_wrong_options_are_named_with_their_value(
    qwen3: Command, options: tuple[str, ...], field: str
) -> None:
    status, out, err = qwen3(*BASE, *options)
    assert (status, out) == (2, "")
    assert field in err


def test_hardware_is_needed(qwen3: Command) -> None:
    status, _, err = qwen3("recommend")
    assert status == 2
    assert "--hardware: (missing)" in err
