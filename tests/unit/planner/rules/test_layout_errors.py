"""Every reported layout error that concerns the planned engines, against what the planner says.

``layout_errors.csv`` holds each report with its source, and beside it the question that it makes
for the planner: engine, version, hardware and layout, the verdict that is due, the rule by name and
the documented fixes (``;`` between those that must all be offered, ``|`` between equals).
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from qwen3_planner.cli.program import qwen3
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Layout, NoPlan, Plan
from qwen3_planner.request import EngineName, Quantization
from qwen3_planner.rules.chains import CAUTION_CHAINS, cautions, layout_refusal
from support.planner_builders import answer, layout_facts_of
from support.rule_cases import ONLINE_BLOCKS

with (Path(__file__).parent / "layout_errors.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))

CONCERNED = [row for row in ROWS if row["concerned"] == "yes"]


def named(row: dict[str, str]) -> str:
    return f"{row['variant']}-{row['asked_engine']}-{row['asked_version']}-{row['rule']}"


def rows_with(*verdicts: str) -> pytest.MarkDecorator:
    chosen = [row for row in CONCERNED if row["verdict"] in verdicts]
    return pytest.mark.parametrize("row", chosen, ids=[named(row) for row in chosen])


def asked(row: dict[str, str], version: str) -> Plan | NoPlan:
    sizes = {
        name: int(row[name])
        for name in ("tensor", "pipeline", "expert", "max_model_len")
        if row[name]
    }
    return answer(
        row["variant"],
        row["hardware"],
        engine=EngineName(row["asked_engine"]),
        engine_version=version,
        quantization=Quantization(row["asked_quantization"]),
        source=row["source_uri"] or None,
        **sizes,
    )


def cautions_named(name: str, engine: str) -> list[str]:
    """Name the checks that speak under a name."""
    chain = CAUTION_CHAINS[EngineName(engine)]
    return [rule.check.__name__ for rule in chain if rule.name == name]


def options_of(found: NoPlan) -> list[str]:
    return [str(fix) for refusal in found.refusals for fix in refusal.fixes]


@rows_with("refuse")
def test_a_reported_failure_is_refused_by_its_rule_with_the_documented_fix(
    row: dict[str, str],
) -> None:
    found = asked(row, row["asked_version"])
    assert isinstance(found, NoPlan), found
    assert found.refusals[0].rule == row["rule"]
    offered = options_of(found)
    for fix in row["fixes"].split("; "):
        assert any(option.startswith(one) for one in fix.split("|") for option in offered), offered


@pytest.mark.parametrize(
    "row",
    [row for row in CONCERNED if row["later_version"] and row["verdict"] == "refuse"],
    ids=named,
)
def test_a_later_version_is_judged_by_what_it_does(row: dict[str, str]) -> None:
    later = asked(row, row["later_version"])
    if row["later_verdict"] == "refuse":
        assert isinstance(later, NoPlan)
        assert later.refusals[0].rule == row["rule"]
        return
    assert isinstance(later, Plan), later
    told = [text for text in later.warnings if "expert" in text]
    assert bool(told) is (row["later_verdict"] == "warn")


@rows_with("warn")
def test_what_only_costs_is_planned_with_a_warning(row: dict[str, str]) -> None:
    found = asked(row, row["asked_version"])
    assert isinstance(found, Plan), found
    assert cautions_named(row["rule"], row["asked_engine"])
    words = {"GraphsBesideBudget": "--enforce-eager", "KvHeadsCopied": "tensor=4 with data=2"}
    assert any(words[row["rule"]] in text for text in found.warnings), found.warnings


@rows_with("plan")
def test_what_serves_is_planned_and_an_environment_that_helps_is_set(row: dict[str, str]) -> None:
    found = asked(row, row["asked_version"])
    assert isinstance(found, Plan), found
    variables = [f"{name}={value}" for name, value in found.env]
    assert [fix for fix in [row["fixes"]] if fix] == variables


@rows_with("input")
def test_a_format_that_the_planner_does_not_have_is_answered_with_those_it_has(
    row: dict[str, str],
) -> None:
    words = [row["variant"], "--hardware", row["hardware"]]
    words += ["--quantization", row["asked_quantization"]]
    with pytest.raises(SpecError) as caught:
        CliRunner().invoke(qwen3, ["plan", *words], catch_exceptions=False)
    assert caught.value.value == row["asked_quantization"]
    assert {"int8", "awq-int4"} <= set(caught.value.choices)


def test_online_blocks_are_refused_until_a_release_pads_them() -> None:
    (row,) = [
        row for row in CONCERNED if row["verdict"] == "rules" and row["asked_engine"] == "vllm"
    ]
    layout = Layout(int(row["tensor"]))
    before, after = (
        layout_facts_of(layout, model=row["variant"], fmt=ONLINE_BLOCKS, version=version)
        for version in (row["asked_version"], row["later_version"])
    )
    no = layout_refusal(before)
    assert no is not None
    assert no.rule == row["rule"]
    assert layout_refusal(after) is None
    assert any("padded to 256" in text for text in cautions(after))


def test_reports_of_other_engines_say_why_they_are_left_out() -> None:
    others = [row for row in ROWS if row["concerned"] == "no"]
    assert [row["engine"].split()[0] for row in others] == [
        "vLLM-Ascend",
        "TensorRT-LLM",
        "Transformers",
    ]
    assert all(row["note"] for row in others)
    assert len(ROWS) == 31
