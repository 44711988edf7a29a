"""Rules as values: every engine's chains hold to the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.engines.versions import Version
from qwen3_planner.request import EngineName
from qwen3_planner.rules.chains import CAUTION_CHAINS, LAYOUT_CHAINS, POOL_CHAINS
from qwen3_planner.rules.rule import Rule, first_refusal, sentences
from support.planner_builders import pool_facts_of

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import PoolFacts

ENGINES = [engine for engine in EngineName if engine in POOL_CHAINS]

ALL = [
    pytest.param(rule, id=f"{engine.value}-{rule.name}-{rule.since}")
    for chains in (POOL_CHAINS, LAYOUT_CHAINS, CAUTION_CHAINS)
    for engine, chain in chains.items()
    for rule in chain
]


def a_rule(name: str, sentence: str | None, since: str = "0.0", until: str = "") -> Rule[PoolFacts]:
    def says_so(_: PoolFacts) -> str | None:
        return sentence

    first, *last = (
        Version(*(int(part) for part in typed.split("."))) for typed in (since, until) if typed
    )
    return Rule(name, says_so, "source", "said", first, *last)


def test_the_first_rule_that_says_something_is_the_answer() -> None:
    chain = [a_rule("Silent", None), a_rule("First", "no."), a_rule("Second", "no either.")]
    no = first_refusal(chain, pool_facts_of(version="0.11.0"))
    assert no is not None
    assert (no.rule, no.message) == ("First", "no.")


def test_a_rule_is_not_asked_before_its_first_version_nor_from_its_last_on() -> None:
    chain = [a_rule("Ranged", "no.", "0.10", "0.12")]
    versions = ["0.9.2", "0.10.0", "0.11.2", "0.12.0"]
    held = [first_refusal(chain, pool_facts_of(version=version)) for version in versions]
    assert [no is not None for no in held] == [False, True, True, False]


def test_every_caution_is_told() -> None:
    chain = [a_rule("One", "one."), a_rule("Two", None), a_rule("Three", "three.")]
    assert sentences(chain, pool_facts_of()) == ("one.", "three.")


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_says_what_it_checks_where_it_was_read_and_since_when(rule: Rule[PoolFacts]) -> None:
    assert rule.check.__name__.count("_") >= 1
    assert rule.check.__doc__
    assert len(rule.source) > 10
    assert rule.said
    assert rule.until is None or rule.since < rule.until


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_all_three_chains(engine: EngineName) -> None:
    assert engine in LAYOUT_CHAINS
    assert engine in CAUTION_CHAINS
