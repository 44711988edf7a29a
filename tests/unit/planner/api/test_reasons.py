from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qwen3_planner
from qwen3_planner.api.reasons import ConditionType, Reason
from qwen3_planner.rules.chains import LAYOUT_CHAINS, POOL_CHAINS

if TYPE_CHECKING:
    from collections.abc import Iterator

PLANNER = Path(qwen3_planner.__file__).parent
RULE = re.compile(r"[A-Z][a-z]+([A-Z0-9][A-Za-z0-9]*)+|[A-Z]+[0-9]*[A-Z][a-z]\w+")


def rules_of(tree: ast.AST) -> Iterator[str]:
    """Names of rules: the first words of a refusal, or what is assigned to `rule`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in {"refuse", "_refuse", "Refusal"}:
                given = [*node.args[:2], *(k.value for k in node.keywords if k.arg == "rule")]
                yield from (a.value for a in given if isinstance(a, ast.Constant))
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "rule":
            yield from (c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant))


def rules_of_the_planner() -> set[str]:
    paths = PLANNER.glob("*.py")
    found = {rule for path in paths for rule in rules_of(ast.parse(path.read_text("utf-8")))}
    found |= {rule.name for chain in POOL_CHAINS.values() for rule in chain}
    found |= {rule.name for chain in LAYOUT_CHAINS.values() for rule in chain}
    return {rule for rule in found if isinstance(rule, str) and RULE.fullmatch(rule)}


def test_every_rule_of_the_planner_is_a_documented_reason() -> None:
    rules = rules_of_the_planner()

    assert {"InsufficientGPUMemory", "FP8BlockAlignment", "NotEnoughGPUs"} <= rules
    assert rules - set(Reason) == set()


@pytest.mark.parametrize("name", [*Reason, *ConditionType])
def test_reasons_are_words_that_kubernetes_takes(name: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]{1,62}", name)
