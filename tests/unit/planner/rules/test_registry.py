"""Every rule of every engine has a meaning, a remedy and a place in the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen3_planner.api.reasons import Reason
from qwen3_planner.remedies.finding import FIXING_KINDS, KINDS
from qwen3_planner.rules.chains import CAUTION_CHAINS, LAYOUT_CHAINS, POOL_CHAINS

PAGE = (Path(__file__).parents[4] / "docs/reference/rules.md").read_text("utf-8")

NAMES = sorted(
    {rule.name for chains in (POOL_CHAINS, LAYOUT_CHAINS) for c in chains.values() for rule in c}
)

CAUTIONS = sorted({rule.name for chain in CAUTION_CHAINS.values() for rule in chain})


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_has_steps_that_answer_it_a_reason_and_a_section(name: str) -> None:
    known = {kind for kind, _ in KINDS}
    assert FIXING_KINDS[name]
    assert FIXING_KINDS[name] <= known
    assert name in set(Reason)
    assert f"\n## {name}\n" in PAGE


@pytest.mark.parametrize("name", CAUTIONS)
def test_a_caution_is_no_rule_and_has_a_section(name: str) -> None:
    assert name not in NAMES
    assert f"\n### {name}\n" in PAGE


def test_steps_are_known_for_no_rule_that_is_gone() -> None:
    assert set(FIXING_KINDS) <= set(Reason)
